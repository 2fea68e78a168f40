import { yearOf } from '@wegwijs/campaign/instant'
import type { Question } from '@wegwijs/campaign/state'
import { isFailure } from '@wegwijs/runtime/failure'
import type { ChannelName, CompiledTemplate, Rendered, Renderer } from './template.ts'

/** What is known of the person and of what the message is about, when it is written. */
export type ContentFacts = {
  person: {
    fields: Readonly<Record<string, unknown>>
    locale: string | null
    timeZone: string | null
    persona: string | null
    journeys: Readonly<Record<string, { phase?: string }>>
  }
  /** Who gets it, where that is somebody else; it is then written in their language and zone. */
  recipient?: {
    as: string
    fields: Readonly<Record<string, unknown>>
    locale: string | null
    timeZone: string | null
  } | null
  /** Data of the event that began the run. */
  event: Readonly<Record<string, unknown>>
  /** Data of the entity that the message hangs on. */
  entity: Readonly<Record<string, unknown>>
  /** State of the newest message of the run, by id of the step. */
  statuses: Readonly<Record<string, string>>
  /** Business time at which it is written, an ISO instant. */
  at: string
  /** What it asks, of a message that can be answered. */
  question: Question | null
  /** Where it is answered: the page of this answer, or of all of them. */
  answerUrl(answer?: string): string
}

/** What the organisation's definition says for whoever has said nothing. */
export type ContentRules = {
  organisation: Readonly<Record<string, unknown>>
  locale: string
  timeZone: string
}

/** `template_variable_missing`: the code of what is wrong, and nothing of the data (P7). */
export type ContentFault = { fault: string }

/** Writes one message for one channel in the language of whoever gets it, or says why it cannot be made. */
export function writeContent(
  facts: ContentFacts,
  channel: ChannelName,
  rules: ContentRules,
  {
    template,
    renderer,
  }: { template: Pick<CompiledTemplate, 'id' | 'channels'>; renderer: Renderer },
): Rendered | ContentFault {
  try {
    return renderer.render(template, {
      channel,
      locale: (facts.recipient ?? facts.person).locale ?? rules.locale,
      defaultLocale: rules.locale,
      timeZone: (facts.recipient ?? facts.person).timeZone ?? rules.timeZone,
      data: dataOf(facts, rules),
    })
  } catch (error) {
    if (isFailure(error)) return { fault: error.code.replace(/^WEGWIJS_/, '').toLowerCase() }
    return { fault: 'template_failed' }
  }
}

/** What a template may name, under the roots of the field catalogue. */
function dataOf(facts: ContentFacts, rules: ContentRules): Record<string, unknown> {
  const { person } = facts
  const timeZone = person.timeZone ?? rules.timeZone
  const { birthYear } = person.fields
  return {
    person: {
      ...person.fields,
      persona: person.persona,
      locale: person.locale ?? rules.locale,
      ...(typeof birthYear === 'number' ? { age: yearOf(facts.at, timeZone) - birthYear } : {}),
    },
    recipient: recipientOf(facts),
    event: facts.event,
    entity: facts.entity,
    organisation: rules.organisation,
    ...answersOf(facts, person.locale ?? rules.locale),
    enrolment: Object.fromEntries(
      Object.entries(facts.statuses).map(([id, status]) => [id, { status }]),
    ),
    journey: Object.fromEntries(
      Object.entries(person.journeys).map(([id, { phase }]) => [id, { phase }]),
    ),
  }
}

/** `question.text`, `question.url`, and of each answer its `url`, what it `says` and the `word` for it. */
function answersOf({ question, answerUrl }: ContentFacts, locale: string): Record<string, unknown> {
  if (question === null) return {}
  const own = locale.startsWith('nl') ? 'nl' : 'en'
  return {
    question: { text: question.text[own], url: answerUrl() },
    answers: Object.fromEntries(
      question.answers.map(({ answer, says, words }) => [
        answer,
        {
          url: answerUrl(answer),
          says: says[own],
          ...(words ? { word: words[own][0] } : {}),
        },
      ]),
    ),
  }
}

/** As what they get it, and their names: whatever else is known of them is nothing for a message about another. */
function recipientOf({ person, recipient }: ContentFacts): Record<string, unknown> {
  const { givenName, familyName } = (recipient ?? person).fields
  return {
    as: recipient?.as ?? 'person',
    ...(givenName !== undefined && { givenName }),
    ...(familyName !== undefined && { familyName }),
  }
}
