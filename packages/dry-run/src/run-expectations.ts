import type { Expectation } from '@wegwijs/campaign/definition/expectation'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import type { Enrolment, Task } from '@wegwijs/campaign/state'
import { type Asked, isAt, reasonWords, show } from './asked.ts'
import type { MessageExpectation } from './message-expectations.ts'
import { isMessage } from './message-fates.ts'

type Other = Exclude<Expectation, string | MessageExpectation>

/** What is so instead; null when it is as expected. */
export function contradictionOf(expectation: Other, asked: Asked): string[] | null {
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

function orElse(told: readonly string[], otherwise: string): string[] {
  return told.length === 0 ? [otherwise] : [...told]
}
