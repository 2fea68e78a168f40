import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  type FaultRun,
  keptFaults,
  readKept,
  type SimulationRun,
  withFigures,
} from './src/document.ts'
import type { Row } from './src/table.ts'

const row: Row = {
  fault: 'redis-killed',
  on: 'redis',
  title: 'Redis is killed',
  rounds: 2,
  seconds: 40,
  kills: 3,
  inFlight: { undecided: 1, planned: 2, queued: 3, sending: 4 },
  events: 400,
  asked: 1_200,
  accepted: 1_190,
  lost: 0,
  doubled: 0,
  afterStop: 1,
  outOfOrder: 0,
  marked: 5,
  held: 6,
  recoveryMs: 1_250,
  figures: { 'longest drain in ms': 1_230, 'commands refused': 20 },
  violations: ['sent after its stop was answered: p1'],
  judged: { lost: 1_200, doubled: 1_190, afterStop: 30, outOfOrder: 0 },
}
const run: FaultRun = { at: '2026-03-02T09:00:00.000Z', commit: 'abc', seed: 's', rows: [row] }
const simulation: SimulationRun = {
  at: '2026-03-01T09:00:00.000Z',
  commit: 'def',
  seeds: 900,
  firstSeed: 7,
  lastSeed: 906,
  situations: 41,
  failedSeed: null,
  seedsPerMinute: 30,
}
const place = (name: string) =>
  `<!-- figures ${name}: made by \`pnpm test:fault -- --document\` -->\nold\n<!-- /figures -->\n`
const page = ['P1', 'P2', 'P3', 'P6', 'run'].map(place).join('between\n')

test('each promise gets the figure that is its own, and a broken one is not passed over', () => {
  const told = withFigures(page, run, simulation)
  expect(told).not.toContain('old')
  expect(told.match(/^between$/gm)).toHaveLength(4)
  expect(told).toContain(
    'of 1,200 messages that could have been, 0 were lost (with 95 % certainty fewer than one in 400)',
  )
  expect(told).toContain('of 1,190 messages that could have been, 0 were sent twice unmarked (with')
  expect(told).toContain(
    'of 30 messages that could have been, 1 were sent after a stop that was answered.',
  )
  expect(told).toContain(
    'it was not counted how many messages could have been out of their order, and none was.',
  )
  expect(told).toContain('6 that are held and 5 marked repeats')
  expect(told).toContain('Of 900 simulated stories of 41 situations none broke a promise.')
  expect(told).toContain('simulated stories: 2026-03-01, commit def, seeds 7 to 906.')
  expect(told).toContain(
    '| redis | Redis is killed | longest drain in ms: 1,230; commands refused: 20 |',
  )
  expect(told).toContain(
    '| redis | Redis is killed | 2 | 3 | 10 | 1,200 | 0 of 1,200, < 2.5e-3 | 0 of 1,190, < 2.5e-3 | 1 of 30 | – | 5 | 6 | 1 | 1.3 s |',
  )
})

test('who measured nothing besides has no row among what was measured', () => {
  const told = withFigures(page, { ...run, rows: [{ ...row, figures: {} }] }, simulation)
  expect(told).not.toContain('what it measured')
})

test('a page without a place for a figure is a fault', () => {
  expect(() => withFigures('nothing', run, null)).toThrow('figures P1')
})

// Before the first run was kept there is nothing that the page could differ from.
if (existsSync(keptFaults)) {
  test('docs/guarantees.md shows the kept runs', () => {
    const { document, faults, simulation } = readKept()
    expect(withFigures(document, faults, simulation)).toBe(document)
    // What was kept by something older may lack what is shown.
    expect(document).not.toMatch(/\b(undefined|null|NaN|Invalid)\b/)
  })
}
