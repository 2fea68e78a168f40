import type { PoliciesFile } from '@wegwijs/campaign/definition/policies'
import { localeNames } from '@wegwijs/campaign/definition/words'
import {
  costOfLetter,
  costOfLetters,
  lettersOutsideGsm,
  plainText,
} from '@wegwijs/template/sms-size'
import { type KnownValues, smsTextOf } from '@wegwijs/template/sms-text'
import type { Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { type MessageAt, messagesOf } from './message-templates.ts'
import { about, isMended, type Loaded, type Parts } from './parts.ts'
import { channelsOf } from './template-channels.ts'

/** What templates show of the organisation, by path. */
export function organisationShown({ organisation }: PoliciesFile): KnownValues {
  const entries = Object.entries(organisation)
  return Object.fromEntries(entries.map(([name, value]) => [`organisation.${name}`, value]))
}

/**
 * Values that the definition knows, and that have a letter by which an SMS holds less: told once, where the value
 * stands, with what it costs the longest SMS that shows it. What a template's own letters cost, that tells.
 */
export function lettersInValues(parts: Parts): Fault[] {
  const shown = parts.campaigns
    .flatMap((campaign) => messagesOf(campaign, parts))
    .filter((at) => channelsOf(at).includes('sms'))
    .flatMap((at) => textsOf(at, parts))
    .flatMap((text) => text.values.flatMap((value) => costIn(text, value)))
  const byPlace = new Map<string, Cost[]>()
  for (const cost of shown) {
    const { loaded, path } = cost.value
    const place = [loaded.source.file, ...path].join('\n')
    byPlace.set(place, [...(byPlace.get(place) ?? []), cost])
  }
  return [...byPlace.values()].flatMap((costs) =>
    warningsOf(costs.reduce((longest, each) => (each.length > longest.length ? each : longest))),
  )
}

/** What stands at `path` of a file, and which variable shows it. */
type Value = { variable: string; text: string; loaded: Loaded<unknown>; path: Path }

type Text = { file: string; source: string; values: readonly Value[] }

function textsOf(at: MessageAt, parts: Parts): Text[] {
  const content = parts.templates.get(at.template)?.compiled?.channels.sms?.content
  const { policies } = parts
  if (!content || !policies || isMended(policies, ['organisation'])) return []
  const organisation = Object.entries(organisationShown(policies.value)).map(
    ([variable, text]): Value => ({ variable, text, loaded: policies, path: variable.split('.') }),
  )
  return localeNames.flatMap((locale) => {
    const read = content[locale] ? locale : policies.value.locale
    const source = content[read]?.text
    if (source === undefined) return []
    const file = `templates/${at.template}/sms.${read}.hbs`
    return [{ file, source, values: [...organisation, ...valuesOfQuestion(at, locale)] }]
  })
}

function valuesOfQuestion(
  { campaign: loaded, message: { question }, path }: MessageAt,
  locale: (typeof localeNames)[number],
): Value[] {
  if (!question) return []
  const value = (variable: string, text: string | undefined, inside: Path): Value[] =>
    text === undefined ? [] : [{ variable, text, loaded, path: [...path, ...inside] }]
  return [
    ...value('question.text', question.text[locale], ['question', locale]),
    ...question.answers.flatMap(({ answer, says, words }, index) => [
      ...value(`answers.${answer}.says`, says[locale], ['answers', index, 'says', locale]),
      ...value(`answers.${answer}.word`, words?.[locale][0], [
        ...['answers', index],
        ...['words', locale, 0],
      ]),
    ]),
  ]
}

type Cost = { value: Value; file: string; length: number; parts: number; without: number }

/** By itself, with all else in plain letters: each cause is told of what it costs alone. */
function costIn({ file, source, values }: Text, value: Value): Cost[] {
  if (lettersOutsideGsm(value.text).length === 0) return []
  const known = values.map((each) => [
    each.variable,
    each === value ? each.text : plainText(each.text),
  ])
  const { text, isWhole } = smsTextOf(plainText(source), Object.fromEntries(known))
  const { parts, without } = costOfLetters(text)
  const isShown = text.includes(value.text)
  return isShown && !(isWhole && parts === without)
    ? [{ value, file, length: text.length, parts, without }]
    : []
}

function warningsOf({ value, file, parts, without }: Cost): Fault[] {
  const { variable, text, loaded, path } = value
  const cost =
    parts > without
      ? `and the longest (${file}) ${parts} parts instead of ${without}`
      : `the longest (${file}) is ${parts} part${parts === 1 ? '' : 's'} before its other values are put in`
  const does = `makes every SMS with {{${variable}}} hold 70 characters instead of 160, ${cost}`
  return lettersOutsideGsm(text).map((letter) =>
    about(loaded, path, { message: costOfLetter(letter, does) }),
  )
}
