import type { Expectation } from '@wegwijs/campaign/definition/expectation'
import { type ReasonCode, reasons } from '@wegwijs/campaign/reasons'
import { instantOf, showLocalMoment } from '@wegwijs/campaign/specification/local-moment'
import {
  type Enrolment,
  type Intent,
  isOpen,
  type PersonState,
  type Task,
} from '@wegwijs/campaign/state'
import type { Rendered } from '@wegwijs/template/template'
import type { History } from './specification.ts'

/** One thing that was expected and did not come. */
export type Unmet = {
  /** Where it stands in its specification, such as `['then', 2]`. */
  path: readonly (string | number)[]
  /** What was expected, in words. */
  expected: string
  /** What there was instead, a sentence each. */
  happened: readonly string[]
}

/** The moment of asking. */
export type Asked = {
  campaign: string
  /** On whose clocks moments are told. */
  timeZone: string
  history: History
  state: PersonState
  /** `person`, or how the specification calls whoever else gets it. */
  receiverOf: (intent: Intent) => string
  /** At the end each message of the campaign that was sent must have been named. */
  isLast: boolean
}

type MessageExpectation = Exclude<
  Extract<
    Expectation,
    { sent: string } | { withdrawn: string } | { 'not sent': string } | { planned: string }
  >,
  string
>

/** Everything that is expected and is not so, in the order of the lines. */
export function unmetExpectations(expectations: readonly Expectation[], asked: Asked): Unmet[] {
  const fates = fatesOf(asked)
  const claims = assign(expectations, fates, asked)
  const claimed = new Set(claims.values())
  const unnamed = fates.filter(
    (fate) => !claimed.has(fate) && fate.intent.campaignId === asked.campaign,
  )
  const unmet = expectations.flatMap((expectation, index): Unmet[] => {
    const happened = isOfMessage(expectation)
      ? claims.has(index)
        ? null
        : insteadOf(expectation, fates, asked)
      : typeof expectation === 'string'
        ? tellAll(unnamed, asked)
        : contradictionOf(expectation, asked)
    return happened === null ? [] : [{ path: [index], expected: wordsOf(expectation), happened }]
  })
  return asked.isLast ? [...unmet, ...forgotten(expectations, { unnamed, unmet }, asked)] : unmet
}

function tellAll(fates: readonly Fate[], asked: Asked): string[] | null {
  return fates.length === 0 ? null : fates.map((fate) => tell(fate, asked))
}

/** A message that nobody named is a message that nobody thought of; what an unmet line tells, it has told. */
function forgotten(
  expectations: readonly Expectation[],
  { unnamed, unmet }: { unnamed: readonly Fate[]; unmet: readonly Unmet[] },
  asked: Asked,
): Unmet[] {
  if (expectations.some((each) => typeof each === 'string')) return []
  const told = unmet.flatMap(({ path: [index] }) => {
    const expectation = expectations[Number(index)]
    return expectation && isOfMessage(expectation) ? [nameOf(expectation)] : []
  })
  const sent = unnamed.filter(
    ({ what, intent }) =>
      what === 'sent' && !told.some((name) => isMessage(name, intent, asked.campaign)),
  )
  const happened = tellAll(sent, asked)
  return happened === null ? [] : [{ path: [], expected: 'no message without a line', happened }]
}

/** What became of one message by the moment of asking. */
type Fate = {
  what: 'sent' | 'withdrawn' | 'not sent' | 'planned'
  intent: Intent
  /** Quiet hours may have put it off since. */
  plannedFor: string
  /** Null while it is planned. */
  at: string | null
  channel: string | null
  text: string
}

function fatesOf({ history, state }: Asked): Fate[] {
  const told = history.messages.map(({ intent, plannedFor, at, channel, rendered }): Fate => {
    const text = rendered === null ? '' : textOf(rendered)
    return { what: whatOf(intent, rendered), intent, plannedFor, at, channel, text }
  })
  const known = new Set(told.map(({ intent }) => intent.intentId))
  const planned = [...state.intents.values()]
    .filter((intent) => isOpen(intent) && !known.has(intent.intentId))
    .map(
      (intent): Fate => ({
        what: 'planned',
        intent,
        plannedFor: intent.dueAt,
        at: null,
        channel: null,
        text: '',
      }),
    )
  return [...told, ...planned]
}

