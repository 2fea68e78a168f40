import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { World } from './world.ts'

/** Where the time of a row goes: by function of each service, and by statement of PostgreSQL. */

const root = fileURLToPath(new URL('../../..', import.meta.url))
const MOST_FUNCTIONS = 30
const MOST_STATEMENTS = 14

/** What V8 writes with `--cpu-prof`. */
type CpuProfile = {
  nodes: {
    id: number
    callFrame: { functionName: string; url: string; lineNumber: number }
  }[]
  samples: number[]
  timeDeltas: number[]
}

/** Forgets what was counted of statements before; from now on it counts, too, how often each is planned. */
export async function beginProfile({ db }: World): Promise<void> {
  await db.query('select /* bench */ pg_stat_statements_reset()')
  await db.query('alter system set pg_stat_statements.track_planning = on')
  await db.query('select pg_reload_conf()')
}

/** The profiles of the services that have ended since, and the costliest statements, as text. */
export async function readProfiles(world: World): Promise<string> {
  const directory = world.profiles
  if (directory === null) return ''
  const files = existsSync(directory) ? readdirSync(directory).toSorted() : []
  const services = files.map((file) => {
    const profile = JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile
    return `${basename(file, '.cpuprofile')}\n${functionsOf(profile).join('\n')}`
  })
  return [...services, `postgresql\n${(await statementsOf(world)).join('\n')}`].join('\n\n')
}

/** Functions by the time in themselves, as parts of the time that was not idle. */
function functionsOf({ nodes, samples, timeDeltas }: CpuProfile): string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const times = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? ''
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0))
  }
  times.delete('(idle)')
  times.delete('(program)')
  const busy = times.values().reduce((sum, time) => sum + time, 0)
  const top = [...times].toSorted(([, one], [, other]) => other - one).slice(0, MOST_FUNCTIONS)
  return [
    `  ${(busy / 1e6).toFixed(2)} s of work`,
    ...top.map(([name, time]) => `  ${((100 * time) / busy).toFixed(1).padStart(5)} %  ${name}`),
  ]
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']) {
  const name = functionName || 'anonymous'
  if (!url) return name
  const path = url.startsWith('file://') ? relative(root, fileURLToPath(url)) : url
  return `${name} ${path.replace(/^.*node_modules\//, '')}:${lineNumber + 1}`
}

async function statementsOf({ db }: World): Promise<string[]> {
  const { rows } = await db.query<{
    seconds: number
    calls: number
    plans: number
    rows: number
    query: string
  }>(
    `select (total_exec_time + total_plan_time) / 1000 as seconds, calls::float8 as calls,
      plans::float8 as plans, rows::float8 as rows, query
    from pg_stat_statements where query not like '%/* bench */%'
    order by total_exec_time + total_plan_time desc limit ${MOST_STATEMENTS}`,
  )
  return rows.map(({ seconds, calls, plans, rows: affected, query }) => {
    const text = query.replaceAll(/\s+/g, ' ').replaceAll('"', '').slice(0, 110)
    return `  ${seconds.toFixed(2).padStart(6)} s  ${String(calls).padStart(6)} ×  ${String(plans).padStart(6)} planned  ${String(affected).padStart(8)} rows  ${text}`
  })
}
