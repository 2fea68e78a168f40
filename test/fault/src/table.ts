import type { Fault, InFlight } from './fault.ts'
import type { Judged, Rule } from './model.ts'
import type { RoundResult } from './round.ts'

/** What all rounds of one fault showed. */
export type Row = {
  fault: string
  on: string
  title: string
  rounds: number
  /** All of them together. */
  seconds: number
  kills: number
  inFlight: InFlight
  events: number
  asked: number
  accepted: number
  lost: number
  doubled: number
  afterStop: number
  outOfOrder: number
  marked: number
  held: number
  /** The longest. */
  recoveryMs: number | null
  figures: Readonly<Record<string, number>>
  violations: readonly string[]
  /** How many messages were held against each rule. */
  judged: Judged
}

/** In the order of the columns. */
export const rules = ['lost', 'doubled', 'afterStop', 'outOfOrder'] as const satisfies Rule[]

/** What a zero among `cases` says of their share, with 95 % certainty: 3/N. Null when it says nothing. */
export function boundOf(broken: number, cases: number): number | null {
  return broken === 0 && cases > 3 ? 3 / cases : null
}

export function rowOf({ name, on, title }: Fault, results: readonly RoundResult[]): Row {
  const sum = (pick: (result: RoundResult) => number) =>
    results.reduce((total, result) => total + pick(result), 0)
  const recoveries = results.flatMap(({ hit }) => hit.recoveryMs ?? [])
  return {
    fault: name,
    on,
    title,
    rounds: results.length,
    seconds: Math.round(sum(({ seconds }) => seconds)),
    kills: sum(({ hit }) => hit.kills),
    inFlight: {
      undecided: sum(({ hit }) => hit.inFlight.undecided),
      planned: sum(({ hit }) => hit.inFlight.planned),
      queued: sum(({ hit }) => hit.inFlight.queued),
      sending: sum(({ hit }) => hit.inFlight.sending),
    },
    events: sum(({ verdict }) => verdict.events),
    asked: sum(({ verdict }) => verdict.asked),
    accepted: sum(({ verdict }) => verdict.accepted),
    lost: sum(({ verdict }) => verdict.lost.length),
    doubled: sum(({ verdict }) => verdict.doubled.length + verdict.unasked.length),
    afterStop: sum(({ verdict }) => verdict.afterStop.length),
    outOfOrder: sum(({ verdict }) => verdict.outOfOrder.length),
    marked: sum(({ verdict }) => verdict.marked),
    held: sum(({ verdict }) => verdict.held),
    recoveryMs: recoveries.length === 0 ? null : Math.max(...recoveries),
    figures: largest(results.map(({ hit }) => hit.figures ?? {})),
    violations: results.flatMap(({ violations }) => violations),
    judged: {
      lost: sum(({ verdict }) => verdict.judged.lost),
      doubled: sum(({ verdict }) => verdict.judged.doubled),
      afterStop: sum(({ verdict }) => verdict.judged.afterStop),
      outOfOrder: sum(({ verdict }) => verdict.judged.outOfOrder),
    },
  }
}

function largest(figures: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const together: Record<string, number> = {}
  for (const [name, figure] of figures.flatMap((each) => Object.entries(each))) {
    together[name] = Math.max(figure, together[name] ?? figure)
  }
  return together
}

const heading = [
  ['on', 'fault', 'rounds', 'seconds', 'kills', 'undecided', 'queued', 'sending', 'messages'],
  ['lost', 'doubled', 'after a stop', 'out of order', 'marked', 'held', 'recovery'],
].flat()

/** The rows as a table of text; below each what it measured and what it broke. */
export function tableOf(rows: readonly Row[]): string[] {
  const cells = [heading, ...rows.map(cellsOf)]
  const widths = heading.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  )
  const lines = cells.map((line) =>
    line
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  return [...lines, '', ...rows.flatMap(notesOf)]
}

function cellsOf(row: Row): string[] {
  const { inFlight } = row
  const counts = [row.rounds, row.seconds, row.kills, inFlight.undecided]
  const waiting = [inFlight.planned + inFlight.queued, inFlight.sending, row.asked]
  return [
    row.on,
    row.fault,
    ...[...counts, ...waiting].map(String),
    ...rules.map((rule) => brokenOf(row, rule)),
    ...[row.marked, row.held].map(String),
    row.recoveryMs === null ? '-' : `${(row.recoveryMs / 1_000).toFixed(1)} s`,
  ]
}

/** `0/1200 <2.5e-3`: broken, of so many, and the bound of a zero; a dash where there was no case. */
function brokenOf(row: Row, rule: Rule): string {
  const cases = row.judged[rule]
  if (cases === 0 && row[rule] === 0) return '-'
  const bound = boundOf(row[rule], cases)
  return `${row[rule]}/${cases}${bound === null ? '' : ` <${bound.toExponential(1)}`}`
}

function notesOf({ fault, title, figures, violations }: Row): string[] {
  const told = Object.entries(figures).map(([name, figure]) => `${name}: ${figure}`)
  return [
    `${fault}: ${[title, ...told].join('; ')}`,
    ...violations.map((violation) => `  BROKEN: ${violation}`),
  ]
}
