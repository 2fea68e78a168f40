#!/usr/bin/env node
// `npm test`: everything that is checked, on real servers, closing with `N passed, N failed`.

import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { closing } from './closing.mjs'
import { ensureInstalled, root, runOnNode24, say } from './ground.mjs'

const TALLY = path.join(root, '.wegwijs', 'tally.json')
const RUNNER = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
const SERVERS = path.join(root, 'infra', 'vitest', 'src', 'servers-main.ts')
const reporters = ['--reporter=default', '--reporter=./infra/vitest/src/tally-reporter.ts']

ensureInstalled()
mkdirSync(path.dirname(TALLY), { recursive: true })
rmSync(TALLY, { force: true })

// What ran before us belongs to somebody else and is left running.
const { code: alreadyUp } = await runOnNode24([SERVERS, 'status'])
const { code } = await runOnNode24([RUNNER, 'run', ...reporters, ...process.argv.slice(2)])
if (alreadyUp !== 0) await runOnNode24([SERVERS, 'down'])

const tally = readTally()
for (const error of tally?.errors ?? []) say(`outside the tests: ${error.split('\n')[0]}`)
for (const name of tally?.skipped ?? []) say(`skipped: ${name}`)
if (tally === null) say(`the test runner ended (${code}) without a count`)
const { line, failed } = closing(tally, { runnerCode: code, ci: process.env.CI === 'true' })
process.exitCode = failed === 0 ? 0 : 1
process.stdout.write(`${line}\n`)

function readTally() {
  try {
    return JSON.parse(readFileSync(TALLY, 'utf8'))
  } catch {
    return null
  }
}
