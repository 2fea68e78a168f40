import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, test } from 'vitest'
import { sumInFlight } from './src/fault.ts'
import { faults } from './src/faults.ts'
import { runRound } from './src/round.ts'

const folder = fileURLToPath(new URL('../../.wegwijs/test/fault', import.meta.url))
const servers = inject('servers')
const cannotRun = servers.kafkaBrokers.length === 0 || servers.redisUrl === ''

// `pnpm test:fault` goes on with these, and with those that take longer.
describe.skipIf(cannotRun).concurrent('P1, P2, P3 and P6 hold under', () => {
  for (const fault of faults.filter(({ short }) => short)) {
    test(`${fault.on}: ${fault.title}`, async () => {
      const told: string[] = []
      const result = await runRound(fault, {
        directory: join(folder, fault.name),
        servers,
        seed: 'npm test',
        number: 1,
        short: true,
        say: (line) => told.push(line),
      })
      expect(result.violations, told.join('\n')).toEqual([])
      expect(sumInFlight(result.hit.inFlight)).toBeGreaterThan(0)
      expect(result.verdict.accepted).toBeGreaterThan(0)
    })
  }
})