function whatOf({ state }: Intent, rendered: Rendered | null): Fate['what'] {
  if (rendered !== null) return 'sent'
  return state === 'cancelled' ? 'withdrawn' : 'not sent'
}

function textOf({ content }: Rendered): string {
  switch (content.kind) {
    case 'email':
      return `${content.subject}\n${content.text}`
    case 'sms':
      return content.text
    case 'app':
      return `${content.title}\n${content.body}`
  }
}

function isOfMessage(expectation: Expectation): expectation is MessageExpectation {
  return (
    typeof expectation !== 'string' &&
    ('sent' in expectation ||
      'withdrawn' in expectation ||
      'not sent' in expectation ||
      'planned' in expectation)
  )
}

function nameOf(expectation: MessageExpectation): string {
  if ('sent' in expectation) return expectation.sent
  if ('withdrawn' in expectation) return expectation.withdrawn
  return 'planned' in expectation ? expectation.planned : expectation['not sent']
}

/** Whether `name` (`reminder`, or `other-campaign/reminder`) means this message. */
export function isMessage(name: string, intent: Intent, ownCampaign: string): boolean {
  const [message, campaign = ownCampaign] = name.split('/').reverse()
  return intent.messageId === message && intent.campaignId === campaign
}

/** Each line with a message of its own, as many lines as can have one (augmenting paths). */
function assign(
  expectations: readonly Expectation[],
  fates: readonly Fate[],
  asked: Asked,
): Map<number, Fate> {
  const holder = new Map<Fate, number>()
  const claim = (index: number, tried: Set<Fate>): boolean =>
    fates.some((fate) => {
      const expectation = expectations[index]
      if (!expectation || !isOfMessage(expectation)) return false
      if (tried.has(fate) || !fits(expectation, fate, asked)) return false
      tried.add(fate)
      const other = holder.get(fate)
      if (other !== undefined && !claim(other, tried)) return false
      holder.set(fate, index)
      return true
    })
  for (const index of expectations.keys()) claim(index, new Set())
  return new Map([...holder].map(([fate, index]) => [index, fate]))
}

function fits(expectation: MessageExpectation, fate: Fate, asked: Asked): boolean {
  const { what, intent, plannedFor, at, channel, text } = fate
  if (!isMessage(nameOf(expectation), intent, asked.campaign) || !(what in expectation))
    return false
  if (expectation.to !== undefined && expectation.to !== asked.receiverOf(intent)) return false
  if ('sent' in expectation) {
    const { over, saying = [] } = expectation
    return (
      isAt(expectation.at, at, asked) &&
      (over === undefined || over === channel) &&
      [saying].flat().every((part) => text.includes(part))
    )
  }
  if ('planned' in expectation) return isAt(expectation.for, plannedFor, asked)
  const { because } = expectation
  return (
    isAt(expectation['planned for'], plannedFor, asked) &&
    isAt('at' in expectation ? expectation.at : undefined, at, asked) &&
    (because === undefined || because === intent.reason)
  )
}

/** What became of the messages of that name. */
function insteadOf(
  expectation: MessageExpectation,
  fates: readonly Fate[],
  asked: Asked,
): string[] {
  const name = nameOf(expectation)
  const own = fates.filter(({ intent }) => isMessage(name, intent, asked.campaign))
  if (own.length === 0) return [`${name} was never planned`]
  return own.map((fate) =>
    tell(fate, asked, 'sent' in expectation && expectation.saying !== undefined),
  )
}

