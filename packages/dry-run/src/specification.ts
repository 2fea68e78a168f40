import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Expectation } from '@wegwijs/campaign/definition/expectation'
import type { ProviderWord } from '@wegwijs/campaign/definition/given'
import type { Happening } from '@wegwijs/campaign/definition/happening'
import type { Specification } from '@wegwijs/campaign/definition/specification'
import type { ChannelName } from '@wegwijs/campaign/definition/words'
import type { Decision } from '@wegwijs/campaign/draft'
import { isHeldOut, type ReasonCode } from '@wegwijs/campaign/reasons'
import { otherSubject, type Play, playsOf } from '@wegwijs/campaign/specification/happenings'
import { instantOf, showLocalMoment } from '@wegwijs/campaign/specification/local-moment'
import type { Intent, JourneyEvent, PersonState, Question } from '@wegwijs/campaign/state'
import { answerBy } from '@wegwijs/campaign/steps/ask'
import { rejectionReasons } from '@wegwijs/wire/rejection-reasons'
import type { RejectionClass } from '@wegwijs/wire/touchpoint-event'
import { type Unmet, unmetExpectations } from './expectations.ts'
import { isMessage } from './message-fates.ts'
import type { ModelOutcome } from './outcome-model.ts'
import type { PersonNumber } from './people.ts'
import { answerEventOf, receiptOf, taskDoneEvent } from './reports.ts'
import { isTask } from './run-expectations.ts'
import type { Sending } from './sending.ts'
import { type SimulatedMessage, Simulation } from './simulation.ts'

/** What specifications are played by: a definition as it would be once applied. */
export type Stage = { bundle: DefinitionBundle; definition: CompiledDefinition; sending: Sending }

/** Everything that happened, in its order. */
export type History = {
  events: { at: string; event: JourneyEvent; outcome: ReasonCode }[]
  /** `event` is the one that led to it; null when a moment did. */
  decisions: { at: string; decision: Decision; event: JourneyEvent | null }[]
  messages: SimulatedMessage[]
}

export type PlayedSpecification = {
  /** What was expected and did not come; none when the specification holds. */
  unmet: Unmet[]
  history: History
  /** The person as they are at the end. */
  state: PersonState
}

/** So many people are tried before one turns up who is in the arms that were asked for. */
const mostPeople = 1_000

/**
 * Plays one specification of a campaign, with the core and the clock of a simulation and all campaigns
 * of the definition, and holds what happened against what it expects.
 *
 * Who is held out, and which arm of a split somebody is in, hangs on who they are: people are tried
 * until one is as was asked for, and nobody is held out unless that was asked for. When none of them is, the
 * specification does not hold: nobody knows what would have come of it.
 */
export function playSpecification(
  campaign: string,
  specification: Specification,
  stage: Stage,
): PlayedSpecification {
  for (let number = 1; ; number += 1) {
    const playing = new Playing(campaign, specification, stage, `P-${number}`)
    const played = playing.play()
    if (isAsAsked(campaign, specification, played.history)) return played
    if (number === mostPeople) return { ...played, unmet: [nobodyAsAsked(specification)] }
  }
}

function nobodyAsAsked({ given }: Specification): Unmet {
  const arms = Object.entries(given.arms ?? {}).map(
    ([split, arm]) => `in the arm ${arm} of the split ${split}`,
  )
  const group = given['held out'] ? 'held out' : 'not held out'
  return {
    path: ['given'],
    expected: `somebody who is ${[group, ...arms].join(', ')}`,
    happened: [`of ${mostPeople} people who were tried nobody is so; this is the last of them`],
  }
}

function isAsAsked(campaign: string, { given }: Specification, { decisions }: History): boolean {
  const own = decisions
    .map(({ decision }) => decision)
    .filter(({ campaignId }) => campaignId === campaign)
  const entered = own.filter(({ reason }) => reason === 'enrolled' || isHeldOut(reason))
  const arms = given.arms ?? {}
  return (
    entered.every(({ reason }) => isHeldOut(reason) === (given['held out'] ?? false)) &&
    own.every(({ reason, detail }) => {
      if (reason !== 'split_taken') return true
      const wanted = arms[String(detail?.split)]
      return wanted === undefined || wanted === detail?.arm
    })
  )
}

/** One person's run through one specification. */
class Playing {
  readonly #campaign: string
  readonly #specification: Specification
  readonly #stage: Stage
  readonly #subject: string
  readonly #simulation: Simulation
  readonly #person: PersonNumber
  readonly #history: History = { events: [], decisions: [], messages: [] }
  readonly #unmet: Unmet[] = []
  /** Names of the others, by our own ids of them. */
  readonly #others: ReadonlyMap<string, string>

