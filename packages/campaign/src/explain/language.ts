import { Temporal } from 'temporal-polyfill'
import { nameFields } from '../catalogue.ts'
import { type Condition, type LeafTrace, leavesOf } from '../condition.ts'
import type { Field } from '../definition/field.ts'
import type { LocaleName } from '../definition/words.ts'
import type { Happened } from '../happened.ts'
import type { Instant } from '../instant.ts'
import type { Operator } from '../operators.ts'
import { reasons } from '../reasons.ts'
import { asked, askedOften, listed } from './asked.ts'
import { type ConditionTrace, decidingLeaves } from './condition-trace.ts'
import type { InEachLanguage, Words } from './words.ts'

/** What an explanation is made of beside its language. */
export type Naming = {
  /** On whose clocks moments are told. */
  readonly timeZone: string
  /** The catalogue: what fields are called, and how telling they are. */
  readonly fields: ReadonlyMap<string, Field>
  /** What each type of event is called. */
  readonly touchpoints: ReadonlyMap<string, InEachLanguage<string>>
  /** Values of health are shown; without it they are left out (P7). */
  readonly showsHealth: boolean
}

/** The words of one language. Names of people are never among them (P7). */
export function createWords(locale: LocaleName, naming: Naming): Words {
  const { timeZone, fields, touchpoints } = naming
  const speech = speeches[locale]
  const moment = (instant: Instant) => tellMoment(instant, timeZone, locale)
  const duration = (text: string) => tellDuration(text, locale)
  const field = (name: string) => fields.get(name)?.label?.[locale] ?? bareName(name)
  const written = (name: string, of: unknown) =>
    tellValue(of, fields.get(name), { locale, timeZone })
  const value = (name: string, of: unknown) =>
    isHidden(name, naming) ? speech.leftOut : written(name, of)
  const askedOf = (op: Operator, leaf: Pick<LeafTrace, 'field' | 'expected'>) => {
    const { type } = fields.get(leaf.field) ?? {}
    // `within` and `daysUntil` take no values of the field.
    const values = () => [leaf.expected].flat().map((each) => written(leaf.field, each))
    const isTime = type === 'instant' || type === 'date'
    return asked[locale][op]({
      value: leaf.expected,
      get values() {
        return values()
      },
      isTime,
      duration,
    })
  }
  const touchpoint = (type: string) => `"${touchpoints.get(type)?.[locale] ?? type}"`
  const often = ({ within, times = { atLeast: 1 }, where }: Omit<Happened, 'touchpoint'>) => {
    const which = where ? `, ${speech.where} ${condition(where)}` : ''
    return `${askedOften[locale].times(times)}${which} (${duration(within)})`
  }
  const seenOf = (leaf: LeafTrace, isNegated: boolean) => {
    const isLeftOut = isLeafHidden(leaf, naming)
    const verdict = `${leaf.holds !== isNegated ? speech.fits : speech.fitsNot} (${speech.valueLeftOut})`
    // Without it a sentence says that something began because a field was not what was asked.
    const asks = isNegated ? `${speech.asked}: ${speech.not}` : `${speech.asked}:`
    if (leaf.op === 'happened') {
      const expected = leaf.expected as Omit<Happened, 'touchpoint'>
      const name = touchpoint(leaf.field)
      if (isLeftOut) return `${name} ${verdict}`
      const { happened, times } = askedOften[locale]
      const count = happened(name, Number(leaf.actual), duration(expected.within))
      const which = expected.where ? `, ${speech.where} ${condition(expected.where)}` : ''
      return `${count}${which} (${asks} ${times(expected.times ?? { atLeast: 1 })})`
    }
    const name = field(leaf.field)
    if (isLeftOut) return `${name} ${verdict}`
    const what =
      leaf.actual === null ? speech.unknown : `${speech.was} ${value(leaf.field, leaf.actual)}`
    return `${name} ${what} (${asks} ${askedOf(leaf.op, leaf)})`
  }
  const seen = (leaf: LeafTrace) => seenOf(leaf, false)
  const condition = (of: Condition): string => {
    if ('all' in of) return listed(of.all.map(nested), speech.and)
    if ('any' in of) return listed(of.any.map(nested), speech.or)
    if ('not' in of) return `${speech.not} (${condition(of.not)})`
    if ('happened' in of) return `${touchpoint(of.happened.touchpoint)}: ${often(of.happened)}`
    return `${field(of.field)}: ${askedOf(of.op, { field: of.field, expected: of.value })}`
  }
  const nested = (of: Condition) =>
    'all' in of || 'any' in of ? `(${condition(of)})` : condition(of)
  return {
    moment,
    duration,
    field,
    shows: (name) => !isHidden(name, naming),
    value,
    written,
    condition,
    touchpoint,
    because: (trace: ConditionTrace) => {
      const leaves = decidingLeaves(trace)
      return listed(
        leaves.map((leaf) => seenOf(leaf, leaf.isNegated)),
        speech.and,
      )
    },
    seen,
    reason: (code) => reasons[code].text[locale],
  }
}

/** What nobody shows: names never, health only to whoever asks for it, and what no catalogue knows. */
export function isHidden(
  name: string,
  { fields, showsHealth }: Pick<Naming, 'fields' | 'showsHealth'>,
): boolean {
  if (nameFields.has(name)) return true
  return !showsHealth && (fields.get(name)?.sensitivity ?? 'health') === 'health'
}

