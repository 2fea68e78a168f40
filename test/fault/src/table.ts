import type { Fault, InFlight } from './fault.ts'
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
  /** What a zero among so many messages says of their share, with 95 % certainty: 3/N. */
  bound: number
}

export function rowOf({ name, on, title }: Fault, results: readonly RoundResult[]): Row {
  const sum = (pick: (result: RoundResult) => number) =>
    results.reduce((total, result) => total + pick(result), 0)
  const recoveries = results.flatMap(({ hit }) => hit.recoveryMs ?? [])
  const asked = sum(({ verdict }) => verdict.asked)
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
    asked,
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
    bound: asked === 0 ? 1 : Math.min(1, 3 / asked),
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
  ['lost', 'doubled', 'after a stop', 'out of order', 'marked', 'held', 'recovery', '95 % bound'],
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
  const outcomes = [row.lost, row.doubled, row.afterStop, row.outOfOrder, row.marked, row.held]
  return [
    row.on,
    row.fault,
    ...[...counts, ...waiting, ...outcomes].map(String),
    row.recoveryMs === null ? '-' : `${(row.recoveryMs / 1_000).toFixed(1)} s`,
    row.bound.toExponential(1),
  ]
}

function notesOf({ fault, title, figures, violations }: Row): string[] {
  const told = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`)
  return [
    `${fault}: ${[title, ...told].join('; ')}`,
    ...violations.map((violation) => `  BROKEN: ${violation}`),
  ]
}
