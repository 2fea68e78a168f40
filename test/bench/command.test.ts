import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readEnvironment } from '@wegwijs/runtime/env'
import { expect, inject, it } from 'vitest'
import { resultSchema } from './src/result.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const directory = fileURLToPath(new URL('../../.wegwijs/test/bench', import.meta.url))
const servers = inject('servers')
const cannotRun = servers.kafkaBrokers.length === 0 || servers.redisUrl === ''
const run = promisify(execFile)

const bench = (...words: string[]) =>
  run(process.execPath, ['infra/bootstrap/bench.mjs', ...words], {
    cwd: root,
    env: { ...readEnvironment(), INIT_CWD: root },
  })

it.skipIf(cannotRun)('measures a row from nothing to its table and its JSON', async () => {
  const words = ['--', '--only', 'events', '--quick', '--directory', directory]
  const { stdout } = await bench(...words)
  expect(stdout).toMatch(/^events: Touchpoint events decided, .*\n {2}Wegwijs +[\d,.]+ events\/s\n/)
  const json: unknown = JSON.parse(readFileSync(`${directory}/results/events.json`, 'utf8'))
  const { measured } = resultSchema.parse(json)
  expect(measured.checks.map(({ name }) => name)).toEqual(['Wegwijs / bare'])
  for (const { values } of measured.figures) expect(Math.min(...values)).toBeGreaterThan(0)
})

it('says which rows there are when it is asked for another', async () => {
  const failed = await bench('--only', 'speed').catch((error: unknown) => error)
  expect(failed).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('no row is called speed; there are events, sends'),
  })
})
