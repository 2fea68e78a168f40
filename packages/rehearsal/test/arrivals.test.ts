import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arrivals, withArrival } from '../src/arrivals.ts'

const event = (id: string, time: string) => ({
  ...{ id, time, source: 'urn:test', type: 'care.x.v1', subject: 'A', data: {} },
})
const dayMs = 86_400_000
const on = (day: number) => new Date(Date.UTC(2026, 0) + day * dayMs).toISOString()

/** On which days these arrive, by their place in the list. */
function arrivalsOf(days: readonly number[]): number[] {
  const arriving = withArrival(days.map((day, place) => event(String(place), on(day))))
  expect(arriving.map(({ at }) => at)).toEqual(arriving.map(({ at }) => at).toSorted())
  const byPlace = arriving.toSorted((one, other) => Number(one.event.id) - Number(other.event.id))
  return byPlace.map(({ at }) => (Date.parse(at) - Date.UTC(2026, 0)) / dayMs)
}

/** The last day of 9999. */
const farOff = 2_912_443
const aHundred = Array.from({ length: 100 }, () => 3_000)

describe('an event arrives', () => {
  test.each<[string, number[], number[]]>([
    ['when it happened', [0, 2, 5], [0, 2, 5]],
    ['with what stands above it, when it is late', [0, 2, 1, 5], [0, 2, 2, 5]],
    ['though it is older than anybody remembers', [200, 201, 0, 202], [200, 201, 201, 202]],
    ['after a gap of half a year', [0, 1, 180, 181], [0, 1, 180, 181]],
    ['after a gap of a year, alone', [0, 1, 365], [0, 1, 365]],
    [
      'after some years in which nothing happened, with many others',
      [0, 1, ...aHundred],
      [0, 1, ...aHundred],
    ],
    ['long after one that is dated 1970', [-20_454, 0, 1, 2], [-20_454, 0, 1, 2]],
  ])('%s', (_, days, expected) => {
    expect(arrivalsOf(days)).toEqual(expected)
  })
})

describe('what cannot have happened yet arrives with what stands above it', () => {
  test.each<[string, number[], number[]]>([
    ['in the middle', [0, 1, farOff, 2, 3], [0, 1, 1, 2, 3]],
    ['at the end', [0, 1, 2, farOff], [0, 1, 2, 2]],
    ['and with what stands below it, at the beginning', [farOff, 1, 2], [1, 1, 2]],
    ['some days of it', [farOff, 1, farOff, farOff + 1, 2, 3, 4], [1, 1, 1, 1, 2, 3, 4]],
    ['half a year ahead', [0, 180, 1, 2], [0, 0, 1, 2]],
  ])('%s', (_, days, expected) => {
    expect(arrivalsOf(days)).toEqual(expected)
  })
})

const some = fc.array(fc.nat(700), { minLength: 3, maxLength: 250 })

test('one from the future changes the arrival of no other, wherever it stands', () => {
  fc.assert(
    fc.property(
      some,
      fc.nat(250),
      fc.integer({ min: 1_500, max: farOff }),
      (days, place, ahead) => {
        const history = days.toSorted((one, other) => one - other)
        const at = place % (history.length + 1)
        const found = arrivalsOf(history.toSpliced(at, 0, ahead))
        expect(found.toSpliced(at, 1)).toEqual(arrivalsOf(history))
        expect(found[at]).toBe(history[at - 1] ?? history[0])
      },
    ),
  )
})

test('whatever the list, each of it arrives once, and the same whole or in pieces', () => {
  const any = fc.array(fc.oneof(fc.nat(60), fc.nat(700), fc.nat(9_000)), { maxLength: 250 })
  fc.assert(
    fc.property(any, (days) => {
      const events = days.map((day, place) => event(String(place), on(day)))
      const arriving = withArrival(events)
      expect(new Set(arriving.map((each) => each.event))).toEqual(new Set(events))
      expect(arriving).toHaveLength(events.length)
      const arrivals = new Arrivals()
      const later = events.flatMap((each) => arrivals.add(each))
      expect([...later, ...arrivals.end()]).toEqual(arriving)
    }),
  )
})
