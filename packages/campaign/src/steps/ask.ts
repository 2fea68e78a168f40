import { z } from 'zod'
import { addresseesOf } from '../addressees.ts'
import {
  identifierSchema,
  localeNames,
  localisedTextSchema,
  positiveDurationSchema,
} from '../definition/words.ts'
import { noteOf } from '../draft.ts'
import { timeZoneOf } from '../facts.ts'
import { addDuration, type Instant } from '../instant.ts'
import type { JsonObject } from '../json.ts'
import type { ReasonCode } from '../reasons.ts'
import { isStopWord } from '../receipts.ts'
import { wordOf } from '../reply-word.ts'
import { isPending, type Question, type QuestionAnswer } from '../state.ts'
import { type MessageStep, messageExplanation, messageShape, templatesOf } from './message.ts'
import { planMessage, withdrawMessage } from './message-plan.ts'
import { newestOf, statusFieldOf } from './message-status.ts'
import { messageTimes, momentsOf } from './message-times.ts'
import type { Step } from './step.ts'
import type { StepKind } from './step-kind.ts'
import type { Onward, StepRun } from './step-run.ts'
import { keepUnplanned } from './unplanned-message.ts'

type Words = Readonly<Record<(typeof localeNames)[number], readonly string[]>>
type Answer = {
  answer: string
  says: { nl: string; en: string }
  words?: Words | undefined
  steps?: Step[] | undefined
}

export type AskStep = {
  ask: Omit<MessageStep['message'], 'question'> & {
    question: { nl: string; en: string }
    within: string
    answers: Answer[]
    otherwise?: Step[] | undefined
  }
}

