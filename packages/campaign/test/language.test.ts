import type { Condition } from '@wegwijs/campaign/condition'
import type { Field } from '@wegwijs/campaign/definition/field'
import { traceOf } from '@wegwijs/campaign/explain/condition-trace'
import { createWords } from '@wegwijs/campaign/explain/language'
import { operators, operatorsOf } from '@wegwijs/campaign/operators'
import { expect, test } from 'vitest'

const field = (over: Partial<Field>): Field => ({
  type: 'text',
  sensitivity: 'neutral',
  required: false,
  ...over,
})

const naming = {
  timeZone: 'Europe/Amsterdam',
  fields: new Map([
    [
      'person.age',
      field({
        type: 'number',
        label: { nl: 'leeftijd', en: 'age' },
        unit: { nl: 'jaar', en: 'years' },
      }),
    ],
    ['person.givenName', field({})],
    ['person.usesPortal', field({ type: 'boolean' })],
    ['event.startsAt', field({ type: 'instant' })],
    ['event.day', field({ type: 'date' })],
    ['event.kind', field({ valueLabels: { day: { nl: 'dagopname', en: 'day admission' } } })],
    ['event.department', field({ sensitivity: 'health' })],
  ]),
  touchpoints: new Map([['care.visit.missed.v1', { nl: 'Niet gekomen', en: 'Did not come' }]]),
  showsHealth: false,
}
const nl = createWords('nl', naming)
const en = createWords('en', naming)

const facts = (data: Record<string, string | number | boolean>, times = 0) => ({
  read: (name: string) => data[name],
  now: '2026-03-02T09:00:00.000Z',
  timeZone: 'Europe/Amsterdam',
  timesOf: () => times,
})

function told(condition: Condition, data: Parameters<typeof facts>[0], times = 0) {
  const trace = traceOf(condition, facts(data, times))
  return [nl.because(trace), en.because(trace)]
}

const age = { 'person.age': 66 }
const soon = { 'event.startsAt': '2026-03-12T08:30:00.000Z' }
const kind = { 'event.kind': 'day' }

test.each<[Condition, Parameters<typeof facts>[0], string, string]>([
  [
    { field: 'person.age', op: 'eq', value: 70 },
    age,
    'leeftijd was 66 jaar (gevraagd: 70 jaar)',
    'age was 66 years (asked: 70 years)',
  ],
  [
    { field: 'event.kind', op: 'neq', value: 'day' },
    kind,
    'kind was "dagopname" (gevraagd: iets anders dan "dagopname")',
    'kind was "day admission" (asked: anything but "day admission")',
  ],
  [
    { field: 'event.kind', op: 'in', value: ['day', 'night', 'week'] },
    kind,
    'kind was "dagopname" (gevraagd: "dagopname", "night" of "week")',
    'kind was "day admission" (asked: "day admission", "night" or "week")',
  ],
  [
    { field: 'event.kind', op: 'notIn', value: ['night'] },
    kind,
    'kind was "dagopname" (gevraagd: niet "night")',
    'kind was "day admission" (asked: not "night")',
  ],
  [
    { field: 'person.age', op: 'lt', value: 65 },
    age,
    'leeftijd was 66 jaar (gevraagd: minder dan 65 jaar)',
    'age was 66 years (asked: less than 65 years)',
  ],
  [
    { field: 'person.age', op: 'lte', value: 65 },
    age,
    'leeftijd was 66 jaar (gevraagd: hoogstens 65 jaar)',
    'age was 66 years (asked: at most 65 years)',
  ],
  [
    { field: 'person.age', op: 'gt', value: 66 },
    age,
    'leeftijd was 66 jaar (gevraagd: meer dan 66 jaar)',
    'age was 66 years (asked: more than 66 years)',
  ],
  [
    { field: 'event.startsAt', op: 'gte', value: '2026-03-13T09:00:00.000Z' },
    soon,
    'startsAt was 12 maart 2026 om 09:30 (gevraagd: vanaf 13 maart 2026 om 10:00)',
    'startsAt was 12 March 2026 at 09:30 (asked: no earlier than 13 March 2026 at 10:00)',
  ],
  [
    { field: 'event.day', op: 'lt', value: '2026-03-01' },
    { 'event.day': '2026-03-02' },
    'day was 2 maart 2026 (gevraagd: vóór 1 maart 2026)',
    'day was 2 March 2026 (asked: before 1 March 2026)',
  ],
  [
    { field: 'person.age', op: 'between', value: [12, 16] },
    age,
    'leeftijd was 66 jaar (gevraagd: van 12 jaar tot en met 16 jaar)',
    'age was 66 years (asked: from 12 years to 16 years)',
  ],
  [
    { field: 'event.kind', op: 'contains', value: 'ay' },
    kind,
    'kind was "dagopname" (gevraagd: iets met "ay" erin)',
    'kind was "day admission" (asked: something with "ay" in it)',
  ],
  [
    { field: 'event.kind', op: 'startsWith', value: 'd' },
    kind,
    'kind was "dagopname" (gevraagd: iets dat begint met "d")',
    'kind was "day admission" (asked: something that begins with "d")',
  ],
  [
    { field: 'event.startsAt', op: 'within', value: 'P3D' },
    soon,
    'startsAt was 12 maart 2026 om 09:30 (gevraagd: in de 3 dagen erna)',
    'startsAt was 12 March 2026 at 09:30 (asked: within the 3 days after)',
  ],
  [
    { field: 'event.startsAt', op: 'within', value: '-P1DT12H' },
    soon,
    'startsAt was 12 maart 2026 om 09:30 (gevraagd: in de 1 dag en 12 uur ervoor)',
    'startsAt was 12 March 2026 at 09:30 (asked: within the 1 day and 12 hours before)',
  ],
  [
    { field: 'event.startsAt', op: 'daysUntil', value: [0, 7] },
    soon,
    'startsAt was 12 maart 2026 om 09:30 (gevraagd: over 0 tot en met 7 dagen)',
    'startsAt was 12 March 2026 at 09:30 (asked: 0 to 7 days ahead)',
  ],
  [
    { field: 'person.usesPortal', op: 'exists', value: false },
    { 'person.usesPortal': true },
    'usesPortal was ja (gevraagd: dat het niet bekend is)',
    'usesPortal was yes (asked: that it is not known)',
  ],
  [
    { field: 'person.age', op: 'gte', value: 18 },
    {},
    'leeftijd was niet bekend (gevraagd: minstens 18 jaar)',
    'age was not known (asked: at least 18 years)',
  ],
])('%j', (condition, data, dutch, english) => {
  expect(told(condition, data)).toEqual([dutch, english])
})

