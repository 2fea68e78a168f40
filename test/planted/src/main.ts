import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startStack } from '@wegwijs/local/stack'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { type PlantedBug, readBugs } from './bugs.ts'
import { type Hunt, huntBug } from './hunt.ts'
import { keepHunts } from './kept.ts'
import { headOf, rowOf } from './table.ts'

const usage = `Plants each bug of test/planted/bugs in a copy of the tree, and says within how many seeds the
simulation finds it. Exits 1 when one is not found within its number, or does not apply any more.

  --only NAME   this bug alone; may be repeated
  --from SEED   the first seed (1)
  --beside N    how many are hunted at the same time (2)
  --keep        keeps the result in test/planted/results, which docs/guarantees.md tells of; not with --only
  --list        what there is, without hunting
`

const root = fileURLToPath(new URL('../../..', import.meta.url))
const { values } = parseArgs({
  // `pnpm test:planted -- --only NAME` hands the two dashes on.
  args: process.argv.slice(2).filter((word, index) => word !== '--' || index > 0),
  options: {
    only: { type: 'string', multiple: true, default: [] },
    from: { type: 'string', default: '1' },
    beside: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const bugs = chosenOf(await readBugs(`${root}test/planted/bugs`), values.only)
if (values.keep && values.only.length > 0) {
  throw new RangeError('--keep keeps a hunt for every bug: leave out --only')
}
if (values.help) process.stdout.write(usage)
else if (values.list) for (const { name, because } of bugs) say(`${name}\n    ${because}`)
else process.exitCode = (await huntAll()) ? 0 : 1

/** True when every bug was found within its number. */
async function huntAll(): Promise<boolean> {
  const databaseUrl = await databaseOf()
  const waiting = [...bugs]
  const hunts: Hunt[] = []
  const from = Number(values.from)
  for (const line of headOf(bugs)) say(line)
  const huntOn = async () => {
    for (let bug = waiting.shift(); bug; bug = waiting.shift()) {
      const hunt = await huntBug(bug, { root, databaseUrl, from })
      hunts.push(hunt)
      say(rowOf(hunt, bugs))
    }
  }
  await Promise.all(Array.from({ length: Number(values.beside) }, huntOn))
  if (values.keep) await keepHunts(hunts)
  const found = hunts.filter(({ result }) => result === 'found').length
  say(`\n${found} of ${bugs.length} planted bugs were found`)
  for (const { bug, problem } of hunts) if (problem) say(`${bug.name}: ${problem}`)
  return found === bugs.length
}

/** The servers of test runs are shared: each run of the simulation has schemas of its own. */
async function databaseOf(): Promise<string> {
  const given = resolveConfig(readEnvironment(), [], ['WEGWIJS_DATABASE_URL'])
  const directory = `${root}.wegwijs/test`
  return (await startStack({ directory, given, servers: ['postgres'], durable: false })).databaseUrl
}

function chosenOf(all: readonly PlantedBug[], names: readonly string[]): readonly PlantedBug[] {
  const unknown = names.filter((name) => !all.some((bug) => bug.name === name))
  if (unknown.length > 0) throw new RangeError(`no planted bug is called ${unknown.join(', ')}`)
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
