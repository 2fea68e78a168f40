import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withMadePart } from '@wegwijs/test-support/made-part'
import type { Rule } from './model.ts'
import { boundOf, type Row, rules } from './table.ts'

const fileAt = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** The page that shows what was kept. */
export const guarantees = fileAt('docs/guarantees.md')
export const keptFaults = fileAt('test/fault/results/last.json')
const keptSimulation = fileAt('test/sim/results/last.json')

/** What a kept run of `pnpm test:fault` came to. */
export type FaultRun = { at: string; commit: string; seed: string; rows: readonly Row[] }

/** What a kept run of `pnpm test:sim -- --keep` came to: so many stories, of seeds in a row. */
export type SimulationRun = {
  at: string
  commit: string
  seeds: number
  firstSeed: number | null
  lastSeed: number | null
  situations: number
  failedSeed: number | null
  seedsPerMinute: number
}

/** The page and the kept runs. @throws Error when no run of the faults was kept */
export function readKept() {
  const read = <Kept>(file: string): Kept => JSON.parse(readFileSync(file, 'utf8'))
  return {
    document: readFileSync(guarantees, 'utf8'),
    faults: read<FaultRun>(keptFaults),
    simulation: existsSync(keptSimulation) ? read<SimulationRun>(keptSimulation) : null,
  }
}

const madeBy = 'pnpm test:fault -- --document'

/** docs/guarantees.md with what the kept runs came to. @throws Error when a place for it is missing */
export function withFigures(
  document: string,
  run: FaultRun,
  simulation: SimulationRun | null,
): string {
  const figures: Readonly<Record<string, string>> = {
    P1: counted(run, simulation, 'lost', 'lost'),
    P2: `${counted(run, simulation, 'doubled', 'sent twice unmarked')} ${unknownOutcomes(run)}`,
    P3: counted(run, simulation, 'afterStop', 'sent after a stop that was answered'),
    P6: counted(run, simulation, 'outOfOrder', 'out of their order'),
    run: [
      tableOf(run),
      ...(simulation === null ? [] : [originOf(simulation)]),
      ...measuredIn(run),
    ].join('\n'),
  }
  return Object.entries(figures).reduce(
    (text, [name, figure]) => withMadePart(text, { name, madeBy, text: figure }),
    document,
  )
}

function counted(
  { rows }: FaultRun,
  simulation: SimulationRun | null,
  rule: Rule,
  what: string,
): string {
  const cases = sumOf(rows, ({ judged }) => judged[rule])
  const kills = sumOf(rows, (row) => row.kills)
  const broken = sumOf(rows, (row) => row[rule])
  const bound = boundOf(broken, cases)
  const share = bound === null ? '' : ` (with 95 % certainty fewer than one in ${group(1 / bound)})`
  const counts =
    cases === 0 && broken === 0
      ? `it was not counted how many messages could have been ${what}, and none was`
      : `of ${group(cases)} messages that could have been, ${group(broken)} were ${what}${share}`
  const faults = `Under ${rows.length} faults with ${group(kills)} blows, ${counts}.`
  return simulation === null ? faults : `${faults} ${storiesOf(simulation)}`
}

function storiesOf({ seeds, situations, failedSeed }: SimulationRun): string {
  const broken = failedSeed === null ? 'none' : 'one'
  return `Of ${group(seeds)} simulated stories of ${situations} situations ${broken} broke a promise.`
}

function unknownOutcomes({ rows }: FaultRun): string {
  const held = sumOf(rows, (row) => row.held)
  const marked = sumOf(rows, (row) => row.marked)
  return `Into the window fell ${group(held)} that are held and ${group(marked)} marked repeats.`
}

const heading = [
  ['on', 'fault', 'rounds', 'blows', 'work in flight', 'messages', 'lost', 'doubled'],
  ['after a stop', 'out of order', 'marked', 'held', 'broken', 'recovery'],
].flat()

function tableOf({ rows, at, commit, seed }: FaultRun): string {
  const lines = rows.map((row) => {
    const { undecided, planned, queued, sending } = row.inFlight
    const inFlight = group(undecided + planned + queued + sending)
    const hit = [row.on, row.title, row.rounds, row.kills, inFlight, group(row.asked)]
    const broken = rules.map((rule) => brokenOf(row, rule))
    const recovery = row.recoveryMs === null ? '' : `${(row.recoveryMs / 1_000).toFixed(1)} s`
    return line([...hit, ...broken, row.marked, row.held, row.violations.length, recovery])
  })
  const origin = `<sub>${at.slice(0, 10)}, commit ${commit}, seed ${seed}.</sub>`
  return [line(heading), line(heading.map(() => '---')), ...lines, '', origin].join('\n')
}

/** A second table: what each fault measured itself, in its own words. */
function measuredIn({ rows }: FaultRun): string[] {
  const lines = rows.flatMap(({ on, title, figures }) => {
    const told = Object.entries(figures).map(([name, figure]) => `${name}: ${group(figure)}`)
    return told.length === 0 ? [] : [line([on, title, told.join('; ')])]
  })
  if (lines.length === 0) return []
  return ['', line(['on', 'fault', 'what it measured']), line(['---', '---', '---']), ...lines]
}

function line(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`
}

/** `0 of 1,200, < 2.5e-3`: broken, of so many, and the bound of a zero; a dash where there was no case. */
function brokenOf(row: Row, rule: Rule): string {
  const cases = row.judged[rule]
  if (cases === 0 && row[rule] === 0) return '–'
  const bound = boundOf(row[rule], cases)
  const share = bound === null ? '' : `, < ${bound.toExponential(1)}`
  return `${group(row[rule])} of ${group(cases)}${share}`
}

function originOf({ at, commit, firstSeed, lastSeed }: SimulationRun): string {
  return `<sub>The simulated stories: ${at.slice(0, 10)}, commit ${commit}, seeds ${firstSeed} to ${lastSeed}.</sub>`
}

function sumOf(rows: readonly Row[], pick: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + pick(row), 0)
}

/** 12345.6 → 12,345 */
function group(number: number): string {
  return Math.floor(number).toLocaleString('en')
}
