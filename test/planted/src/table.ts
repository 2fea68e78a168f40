import type { PlantedBug } from './bugs.ts'
import type { Hunt } from './hunt.ts'

/** The two lines above the table. */
export function headOf(bugs: readonly Pick<PlantedBug, 'name'>[]): string[] {
  const width = widthOf(bugs)
  const head = lineOf(width, ['bug', 'promise', 'seed', 'seeds', 'within', 'seconds', 'violation'])
  return [head, '-'.repeat(head.length)]
}

export function rowOf(hunt: Hunt, bugs: readonly Pick<PlantedBug, 'name'>[]): string {
  const { bug, result, seed, seeds, kind, seconds } = hunt
  const words = { found: kind ?? '', missed: 'NOT FOUND', strayed: 'THE SIMULATION FAILED' }
  return lineOf(widthOf(bugs), [
    bug.name,
    bug.promise,
    seed === null ? '-' : String(seed),
    String(seeds),
    String(bug.foundWithin),
    seconds.toFixed(1),
    words[result],
  ])
}

function widthOf(bugs: readonly Pick<PlantedBug, 'name'>[]): number {
  return Math.max(3, ...bugs.map(({ name }) => name.length))
}

function lineOf(width: number, [name = '', promise = '', ...rest]: readonly string[]): string {
  const violation = rest.at(-1) ?? ''
  const figures = rest.slice(0, -1).map((figure) => figure.padStart(7))
  return [name.padEnd(width), promise.padEnd(7), ...figures, violation].join('  ')
}
