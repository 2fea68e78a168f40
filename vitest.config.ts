import { defineConfig } from 'vitest/config'

/** They keep nothing between two calls: their modules are read once for all of their files. */
const pure = ['campaign', 'definition', 'template', 'wire', 'dry-run']

/**
 * One group after the other: on two cores a measurement or a fault beside others would time out, not
 * fail. Tests with servers wait more than they work: three files of them go side by side.
 */
const groups = [
  {
    name: 'pure',
    folders: pure.map((name) => `packages/${name}`),
    timeoutMs: 60_000,
    isolate: false,
  },
  {
    name: 'unit',
    folders: [`packages/!(${pure.join('|')})`, 'services/*'],
    timeoutMs: 30_000,
    workers: 3,
  },
  { name: 'infra', folders: ['infra/*'], timeoutMs: 120_000 },
  { name: 'architecture', folders: ['test/architecture'], timeoutMs: 300_000 },
  { name: 'contract', folders: ['test/contract'], timeoutMs: 60_000 },
  { name: 'flow', folders: ['test/flow'], timeoutMs: 300_000, workers: 3 },
  { name: 'simulation', folders: ['test/sim', 'test/planted'], timeoutMs: 300_000 },
  { name: 'bench', folders: ['test/bench'], timeoutMs: 300_000, alone: true },
  { name: 'system', folders: ['test/system'], timeoutMs: 600_000, workers: 3 },
  { name: 'fault', folders: ['test/fault'], timeoutMs: 600_000, alone: true },
]

export default defineConfig({
  test: {
    globalSetup: ['infra/vitest/src/servers.ts'],
    projects: groups.map(
      ({ name, folders, timeoutMs, isolate = true, workers = 2, alone = false }, index) => ({
        test: {
          name,
          include: folders.map((folder) => `${folder}/**/*.test.ts`),
          exclude: ['**/node_modules/**'],
          pool: 'forks',
          isolate,
          maxWorkers: alone ? 1 : workers,
          sequence: { groupOrder: index },
          testTimeout: timeoutMs,
          hookTimeout: timeoutMs,
        },
      }),
    ),
  },
})
