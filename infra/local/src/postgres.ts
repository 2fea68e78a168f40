import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '@wegwijs/runtime/failure'
import { freePort } from './free-port.ts'
import { postgresBinaries } from './postgres-binary.ts'
import { postgresAnswers } from './postgres-ping.ts'
import { type PostgresUser, postgresUser } from './postgres-user.ts'
import { type Say, silent } from './say.ts'
import { endServer, killServer, type ServerProcess, startServer } from './server-process.ts'

const run = promisify(execFile)
const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 20_000

export type PostgresOptions = {
  /** Absolute; holds the data, the password and the log of this server. */
  readonly directory: string
  /** Used when it is free, so that a restarted server keeps its address. */
  readonly preferredPort?: number
  /**
   * False: commits do not wait for the disk, and a power cut may ruin the data. Only for servers
   * that live as long as a test run; a killed process loses nothing either way. Default true.
   */
  readonly durable?: boolean
  readonly say?: Say
}

export type LocalPostgres = {
  /** `postgresql://…` of the database `wegwijs`, password included. */
  readonly url: string
  readonly pid: number
  readonly process: ServerProcess
  /** Orderly end; open connections are cut. */
  stop(): Promise<void>
  /** Ends it at once, as a crash would; what was committed stays. */
  kill(): Promise<void>
}

/**
 * Starts one PostgreSQL 18 server on 127.0.0.1, with a database `wegwijs` owned by the user
 * `wegwijs`; nothing needs to be installed for it.
 *
 * @throws WEGWIJS_STACK_SERVER_FAILED
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const say = options.say ?? silent
  const user = await postgresUser(say)
  const binaries = await postgresBinaries(user)
  await mkdir(options.directory, { recursive: true })
  const data = await dataFolder(options.directory, user, say)
  const password = await initialiseOnce({ directory: options.directory, data, binaries, user })
  const server = await startServer(async () => {
    const port = await freePort(options.preferredPort)
    const url = `postgresql://wegwijs:${password}@127.0.0.1:${port}/wegwijs`
    return {
      name: 'PostgreSQL',
      address: url,
      directory: options.directory,
      command: join(binaries, 'bin', 'postgres'),
      arguments: ['-D', data, '-p', String(port), ...settingsOf(options.durable ?? true)],
      logFile: join(options.directory, 'postgres.log'),
      ...(user.account === undefined ? {} : { runAs: user.account }),
      answers: () => postgresAnswers(url),
      deadlineMs: START_DEADLINE_MS,
    }
  })
  return {
    url: server.address,
    pid: server.pid,
    process: server,
    stop: () => stopPostgres(server),
    kill: () => killServer(server),
  }
}

/** Ends a PostgreSQL server in order, by force when it takes too long. */
export function stopPostgres(server: ServerProcess): Promise<void> {
  // SIGTERM would wait until every client has gone by itself.
  return endServer(server, 'SIGINT', STOP_DEADLINE_MS)
}

/** Removes the data of a server that is stopped, wherever it lies. */
export async function removePostgresData(directory: string): Promise<void> {
  await rm(outsideFolder(directory), { recursive: true, force: true })
  await rm(directory, { recursive: true, force: true })
}

function settingsOf(durable: boolean): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    // Sockets would lie in /tmp, where two servers of different users collide.
    unix_socket_directories: '',
    max_connections: '200',
    log_min_messages: 'warning',
    log_line_prefix: '%m ',
    // Statements that fail carry their values: personal data does not belong in a log (P7).
    log_min_error_statement: 'panic',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

function outsideFolder(directory: string): string {
  const key = createHash('sha256').update(directory).digest('hex').slice(0, 12)
  return join(tmpdir(), `wegwijs-postgres-data-${key}`)
}

async function dataFolder(directory: string, user: PostgresUser, say: Say): Promise<string> {
  if (await user.canReach(directory)) return join(directory, 'data')
  const outside = outsideFolder(directory)
  say(`the account that runs PostgreSQL cannot enter ${directory}; its data is in ${outside}`)
  return outside
}

// The same order and case rules on every machine, whatever locales it has.
const LOCALE = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']

type Initialisation = {
  readonly directory: string
  readonly data: string
  readonly binaries: string
  readonly user: PostgresUser
}

/** @returns the password of the user `wegwijs`, which the first start invents. */
async function initialiseOnce(parts: Initialisation): Promise<string> {
  const passwordFile = join(parts.directory, 'password')
  const known = await readFile(passwordFile, 'utf8').catch(() => null)
  const started = await stat(join(parts.data, 'PG_VERSION')).catch(() => null)
  if (known !== null && started !== null) return known
  await rm(parts.data, { recursive: true, force: true })
  await mkdir(parts.data, { mode: 0o700 })
  const { account } = parts.user
  if (account !== undefined) await chown(parts.data, account.uid, account.gid)
  const password = randomBytes(18).toString('base64url')
  await initialise(parts, password)
  // Last: a beginning that was cut off is done again.
  await writeFile(passwordFile, password, { mode: 0o600 })
  return password
}

async function initialise(parts: Initialisation, password: string): Promise<void> {
  const { account } = parts.user
  const passwordForInitdb = join(tmpdir(), `wegwijs-initdb-${randomBytes(6).toString('hex')}`)
  const words = { '--pgdata': parts.data, '--username': 'wegwijs', '--pwfile': passwordForInitdb }
  const rest = ['--auth=scram-sha-256', '--encoding=UTF8', ...LOCALE]
  try {
    await writeFile(passwordForInitdb, `${password}\n`, { mode: 0o600 })
    if (account !== undefined) await chown(passwordForInitdb, account.uid, account.gid)
    const flags = [...Object.entries(words).map(([name, value]) => `${name}=${value}`), ...rest]
    await run(join(parts.binaries, 'bin', 'initdb'), flags, { ...account, cwd: tmpdir() })
    await makeDatabase(parts)
  } catch (error) {
    const reason = `cannot make its data: ${String((error as { stderr?: unknown }).stderr ?? error)}`
    throw fail(
      'WEGWIJS_STACK_SERVER_FAILED',
      { server: 'PostgreSQL', reason, logFile: parts.directory },
      error,
    )
  } finally {
    await rm(passwordForInitdb, { force: true })
  }
}

/** Makes the database in single-user mode, so that no server ever runs without it. */
function makeDatabase(parts: Initialisation): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      join(parts.binaries, 'bin', 'postgres'),
      ['--single', '-D', parts.data, 'postgres'],
      { ...parts.user.account, cwd: tmpdir() },
      (error) => (error === null ? resolve() : reject(error)),
    )
    child.stdin?.end('create database wegwijs;\n')
  })
}
