// What every root script stands on, in plain JavaScript that any Node from 18 on runs: the pinned
// pnpm, the dependencies of the lockfile, Node 24.

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const OLDEST_NODE = 18
const WANTED_NODE = 24
const STAMP = path.join(root, 'node_modules', '.wegwijs-install')
// Windows finds npx only through its shell.
const shell = process.platform === 'win32'

/** Installs what the lockfile names, unless exactly that is there already. */
export function ensureInstalled() {
  if (nodeVersion() < OLDEST_NODE) {
    stop(`Wegwijs starts from Node ${OLDEST_NODE} or later; this is ${process.version}.`)
  }
  const wanted = createHash('sha256').update(readFileSync(path.join(root, 'pnpm-lock.yaml')))
  const stamp = `${wanted.digest('hex')} ${process.platform} ${process.arch}\n`
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return
  const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  say(`installing the dependencies with ${packageManager} (a minute or so, once)`)
  const install = [
    '--yes',
    packageManager,
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
  ]
  const { status, error } = spawnSync('npx', install, {
    cwd: root,
    shell,
    // To stderr: what a command prints on stdout is its answer.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, npm_config_loglevel: 'error' },
  })
  if (status !== 0) {
    stop(`The dependencies could not be installed (${error?.message ?? `npx ended with ${status}`}).
What to do: read the lines above; check that the npm registry can be reached, then try again.`)
  }
  writeFileSync(STAMP, stamp)
}

/** The path of a Node that runs TypeScript as it is: this one, or the one that was installed. */
function node24() {
  if (nodeVersion() >= WANTED_NODE) return process.execPath
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  const system = process.platform === 'win32' ? 'win' : process.platform
  // Apple's newer machines have theirs under another name.
  for (const name of [`node-${system}-${process.arch}`, `node-bin-${system}-${process.arch}`]) {
    const candidate = path.join(root, 'node_modules', name, 'bin', file)
    if (existsSync(candidate)) return candidate
  }
  return stop(`Wegwijs runs on Node ${WANTED_NODE}; this is ${process.version}, and there is no packaged Node for ${process.platform} ${process.arch}.
What to do: install Node ${WANTED_NODE} or later from nodejs.org and try again.`)
}

/**
 * Runs a program on Node 24 in the foreground.
 *
 * @param {string[]} words path of the program, then its arguments
 * @param {string} [cwd]
 * @returns {Promise<{ code: number, signal: string | null }>} how it ended; `code` is what a shell
 *   would report, 128 + the signal's number when a signal ended it
 */
export function runOnNode24(words, cwd = root) {
  const node = node24()
  const search = `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`
  const child = spawn(node, words, { cwd, stdio: 'inherit', env: { ...process.env, PATH: search } })
  const undo = passSignals(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      undo()
      resolve({ code: code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0), signal })
    })
  })
}

/**
 * Runs a TypeScript program of this clone as if it had been called itself.
 *
 * @param {string} program its path from the root
 */
export async function runAsItself(program) {
  ensureInstalled()
  const file = path.join(root, program)
  if (!existsSync(file)) stop(`${program} is not there: this clone is not whole.`)
  // npm runs scripts in the root; paths that a person gives mean the folder they were given in.
  const cwd = process.env.INIT_CWD ?? process.cwd()
  const { code } = await runOnNode24([file, ...process.argv.slice(2)], cwd)
  process.exitCode = code
}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`[wegwijs] ${line}\n`)
}

/**
 * @param {string} message what is wrong and what to do
 * @returns {never}
 */
function stop(message) {
  process.stderr.write(`${message}\n`)
  process.exit(69)
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => void} undoes it
 */
function passSignals(child) {
  /** @type {NodeJS.Signals[]} */
  const passed = ['SIGINT', 'SIGTERM', 'SIGHUP']
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    // A terminal sends Ctrl-C to every process of its group, so the child has had it already; a
    // second one would make it end by force.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  }
  for (const signal of passed) process.on(signal, pass)
  return () => {
    for (const signal of passed) process.removeListener(signal, pass)
  }
}

function nodeVersion() {
  return Number(process.versions.node.split('.')[0])
}
