import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test as base, inject } from 'vitest'
import { openSystem, type Servers, type System, type SystemOptions } from './system.ts'

const folder = fileURLToPath(new URL('../../../.wegwijs/test/system', import.meta.url))
const TAIL_LINES = 40

type Given = Partial<Pick<SystemOptions, 'servers' | 'definition'>> & {
  /** Tells two systems of one test apart. */
  as?: string
}

/** The servers of this test run. */
export const sharedServers: Servers = inject('servers')

/** Without Kafka or Redis on this machine; the global setup has said what is missing. */
export const cannotRun = sharedServers.kafkaBrokers.length === 0 || sharedServers.redisUrl === ''

/**
 * A test that may open systems. They are ended with it, and when it fails it shows the end of each
 * process's log.
 */
export const test = base.extend<{ directory: string; open: (given?: Given) => Promise<System> }>({
  directory: async ({ task }, use) => {
    await use(join(folder, task.name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60)))
  },
  open: async ({ directory, onTestFailed }, use) => {
    const systems: System[] = []
    onTestFailed(() => {
      for (const system of systems) process.stderr.write(lastWords(system))
    })
    await use(async ({ as = 'services', servers = sharedServers, ...rest } = {}) => {
      const system = await openSystem({ directory: join(directory, as), servers, ...rest })
      systems.push(system)
      return system
    })
    await Promise.all(systems.map((system) => system.close()))
  },
})

function lastWords({ directory, processes }: System): string {
  const names = [...new Set(processes().map(({ name }) => name))]
  return names
    .map((name) => {
      const lines = readFileSync(join(directory, `${name}.log`), 'utf8')
        .trimEnd()
        .split('\n')
      return `\n--- ${join(directory, `${name}.log`)}\n${lines.slice(-TAIL_LINES).join('\n')}\n`
    })
    .join('')
}