export const askStep: StepKind<AskStep> = {
  key: 'ask',
  meaning:
    'Sends a message that can be answered, and goes the way of the answer. It is answered on a page, to which a link in the message leads and where a button is pressed, or by SMS, with one of the `words` and nothing else. The first answer counts. The time for it, `within`, runs from when the message is due; when it is over, or when the question could not be asked, `otherwise` follows, what has not gone out is taken back, and a late answer changes nothing. When the appointment or stay moves that it hangs on, it is asked again while it waits; what was answered before is asked again, too, when the moment of `send` hangs on it and lies ahead, and what was to follow the answer before is taken back. An answer to what was asked of an older version does not count for the newer one.',
  shortest: {
    ask: {
      id: 'well',
      template: 'are-you-well',
      question: { nl: 'Gaat het goed?', en: 'Are you well?' },
      within: 'P1D',
      answers: [{ answer: 'fine', says: { nl: 'Ja', en: 'Yes' } }],
    },
  },
  explanation: {
    nl: ({ ask }, told, words) => {
      const { reason, detail } = told
      if (reason === 'answered')
        return `is de vraag "${ask.id}" beantwoord: "${answerCalled(ask, detail).nl}"`
      if (reason === 'not_answered')
        return `ging de campagne verder zonder antwoord op de vraag "${ask.id}": dat kwam niet binnen ${words.duration(ask.within)}`
      if (reason === 'waiting')
        return `ging de campagne wachten op een antwoord op de vraag "${ask.id}", uiterlijk tot ${words.moment(String(detail?.until))}`
      if (detail?.question !== undefined)
        return `is de vraag "${ask.id}" niet gesteld: ${words.reason(reason)}`
      return messageExplanation.nl(asMessage(ask), told, words)
    },
    en: ({ ask }, told, words) => {
      const { reason, detail } = told
      if (reason === 'answered')
        return `the question "${ask.id}" was answered: "${answerCalled(ask, detail).en}"`
      if (reason === 'not_answered')
        return `the campaign went on without an answer to the question "${ask.id}": it did not come within ${words.duration(ask.within)}`
      if (reason === 'waiting')
        return `the campaign began to wait for an answer to the question "${ask.id}", at most until ${words.moment(String(detail?.until))}`
      if (detail?.question !== undefined)
        return `the question "${ask.id}" was not asked: ${words.reason(reason)}`
      return messageExplanation.en(asMessage(ask), told, words)
    },
  },
  schema: (steps) =>
    z.strictObject({
      ask: z
        .strictObject({
          ...messageShape,
          question: localisedTextSchema.describe(
            'What is asked, as the page says it on which it is answered. Nothing about the person: whoever has the link can read it.',
          ),
          within: positiveDurationSchema.describe(
            'How long an answer is waited for, such as `P2D`.',
          ),
          answers: z
            .array(answerSchema(steps))
            .min(1)
            .max(10)
            .refine(
              (answers) => new Set(answers.map(({ answer }) => answer)).size === answers.length,
              'expected answers with different names',
            )
            .refine(
              (answers) => ambiguousWordOf(answers) === undefined,
              'expected each word under one answer only, in all languages together',
            )
            .describe('The answers there are, each with what then happens.'),
          otherwise: steps.optional().describe('What happens when no answer comes in time.'),
        })
        .describe('What is asked.'),
    }),
  waits: true,
  parts: ({ ask }) => ({
    id: { name: ask.id, path: ['ask', 'id'] },
    message: asMessage(ask).message,
    templates: templatesOf(ask),
    moments: momentsOf(ask, 'ask'),
    messages: [{ path: ['ask', 'id'], id: ask.id }],
    arms: [
      ...ask.answers.map(({ answer, steps }, index) => ({
        path: ['ask', 'answers', index, 'steps'],
        label: answer,
        when: null,
        steps: steps ?? [],
      })),
      {
        path: ['ask', 'otherwise'],
        label: 'otherwise',
        when: null,
        steps: ask.otherwise ?? [],
      },
    ],
    fields: [
      statusFieldOf(ask),
      [
        `${ask.id}.answer`,
        {
          type: 'text',
          sensitivity: 'personal',
          required: false,
          values: ask.answers.map(({ answer }) => answer),
        },
      ],
    ],
  }),
  decide({ ask }, run) {
    const step = asMessage(ask)
    const times = messageTimes(step, run)
    if (times === null) return passBy(ask, run, 'moment_unknown')
    if (times.expiresAt <= run.context.now)
      return passBy(ask, run, times.outlastedBy ?? 'moment_passed')
    const [addressee] = addresseesOf(step.message, run)
    if (!addressee) return passBy(ask, run, 'recipient_by_age')
    planMessage(step, run, { times, addressee }, 'message_planned')
    return { waitUntil: endOf(ask, run) }
  },
  read({ ask }, name, { draft, enrolment }) {
    const newest = newestOf(draft, enrolment, ask.id)
    if (name === `${ask.id}.status`) return newest?.state
    // Of an older version it says nothing about this one.
    const isOfThis = newest?.entity?.version === enrolment.entity?.version
    return isOfThis ? (newest?.answer ?? undefined) : undefined
  },
  // What a move withdrew is asked anew in the version to which it led.
  hasBegun({ ask }, { draft, enrolment }) {
    const newest = newestOf(draft, enrolment, ask.id)
    return newest !== undefined && newest.reason !== 'moved_to_version'
  },
  waitsUntil: ({ ask }, run) => endOf(ask, run),
  beginsAnew: ({ question }) => (question === null ? null : 'always'),
  onReceipt({ ask }, run) {
    const { draft, enrolment, node } = run
    for (const { messageId, answer, entity, enrolmentId } of draft.intents.values()) {
      if (answer === null || messageId !== ask.id || enrolmentId !== enrolment.enrolmentId) continue
      if (entity?.version !== enrolment.entity?.version) continue
      const named = ask.answers.findIndex((each) => each.answer === answer)
      // Of an answer that this version does not know nobody said what follows.
      const arm = named < 0 ? ask.answers.length : named
      noteOf(draft, enrolment, 'answered', {
        detail: { step: node.path, question: ask.id, answer, arm },
      })
      return { goTo: node.arms[arm]?.first ?? node.next }
    }
    return null
  },
  onTimer({ ask }, run) {
    // It may have been put off by quiet hours, or have moved with its appointment.
    const waitUntil = endOf(ask, run)
    return waitUntil > run.context.now ? { waitUntil } : giveUp(ask, run)
  },
}