function tell(fate: Fate, asked: Asked, withText = false): string {
  const { what, intent, plannedFor, at, channel, text } = fate
  const { campaignId, messageId, reason } = intent
  const message = campaignId === asked.campaign ? messageId : `${campaignId}/${messageId}`
  const name = intent.recipient ? `${message} to ${asked.receiverOf(intent)}` : message
  const moment = at === null ? '' : show(at, asked)
  switch (what) {
    case 'sent': {
      const saying = withText ? `, saying: ${beginningOf(text)}` : ''
      return `${name} was sent at ${moment} over ${channel}${saying}`
    }
    case 'withdrawn':
      return `${name}, planned for ${show(plannedFor, asked)}, was withdrawn at ${moment}${reasonWords(reason)}`
    case 'not sent':
      return `${name}, planned for ${show(plannedFor, asked)}, was not sent${reasonWords(reason)}`
    case 'planned':
      return `${name} is planned for ${show(plannedFor, asked)}`
  }
}

/** On one line, and no longer than somebody reads to see what is wrong. */
function beginningOf(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 400 ? `${line.slice(0, 400)}…` : line
}

/** `evening-before sent, at 2026-03-19 18:00` */
function wordsOf(expectation: Expectation): string {
  if (typeof expectation === 'string') return expectation
  return Object.entries(expectation)
    .map(([key, value]) => `${key} ${[value].flat().map(String).join(', ')}`)
    .join(', ')
}

type Other = Exclude<Expectation, string | MessageExpectation>

/** What is so instead; null when it is as expected. */
function contradictionOf(expectation: Other, asked: Asked): string[] | null {
  const { isSo, instead } = answerTo(expectation, asked)
  return isSo ? null : instead
}

type Answer = { isSo: boolean; instead: string[] }

function answerTo(expectation: Other, asked: Asked): Answer {
  if ('persona' in expectation) return personaOf(expectation.persona, asked)
  if ('task' in expectation || 'task taken back' in expectation) return tasksOf(expectation, asked)
  if ('told' in expectation) return toldOf(expectation, asked)
  if ('answered' in expectation) return answersOf(expectation, asked)
  if ('waits until' in expectation) return waitsOf(expectation['waits until'], asked)
  if ('goal reached' in expectation) return goalsOf(expectation['goal reached'], asked)
  if ('ended because' in expectation) return endsOf(expectation, asked)
  const isSo =
    'entered' in expectation
      ? runsOf(asked).some((run) => isAt(expectation.entered, run.enteredAt, asked))
      : refusalsOf(asked).some(
          ({ at, reason }) =>
            reason === expectation['did not enter'] && isAt(expectation.at, at, asked),
        )
  return { isSo, instead: entriesOf(asked) }
}

function personaOf(expected: string, { state: { person } }: Asked): Answer {
  const instead = person.persona === null ? 'they are of no persona' : `they are ${person.persona}`
  return { isSo: person.persona === expected, instead: [instead] }
}

/** Whether `name` (`nurse-call`, or `other-campaign/nurse-call`) means this task. */
export function isTask(name: string, task: Task, ownCampaign: string): boolean {
  const [id, campaign = ownCampaign] = name.split('/').reverse()
  return task.name === id && task.campaignId === campaign
}

function tasksOf(
  expectation: Extract<Other, { task: string } | { 'task taken back': string }>,
  asked: Asked,
): Answer {
  const name = 'task' in expectation ? expectation.task : expectation['task taken back']
  const own = [...asked.state.tasks.values()].filter((task) => isTask(name, task, asked.campaign))
  return {
    isSo: own.some((task) =>
      'task' in expectation
        ? task.state === 'open' &&
          isAt(expectation.due, task.dueAt, asked) &&
          (expectation.team === undefined || expectation.team === task.team)
        : task.state === 'withdrawn' &&
          (expectation.because === undefined || expectation.because === task.reason),
    ),
    instead: orElse(
      own.map(
        ({ state, team, dueAt, outcome, reason }) =>
          `${name}, for ${team} at ${show(dueAt, asked)}, is ${state}${outcome === null ? reasonWords(reason) : `: ${outcome}`}`,
      ),
      `${name} was never made`,
    ),
  }
}

function toldOf({ told, at: expected }: Extract<Other, { told: string }>, asked: Asked): Answer {
  const own = asked.history.decisions.filter(
    ({ decision: { campaignId, reason } }) =>
      campaignId === asked.campaign && reason === 'event_emitted',
  )
  return {
    isSo: own.some(
      ({ at, decision }) => decision.detail?.type === told && isAt(expected, at, asked),
    ),
    instead: orElse(
      own.map(({ at, decision }) => `${decision.detail?.type} was told at ${show(at, asked)}`),
      'other systems were told nothing',
    ),
  }
}