  constructor(campaign: string, specification: Specification, stage: Stage, subject: string) {
    this.#campaign = campaign
    this.#specification = specification
    this.#stage = stage
    this.#subject = subject
    this.#simulation = new Simulation({
      definition: stage.definition,
      sending: stage.sending,
      outcomes: (intent, channel) =>
        outcomeAsTold(campaign, specification, { intent, channel, to: this.#receiverOf(intent) }),
      keepsFinishedRuns: true,
      onMessage: (message) => {
        if (message.person === this.#person) this.#history.messages.push(message)
      },
      onDecision: (person, decision, event) => {
        if (person !== this.#person) return
        this.#history.decisions.push({ at: this.#simulation.now, decision, event })
      },
      onEvent: (person, event, outcome) => {
        if (person !== this.#person) return
        this.#history.events.push({ at: this.#simulation.now, event, outcome })
      },
    })
    this.#person = this.#makePerson(subject)
    const names = Object.keys(specification.given.with ?? {})
    this.#others = new Map(
      names.map((name) => {
        const number = this.#makePerson(otherSubject(subject, name))
        return [this.#simulation.people.idOf(number), name]
      }),
    )
  }

  play(): PlayedSpecification {
    const { bundle } = this.#stage
    const { when, until, then } = this.#specification
    const plays = playsOf(this.#specification, bundle, this.#subject)
    this.#introduce(plays.filter(({ line }) => line === null))
    for (const play of plays) {
      const happening = play.line === null ? undefined : when[play.line]
      if (!happening) continue
      this.#simulation.goOnTo(play.at)
      this.#happen(play, happening)
      if (!happening.then) continue
      this.#simulation.goOnTo(play.at)
      this.#expect(happening.then, ['when', play.line ?? 0, 'then'])
    }
    if (until === undefined) this.#simulation.finish()
    else this.#simulation.goOnTo(instantOf(until, bundle.policies.timeZone))
    this.#expect(then, ['then'])
    return { unmet: this.#unmet, history: this.#history, state: this.#state }
  }

  get #state(): PersonState {
    return this.#simulation.people.stateOf(this.#person)
  }

  /** By the name under `with`. */
  #receiverOf({ recipient }: Intent): string {
    return recipient ? (this.#others.get(recipient.personId) ?? 'somebody else') : 'person'
  }

  /** Every publisher means the same person by this id. */
  #makePerson(externalId: string): PersonNumber {
    const { people } = this.#simulation
    const [first, ...others] = this.#stage.bundle.touchpoints.publishers.map(({ idSpace }) => ({
      idSpace,
      externalId,
    }))
    const person = first ? people.find(first) : null
    if (person === null) throw new RangeError('there is no publisher who could tell of anybody')
    for (const identity of others) people.link(person, identity)
    return person
  }

