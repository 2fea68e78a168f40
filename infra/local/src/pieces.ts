import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { fail } from '@wegwijs/runtime/failure'
import type { Say } from './say.ts'

const run = promisify(execFile)

/** The servers of the local stack. */
export type ServerName = 'kafka' | 'postgres' | 'redis'

/** A program that a local server needs and that npm cannot bring. */
export type Piece = {
  readonly name: string
  readonly neededBy: ServerName
  /** Package of each manager; Debian's are tried in order, since no release has them all. */
  readonly packages: {
    readonly apt: readonly string[]
    readonly dnf: string
    readonly brew: string
  }
  readonly isPresent: () => Promise<boolean>
}

const pieces: readonly Piece[] = [
  {
    name: 'Java 17 or later',
    neededBy: 'kafka',
    packages: {
      apt: ['openjdk-21-jre-headless', 'openjdk-17-jre-headless'],
      dnf: 'java-21-openjdk-headless',
      brew: 'openjdk@21',
    },
    isPresent: async () => (await javaVersion()) >= 17,
  },
  {
    name: 'Maven',
    neededBy: 'kafka',
    packages: { apt: ['maven'], dnf: 'maven', brew: 'maven' },
    isPresent: () => answers('mvn', ['--version']),
  },
  {
    name: 'redis-server',
    neededBy: 'redis',
    packages: { apt: ['redis-server'], dnf: 'redis', brew: 'redis' },
    isPresent: () => answers('redis-server', ['--version']),
  },
]

const everyServer: readonly ServerName[] = ['kafka', 'postgres', 'redis']

/** Which programs the named servers need and this machine lacks. */
export async function missingPieces(servers = everyServer): Promise<readonly Piece[]> {
  const needed = pieces.filter((piece) => servers.includes(piece.neededBy))
  const present = await Promise.all(needed.map((piece) => piece.isPresent()))
  return needed.filter((_, index) => present[index] === false)
}

/**
 * Tells whether real servers can run here, without changing anything: `ok` when nothing is missing
 * or what is missing can be installed (root, apt-get). `missing` has a line per missing piece with
 * the command that installs it.
 */
export async function canRunRealServers(
  servers = everyServer,
): Promise<{ ok: boolean; missing: readonly string[] }> {
  const missing = await missingPieces(servers)
  const ok = missing.length === 0 || (await canInstall())
  return { ok, missing: await Promise.all(missing.map(describe)) }
}

/**
 * Makes sure that the named servers can be started: installs what is missing where we are root and
 * have apt-get, saying each command aloud.
 *
 * @throws WEGWIJS_STACK_MISSING_PIECE, naming each piece with the command that installs it
 */
export async function bringPieces(servers: readonly ServerName[], say: Say): Promise<void> {
  const missing = await missingPieces(servers)
  if (missing.length === 0) return
  if (await canInstall()) await installWithApt(missing, say)
  const still = await missingPieces(servers)
  if (still.length === 0) return
  throw fail('WEGWIJS_STACK_MISSING_PIECE', { pieces: await Promise.all(still.map(describe)) })
}

async function installWithApt(missing: readonly Piece[], say: Say): Promise<void> {
  say(`missing: ${missing.map((piece) => piece.name).join(', ')}; installing with apt-get`)
  await runAloud(['apt-get', 'update', '--quiet'], say)
  const packages = await Promise.all(missing.map((piece) => firstKnown(piece.packages.apt)))
  const install = ['apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', ...packages]
  await runAloud(['env', 'DEBIAN_FRONTEND=noninteractive', ...install], say)
}

async function firstKnown(packages: readonly string[]): Promise<string> {
  for (const name of packages) if (await answers('apt-cache', ['show', name])) return name
  return packages[0] ?? ''
}

/** Runs a command whose failure shows in what is still missing afterwards. */
function runAloud([command = '', ...words]: readonly string[], say: Say): Promise<void> {
  say(`+ ${[command, ...words].join(' ')}`)
  return new Promise((resolve) => {
    const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
}

async function describe(piece: Piece): Promise<string> {
  if (await answers('brew', ['--version']))
    return `${piece.name} (brew install ${piece.packages.brew})`
  if (await answers('dnf', ['--version']))
    return `${piece.name} (sudo dnf install ${piece.packages.dnf})`
  return `${piece.name} (sudo apt-get install ${piece.packages.apt[0]})`
}

async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await answers('apt-get', ['--version']))
}

async function javaVersion(): Promise<number> {
  try {
    const { stderr } = await run('java', ['-version'])
    return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0)
  } catch {
    return 0
  }
}

function answers(command: string, words: readonly string[]): Promise<boolean> {
  return run(command, words).then(
    () => true,
    () => false,
  )
}