function answersOf({ answered, to }: Extract<Other, { answered: string }>, asked: Asked): Answer {
  const questions = [...asked.state.intents.values()].filter(
    (intent) =>
      intent.question !== null &&
      (to === undefined
        ? intent.campaignId === asked.campaign
        : isMessage(to, intent, asked.campaign)),
  )
  return {
    isSo: questions.some(({ answer }) => answer === answered),
    instead: orElse(
      questions.map(({ messageId, answer }) =>
        answer === null ? `${messageId} has no answer` : `${messageId} was answered ${answer}`,
      ),
      'nothing was asked',
    ),
  }
}

function waitsOf(expected: string, asked: Asked): Answer {
  const own = new Set(runsOf(asked).map(({ enrolmentId }) => enrolmentId))
  const waits = [...asked.state.timers.values()].filter((timer) =>
    timer.enrolmentId === null ? timer.campaignId === asked.campaign : own.has(timer.enrolmentId),
  )
  return {
    isSo: waits.some(({ dueAt }) => isAt(expected, dueAt, asked)),
    instead: orElse(
      waits.map(({ dueAt }) => `it waits until ${show(dueAt, asked)}`),
      'it waits for no moment',
    ),
  }
}

function goalsOf(expected: string, asked: Asked): Answer {
  const goals = runsOf(asked).flatMap(({ goalAt }) => goalAt ?? [])
  return {
    isSo: goals.some((goalAt) => isAt(expected, goalAt, asked)),
    instead: orElse(
      goals.map((goalAt) => `it was reached at ${show(goalAt, asked)}`),
      'it was not reached',
    ),
  }
}

function endsOf(expectation: Extract<Other, { 'ended because': string }>, asked: Asked): Answer {
  const runs = runsOf(asked)
  return {
    isSo: runs.some(
      ({ reason, endedAt }) =>
        reason === expectation['ended because'] &&
        endedAt !== null &&
        isAt(expectation.at, endedAt, asked),
    ),
    instead: orElse(
      runs.map(({ reason, endedAt }) =>
        endedAt === null
          ? 'it has not ended'
          : `it ended at ${show(endedAt, asked)}${reasonWords(reason)}`,
      ),
      'they were never in it',
    ),
  }
}

/** Who was let in when, and who was not and why. */
function entriesOf(asked: Asked): string[] {
  const entered = runsOf(asked).map((run) => `they entered at ${show(run.enteredAt, asked)}`)
  const refused = refusalsOf(asked).map(
    ({ at, reason }) => `they did not enter at ${show(at, asked)}${reasonWords(reason)}`,
  )
  return orElse([...entered, ...refused], 'the campaign never looked at them')
}

function runsOf({ campaign, state }: Asked): Enrolment[] {
  return [...state.enrolments.values()].filter(({ campaignId }) => campaignId === campaign)
}

type Refusal = { at: string; reason: ReasonCode }

function refusalsOf({ campaign, history }: Asked): Refusal[] {
  return history.decisions.flatMap(({ at, decision }) =>
    decision.campaignId === campaign && decision.enrolmentId === null
      ? [{ at, reason: decision.reason }]
      : [],
  )
}

/** Whether this is the expected moment; any is when none was named. */
function isAt(expected: string | undefined, instant: string | null, { timeZone }: Asked): boolean {
  return expected === undefined || instantOf(expected, timeZone) === instant
}

function show(instant: string, { timeZone }: Asked): string {
  return showLocalMoment(instant, timeZone)
}

/** ` (expired: it was no longer worth sending)` */
function reasonWords(code: string | null): string {
  if (code === null) return ''
  const text = Object.hasOwn(reasons, code) ? `: ${reasons[code as ReasonCode].text.en}` : ''
  return ` (${code}${text})`
}

function orElse(told: readonly string[], otherwise: string): string[] {
  return told.length === 0 ? [otherwise] : [...told]
}