/** How often something happened tells of what it was about, as far as the condition asks for that. */
export function isLeafHidden(
  { field, op, expected }: LeafTrace,
  naming: Pick<Naming, 'fields' | 'showsHealth'>,
): boolean {
  if (op !== 'happened') return isHidden(field, naming)
  const { where } = expected as Omit<Happened, 'touchpoint'>
  return where !== undefined && leavesOf(where).some(({ leaf }) => isHidden(leaf.field, naming))
}

type Speech = Readonly<
  Record<
    | 'and'
    | 'or'
    | 'not'
    | 'was'
    | 'unknown'
    | 'asked'
    | 'leftOut'
    | 'fits'
    | 'fitsNot'
    | 'valueLeftOut'
    | 'where'
    | 'yes'
    | 'no',
    string
  >
>

const speeches: InEachLanguage<Speech> = {
  nl: {
    and: 'en',
    or: 'of',
    not: 'niet',
    was: 'was',
    unknown: 'was niet bekend',
    asked: 'gevraagd',
    leftOut: '(weggelaten)',
    where: 'met',
    fits: 'voldeed',
    fitsNot: 'voldeed niet',
    valueLeftOut: 'de waarde is weggelaten',
    yes: 'ja',
    no: 'nee',
  },
  en: {
    and: 'and',
    or: 'or',
    not: 'not',
    was: 'was',
    unknown: 'was not known',
    asked: 'asked',
    leftOut: '(left out)',
    where: 'with',
    fits: 'did fit',
    fitsNot: 'did not fit',
    valueLeftOut: 'its value is left out',
    yes: 'yes',
    no: 'no',
  },
}

/** `usesPortal` for `person.usesPortal`: what is best known of a field without a label. */
function bareName(name: string): string {
  return name.slice(name.indexOf('.') + 1)
}

function tellValue(
  value: unknown,
  field: Field | undefined,
  { locale, timeZone }: { locale: LocaleName; timeZone: string },
): string {
  if (typeof value === 'boolean') return speeches[locale][value ? 'yes' : 'no']
  if (typeof value === 'number') {
    const number = String(value).replace('.', locale === 'nl' ? ',' : '.')
    return field?.unit ? `${number} ${field.unit[locale]}` : number
  }
  if (typeof value !== 'string') return speeches[locale].unknown
  // What is stored may be of a time when the field was something else.
  if (field?.type === 'instant' && /^\d{4}-\d{2}-\d{2}T.*Z$/.test(value))
    return tellMoment(value, timeZone, locale)
  if (field?.type === 'date' && /^\d{4}-\d{2}-\d{2}$/.test(value))
    return tellDay(Temporal.PlainDate.from(value), locale)
  const label = field?.valueLabels?.[value]?.[locale]
  return label === undefined ? `"${value}"` : `"${label}"`
}

const months: InEachLanguage<readonly string[]> = {
  nl: [
    'januari',
    'februari',
    'maart',
    'april',
    'mei',
    'juni',
    'juli',
    'augustus',
    'september',
    'oktober',
    'november',
    'december',
  ],
  en: [
    'January',
    'February',
    'March',
    'April',
    'May',
    'June',
    'July',
    'August',
    'September',
    'October',
    'November',
    'December',
  ],
}

/** `13 maart 2026 om 10:00`; with the offset where clocks show it twice. */
export function tellMoment(instant: Instant, timeZone: string, locale: LocaleName): string {
  const zoned = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone)
  const plain = zoned.toPlainDateTime()
  const isTwice = (['earlier', 'later'] as const).some(
    (disambiguation) =>
      plain.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds !==
      zoned.epochMilliseconds,
  )
  const time = plain.toPlainTime().toString({ smallestUnit: 'minute' })
  const at = locale === 'nl' ? 'om' : 'at'
  return `${tellDay(plain.toPlainDate(), locale)} ${at} ${time}${isTwice ? ` (${zoned.offset})` : ''}`
}

function tellDay({ day, month, year }: Temporal.PlainDate, locale: LocaleName): string {
  return `${day} ${months[locale][month - 1]} ${year}`
}

const units: InEachLanguage<readonly (readonly [one: string, more: string])[]> = {
  nl: [
    ['jaar', 'jaar'],
    ['maand', 'maanden'],
    ['week', 'weken'],
    ['dag', 'dagen'],
    ['uur', 'uur'],
    ['minuut', 'minuten'],
    ['seconde', 'seconden'],
  ],
  en: [
    ['year', 'years'],
    ['month', 'months'],
    ['week', 'weeks'],
    ['day', 'days'],
    ['hour', 'hours'],
    ['minute', 'minutes'],
    ['second', 'seconds'],
  ],
}

/** `3 dagen`; how long it is, whichever way it counts. */
function tellDuration(text: string, locale: LocaleName): string {
  const { years, months, weeks, days, hours, minutes, seconds } = Temporal.Duration.from(text).abs()
  const parts = [years, months, weeks, days, hours, minutes, seconds].flatMap((count, index) => {
    const [one, more] = units[locale][index] ?? ['', '']
    return count === 0 ? [] : [`${count} ${count === 1 ? one : more}`]
  })
  return listed(parts, speeches[locale].and)
}
