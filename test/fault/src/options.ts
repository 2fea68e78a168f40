import { parseArgs } from 'node:util'
import type { Fault } from './fault.ts'

export type Options = {
  minutes: number
  faults: readonly Fault[]
  seed: string
  /** Where the rows are written as JSON, if anywhere. */
  json: string | null
  /** Keeps the rows with the project, and brings docs/guarantees.md up to them. */
  keep: boolean
  /** Breaks nothing: brings docs/guarantees.md up to what was kept. */
  document: boolean
  sideBySide: number
}

export const help = `pnpm test:fault -- [--minutes N] [--only NAME,…] [--seed S] [--json FILE]
                                  [--keep] [--document] [--side-by-side N]

Breaks a running system again and again, on real servers of its own, and holds what the providers
wrote down against what was acknowledged. Each fault gets at least one round, which takes some twenty
minutes for all of them; the time that is left goes to those that had the least. Ends with 1 when a
promise was broken.

  --minutes N       how long it begins new rounds (10)
  --only NAME,…     these faults alone
  --seed S          what chance hangs on; it is printed
  --json FILE       writes the rows as JSON
  --keep            keeps the rows in test/fault/results and shows them in docs/guarantees.md; of all
                    faults, so not beside --only
  --document        breaks nothing: shows in docs/guarantees.md what was kept
  --side-by-side N  how many systems are broken at the same time (3)`

/** Null when only help is wanted. @throws RangeError that tells what is wrong with a word */
export function readOptions(words: readonly string[], known: readonly Fault[]): Options | null {
  const { values } = parseArgs({
    // pnpm hands a `--` on as it is.
    args: words.filter((word) => word !== '--'),
    options: {
      minutes: { type: 'string', default: '10' },
      only: { type: 'string', multiple: true },
      seed: { type: 'string', default: 'wegwijs' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      document: { type: 'boolean', default: false },
      'side-by-side': { type: 'string', default: '3' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return null
  const names = values.only?.flatMap((list) => list.split(',')) ?? []
  const unknown = names.filter((name) => !known.some((fault) => fault.name === name))
  if (unknown.length > 0) {
    const all = known.map(({ name }) => name).join(', ')
    throw new RangeError(`there is no fault ${unknown.join(', ')}; there are ${all}`)
  }
  if (values.keep && names.length > 0) {
    throw new RangeError(
      '--keep is for a run of all faults: a part would take the place of the whole',
    )
  }
  return {
    minutes: numberIn('--minutes', values.minutes),
    faults: names.length === 0 ? known : known.filter(({ name }) => names.includes(name)),
    seed: values.seed,
    json: values.json ?? null,
    keep: values.keep,
    document: values.document,
    sideBySide: Math.max(1, Math.floor(numberIn('--side-by-side', values['side-by-side']))),
  }
}

function numberIn(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isFinite(number) || number < 0) throw new RangeError(`${name}: expected a number`)
  return number
}