  /** What was so before is known, and has started nothing: also not what would have been sent until now. */
  #introduce(plays: readonly Play[]): void {
    for (const { event } of plays) {
      if (!event) continue
      this.#simulation.take(event)
      const none = new Map<never, never>()
      this.#simulation.people.put(this.#person, {
        ...this.#state,
        enrolments: none,
        timers: none,
        intents: none,
        tasks: none,
        entries: none,
      })
    }
    this.#simulation.awaitDates(this.#person)
    this.#history.decisions = []
  }

  #happen({ line, event }: Play, happening: Happening): void {
    if (event) {
      const before = this.#simulation.tally.applied
      this.#simulation.take(event)
      if (this.#simulation.tally.applied > before) return
      const classes = Object.keys(this.#simulation.tally.deadLetters) as RejectionClass[]
      const why = classes.map((each) => `${rejectionReasons[each].text} (${each})`).join(', ')
      const happened = [`${event.type} was put aside: ${why}`]
      this.#unmet.push({
        path: ['when', line ?? 0],
        expected: 'an event that can be used',
        happened,
      })
    } else if ('provider tells' in happening) {
      this.#report(happening, line ?? 0)
    } else if ('its date comes' in happening) {
      this.#expectDate(line ?? 0)
    } else if ('is done' in happening) {
      this.#do(happening, line ?? 0)
    } else if ('they answer' in happening) {
      this.#answer(happening, line ?? 0)
    }
  }

  /** Its moment has been played: the campaign then let the person in, or said why not. */
  #expectDate(line: number): void {
    const { now } = this.#simulation
    const hasCome = this.#history.decisions.some(
      ({ at, decision, event }) =>
        event === null && at === now && decision.campaignId === this.#campaign,
    )
    if (hasCome) return
    const dates = [...this.#state.timers.values()].flatMap((timer) =>
      timer.enrolmentId === null && timer.campaignId === this.#campaign ? [timer.dueAt] : [],
    )
    const { timeZone } = this.#stage.bundle.policies
    const happened = dates.map((date) => `it comes at ${showLocalMoment(date, timeZone)}`)
    this.#unmet.push({
      path: ['when', line, 'its date comes'],
      expected: `the date for which ${this.#campaign} waits`,
      happened: happened.length > 0 ? happened : ['it waits for no date'],
    })
  }

  #report(happening: Extract<Happening, { 'provider tells': unknown }>, line: number): void {
    const { of: name, to, over } = happening
    const sent = this.#history.messages.filter(
      ({ intent, channel, rendered }) =>
        rendered !== null &&
        isMessage(name, intent, this.#campaign) &&
        (to ?? this.#receiverOf(intent)) === this.#receiverOf(intent) &&
        (over ?? channel) === channel,
    )
    const receivers = new Set(sent.map(({ intent }) => this.#receiverOf(intent)))
    const newest = sent.at(-1)
    // Of which of them it is told would hang on whose message came last.
    if (!newest || receivers.size > 1) {
      const where = `${to ? ` to ${to}` : ''}${over ? ` over ${over}` : ''}`
      const expected = newest
        ? `"to", which says whose ${name} it is`
        : `${name}${where} at a provider that can tell of it`
      const happened = newest
        ? [`${name} had been sent to ${[...receivers].join(', ')}`]
        : [`${name} had not been sent${where} by then`]
      this.#unmet.push({ path: ['when', line, 'of'], expected, happened })
      return
    }
    const { person } = this.#state
    const { intentId } = newest.intent
    const [status, detail] = [happening['provider tells'], happening.words]
    const { people, now } = this.#simulation
    const recipientId = newest.intent.recipient ? people.idOf(newest.receiver) : undefined
    const report = { person, intentId, channel: newest.channel, status, detail, recipientId }
    const receipt = receiptOf(report, this.#stage.sending, now)
    this.#simulation.hear(this.#person, receipt)
    if (recipientId === undefined) return
    this.#simulation.hear(newest.receiver, { ...receipt, subject: recipientId })
  }

  #do({ 'is done': name, outcome }: Extract<Happening, { 'is done': string }>, line: number) {
    const own = [...this.#state.tasks.values()].filter((task) => isTask(name, task, this.#campaign))
    const open = own.findLast(({ state }) => state === 'open')
    if (!open) {
      const happened = [
        own.length === 0 ? `${name} was never made` : `${name} is ${own.at(-1)?.state}`,
      ]
      this.#unmet.push({
        path: ['when', line, 'is done'],
        expected: `${name} to be open`,
        happened,
      })
      return
    }
    const { person } = this.#state
    const { taskId } = open
    const event = taskDoneEvent({ person, taskId, outcome }, this.#simulation.now)
    this.#simulation.hear(this.#person, event)
  }

  #answer(
    { 'they answer': words, to }: Extract<Happening, { 'they answer': string }>,
    line: number,
  ) {
    const newest = this.#history.messages.findLast(
      ({ intent, rendered }) =>
        rendered !== null &&
        intent.question !== null &&
        (to === undefined
          ? intent.campaignId === this.#campaign
          : isMessage(to, intent, this.#campaign)),
    )
    const intent = newest && this.#state.intents.get(newest.intent.intentId)
    const answer = intent?.question && answerMeant(words, intent.question)
    if (!intent || !answer) {
      const asked = to ?? 'a question'
      const expected = `${asked} that "${words}" is an answer to`
      const happened = [
        intent ? `"${words}" is none of its answers` : `${asked} had not been sent by then`,
      ]
      this.#unmet.push({ path: ['when', line, 'they answer'], expected, happened })
      return
    }
    const { person } = this.#state
    const { intentId } = intent
    this.#simulation.hear(
      this.#person,
      answerEventOf({ person, intentId, answer }, this.#simulation.now),
    )
  }

  #expect(expectations: readonly Expectation[], path: readonly (string | number)[]): void {
    const unmet = unmetExpectations(expectations, {
      campaign: this.#campaign,
      timeZone: this.#stage.bundle.policies.timeZone,
      history: this.#history,
      state: this.#state,
      receiverOf: (intent) => this.#receiverOf(intent),
      isLast: path[0] === 'then',
    })
    this.#unmet.push(...unmet.map((each) => ({ ...each, path: [...path, ...each.path] })))
  }
}

/** By its name, or as somebody writes it back. */
function answerMeant(words: string, question: Question): string | null {
  const named = question.answers.find(({ answer }) => answer === words)
  return named?.answer ?? answerBy(words, question)
}

const outcomes: Readonly<Record<ProviderWord, ModelOutcome>> = {
  delivered: 'delivered',
  bounced: 'bounced',
  answered: 'answered',
  nothing: 'none',
}

function outcomeAsTold(
  campaign: string,
  { given, when }: Specification,
  { intent, channel, to }: { intent: Intent; channel: ChannelName; to: string },
): ModelOutcome {
  const isToldLater = when.some(
    (each) =>
      'provider tells' in each &&
      isMessage(each.of, intent, campaign) &&
      (each.to ?? to) === to &&
      (each.over ?? channel) === channel,
  )
  if (isToldLater) return 'none'
  const told = Object.entries(given['provider tells'] ?? {}).find(([name]) =>
    isMessage(name, intent, campaign),
  )
  return told ? outcomes[told[1]] : 'delivered'
}
