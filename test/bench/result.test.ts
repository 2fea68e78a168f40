import { expect, it } from 'vitest'
import { drawCurves, withFigures } from './src/document.ts'
import { isReached, type Result } from './src/result.ts'
import { median, quantile, spread } from './src/statistics.ts'
import { shown, shownWithSpread, tableOf } from './src/table.ts'

const result: Result = {
  row: 'campaigns',
  title: 'Cost of an event',
  seconds: 12.4,
  surroundings: {
    at: '2026-03-01T10:00:00.000Z',
    commit: 'abc',
    machine: { cpu: 'A machine', cores: 2, memoryGb: 8, system: 'Linux', load: 0.1 },
    versions: { node: '24' },
    settings: { fsync: 'on', 'shared libraries': '' },
  },
  measured: {
    figures: [{ name: 'Wegwijs', unit: 'events/s', values: [900, 1_100, 1_000] }],
    checks: [
      { name: 'Wegwijs / bare', values: [0.5, 0.7, 0.6], target: { atLeast: 0.6 } },
      { name: '10,000 / 10', values: [1.31], target: { atMost: 1.3 } },
    ],
    cpu: [
      { name: 'Wegwijs', byProcess: { journey: 0.25, total: 0.5 } },
      { name: 'bare', byProcess: { 'bare intake': 0.05, total: 0.1 } },
    ],
    memory: [],
    curve: {
      title: 'Cost while the live campaigns grow',
      x: 'live campaigns',
      y: 'ms of CPU',
      series: [
        {
          name: 'an event',
          points: [
            { x: 10, y: 0.5 },
            { x: 10_000, y: 0.6 },
          ],
        },
      ],
    },
    notes: ['In turn.'],
  },
}

it('takes the middle, whatever the order, and the distance of the extremes as a share of it', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(quantile([10, 20, 30, 40, 50], 0.9)).toBe(46)
  expect(spread([90, 110, 100])).toBeCloseTo(0.2)
})

it('shows as many digits as a figure is worth', () => {
  expect([0.123, 12.34, 123.4, 12_345.6, Number.NaN].map(shown)).toEqual([
    '0.12',
    '12.3',
    '123',
    '12,346',
    '-',
  ])
  expect(shownWithSpread([900, 1_100, 1_000])).toBe('1,000 (spread 20 %)')
})

it('compares the middle of a check with its target, in its direction', () => {
  const reached = result.measured.checks.map((check) => isReached(check, median))
  expect(reached).toEqual([true, false])
})

it('prints figures, what is reached, and who used the machine', () => {
  expect(tableOf(result)).toBe(
    `campaigns: Cost of an event (12 s)
  Wegwijs                              1,000 (spread 20 %) events/s
  Wegwijs / bare                       0.60 (spread 33 %), to reach ≥ 0.6: reached
  10,000 / 10                          1.31 (spread 0 %), to reach ≤ 1.3: NOT REACHED
  CPU seconds per 1,000, Wegwijs: journey 0.25, total 0.50
  CPU seconds per 1,000, bare: bare intake 0.05, total 0.10
`.replace(' (spread 0 %)', ''),
  )
})

it('replaces the generated part of the document and nothing around it', () => {
  const before =
    'above\n<!-- figures: made by `pnpm bench -- --document` -->\nold\n<!-- /figures -->\nbelow\n'
  const made = withFigures(before, [result])
  expect(made).toMatch(/^above\n/)
  expect(made).toMatch(/<!-- \/figures -->\nbelow\n$/)
  expect(made).not.toContain('old')
  expect(made).toContain(
    '| [campaigns](#campaigns) | Cost of an event: 10,000 / 10 | 1.31 | ≤ 1.3 | **not reached** |',
  )
  expect(made).toContain('| journey | 0.25 |  |\n| total | 0.50 | 0.10 |')
  expect(made).toContain('fsync on, shared libraries empty')
  expect(withFigures(made, [result])).toBe(made)
  expect(() => withFigures('nothing here', [result])).toThrow('has no part')
})

it('draws the curve as an SVG that is the same every time', async () => {
  const [first, second] = [await drawCurves([result]), await drawCurves([result])]
  expect([...first.keys()]).toEqual(['performance-campaigns.svg'])
  expect(first.get('performance-campaigns.svg')).toMatch(/^<svg .*live campaigns.*<\/svg>\n$/s)
  expect(second).toEqual(first)
})