test('every operator is told of in both languages', () => {
  for (const [type, ops] of Object.entries(operatorsOf))
    for (const op of ops) {
      const asked = { field: 'event.x', op, value: op === 'within' ? 'P1D' : [1, 2] } as Condition
      expect([type, nl.condition(asked), en.condition(asked)].join()).not.toContain('undefined')
    }
  expect(new Set(Object.values(operatorsOf).flat())).toEqual(new Set(operators))
})

test('how often something happened is told with its window', () => {
  const missed: Condition = {
    happened: { touchpoint: 'care.visit.missed.v1', within: 'P90D', times: { atLeast: 2 } },
  }
  expect(told(missed, {}, 1)).toEqual([
    '"Niet gekomen" was in de laatste 90 dagen 1 keer gebeurd (gevraagd: minstens 2 keer)',
    '"Did not come" had happened once in the last 90 days (asked: at least 2 times)',
  ])
  expect(nl.condition(missed)).toBe('"Niet gekomen": minstens 2 keer (90 dagen)')
})

test('what tells of health, or of how often something of it happened, is left out', () => {
  const department: Condition = { field: 'event.department', op: 'eq', value: 'cardiology' }
  expect(told(department, { 'event.department': 'cardiology' })).toEqual([
    'department voldeed (de waarde is weggelaten)',
    'department did fit (its value is left out)',
  ])
  const often: Condition = {
    happened: { touchpoint: 'care.visit.missed.v1', within: 'P9D', where: department },
  }
  expect(told(often, {}, 3)[0]).toBe('"Niet gekomen" voldeed (de waarde is weggelaten)')
  const open = createWords('nl', { ...naming, showsHealth: true })
  const trace = traceOf(department, facts({ 'event.department': 'surgery' }))
  expect(open.because(trace)).toBe('department was "surgery" (gevraagd: "cardiology")')
})

test('of what must not be so, it is told that it was asked not to be', () => {
  const not: Condition = { not: { field: 'person.usesPortal', op: 'eq', value: true } }
  expect(told(not, {})).toEqual([
    'usesPortal was niet bekend (gevraagd: niet ja)',
    'usesPortal was not known (asked: not yes)',
  ])
  expect(told({ not }, { 'person.usesPortal': true })[1]).toBe('usesPortal was yes (asked: yes)')
  const elsewhere: Condition = {
    not: { field: 'event.department', op: 'eq', value: 'cardiology' },
  }
  expect(told(elsewhere, { 'event.department': 'surgery' })[1]).toBe(
    'department did fit (its value is left out)',
  )
})

test('names are never shown, nor what no catalogue knows', () => {
  const open = createWords('en', { ...naming, showsHealth: true })
  const name: Condition = { field: 'person.givenName', op: 'eq', value: 'Anna' }
  const trace = traceOf(name, facts({ 'person.givenName': 'Anna' }))
  expect(open.because(trace)).toBe('givenName did fit (its value is left out)')
  expect(open.value('person.givenName', 'Anna')).toBe('(left out)')
  expect(en.value('event.unheard', 'of')).toBe('(left out)')
})

test('a condition says what it asks, with what belongs together', () => {
  const condition: Condition = {
    all: [
      { field: 'person.age', op: 'gte', value: 18 },
      {
        any: [
          { field: 'person.usesPortal', op: 'eq', value: true },
          { not: { field: 'event.kind', op: 'eq', value: 'day' } },
        ],
      },
    ],
  }
  expect(nl.condition(condition)).toBe(
    'leeftijd: minstens 18 jaar en (usesPortal: ja of niet (kind: "dagopname"))',
  )
})

test('an hour that clocks show twice is told with its offset', () => {
  expect(nl.moment('2026-10-25T00:30:00.000Z')).toBe('25 oktober 2026 om 02:30 (+02:00)')
  expect(nl.moment('2026-10-25T01:30:00.000Z')).toBe('25 oktober 2026 om 02:30 (+01:00)')
  expect(en.moment('2026-03-29T01:30:00.000Z')).toBe('29 March 2026 at 03:30')
})