function answerCalled({ answers }: AskStep['ask'], detail: JsonObject | null) {
  const name = String(detail?.answer)
  return answers.find(({ answer }) => answer === name)?.says ?? { nl: name, en: name }
}

function answerSchema(steps: z.ZodType<Step[]>): z.ZodType<Answer> {
  const word = z
    .string()
    .min(1)
    .max(30)
    .refine((text) => wordOf(text) !== '', 'expected letters or digits')
    .refine((text) => !isStopWord(text), 'expected a word that does not ask us to stop')
  const words = z.array(word).min(1).max(10)
  return z
    .strictObject({
      answer: identifierSchema.describe(
        'Its name: templates show it as `answers.<name>.url` and `answers.<name>.word`, conditions ask for it as `enrolment.<id>.answer`.',
      ),
      says: localisedTextSchema.describe('What the button says on which it is pressed.'),
      words: z
        .strictObject({ nl: words.describe('In Dutch.'), en: words.describe('In English.') })
        .optional()
        .describe(
          'What somebody may write back by SMS; the first of each language is the one that messages show. Without it, this answer cannot be given by SMS.',
        ),
      steps: steps.optional().describe('What then happens.'),
    })
    .describe('An answer.')
}

/** The message that asks. */
function asMessage(ask: AskStep['ask']): MessageStep {
  return { message: { ...ask, question: questionOf(ask) } }
}

/** What a message keeps of it, so that whoever answers later is understood as the version they got. */
function questionOf({ question, answers }: AskStep['ask']): Question {
  return {
    text: question,
    answers: answers.map(
      ({ answer, says, words = null }): QuestionAnswer => ({ answer, says, words }),
    ),
  }
}

/** Until when an answer is waited for: a message has its time from when it is due. */
function endOf({ id, within }: AskStep['ask'], { draft, context, enrolment }: StepRun): Instant {
  const dueAt = newestOf(draft, enrolment, id)?.dueAt ?? context.now
  return addDuration(dueAt, within, timeZoneOf(draft, context))
}

/** Nobody can answer any more, so whoever has not been asked is not asked. */
function giveUp(ask: AskStep['ask'], run: StepRun): Onward {
  const { draft, enrolment } = run
  const newest = newestOf(draft, enrolment, ask.id)
  if (newest && isPending(newest)) withdrawMessage(draft, enrolment, newest, 'not_answered')
  return passOver(ask, run, 'not_answered')
}

/** It is never asked, unless a newer version of its entity is. */
function passBy(ask: AskStep['ask'], run: StepRun, reason: ReasonCode): Onward {
  keepUnplanned(asMessage(ask), run)
  return passOver(ask, run, reason)
}

/** Nobody is waited for: what was never asked has not gone unanswered. */
function passOver({ id, answers }: AskStep['ask'], run: StepRun, reason: ReasonCode): Onward {
  const { draft, enrolment, node } = run
  noteOf(draft, enrolment, reason, { detail: { step: node.path, question: id } })
  return { goTo: node.arms[answers.length]?.first ?? node.next }
}

/** The answer that somebody gives who writes this, in any language; null for anything else. */
export function answerBy(text: string, { answers }: Question): string | null {
  const word = wordOf(text)
  const meant = answers.find(({ words }) =>
    localeNames.some((locale) => words?.[locale].some((each) => wordOf(each) === word)),
  )
  return meant?.answer ?? null
}

/** A word under two answers, which nobody could tell apart. */
function ambiguousWordOf(answers: readonly Answer[]): string | undefined {
  const seen = new Set<string>()
  for (const { words } of answers) {
    const own = new Set(localeNames.flatMap((locale) => (words?.[locale] ?? []).map(wordOf)))
    for (const word of own) {
      if (seen.has(word)) return word
      seen.add(word)
    }
  }
  return undefined
}
