import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '@wegwijs/runtime/failure'
import { freePort } from './free-port.ts'
import { kafkaClassPath } from './kafka-jars.ts'
import { countBrokers } from './kafka-ping.ts'
import { type Say, silent } from './say.ts'
import { endServer, killServer, type ServerProcess, startServer } from './server-process.ts'

const run = promisify(execFile)
const START_DEADLINE_MS = 120_000
const STOP_DEADLINE_MS = 20_000
const JAVA_OPTIONS = ['-Xmx384m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

export type KafkaOptions = {
  /** Absolute; holds the data, the settings and the log of this server. */
  readonly directory: string
  /** Used when it is free, so that a restarted server keeps its address. */
  readonly preferredPort?: number
  /**
   * A second port for clients that come through a proxy. Kafka tells its clients where it is, so who
   * comes by this one is told `advertisedPort` of 127.0.0.1, where that proxy listens; else only the
   * first question would go through it.
   */
  readonly door?: { readonly port: number; readonly advertisedPort: number }
  readonly say?: Say
}

export type LocalKafka = {
  readonly brokers: readonly string[]
  readonly pid: number
  readonly process: ServerProcess
  /** Orderly end. */
  stop(): Promise<void>
  /** Ends it at once, as a crash would; the data stays. */
  kill(): Promise<void>
}

/**
 * Starts one Kafka server (broker and controller in one, KRaft) on 127.0.0.1; needs Java 17 and
 * Maven. Topics are never made by merely being named.
 *
 * @throws WEGWIJS_STACK_SERVER_FAILED, WEGWIJS_STACK_DOWNLOAD_FAILED
 */
export async function startKafka(options: KafkaOptions): Promise<LocalKafka> {
  const classPath = await kafkaClassPath(options.say ?? silent)
  const { directory } = options
  const server = await startServer(async () => {
    const address = `127.0.0.1:${await freePort(options.preferredPort)}`
    const settingsFile = await writeSettings(options, address, await freePort())
    await formatOnce(directory, classPath, settingsFile)
    const logSettings = `-Dlog4j2.configurationFile=${join(directory, 'log4j2.properties')}`
    return {
      name: 'Kafka',
      address,
      directory,
      command: 'java',
      arguments: [...JAVA_OPTIONS, logSettings, '-cp', classPath, 'kafka.Kafka', settingsFile],
      logFile: join(directory, 'kafka.log'),
      answers: async () => (await countBrokers(address)) > 0,
      deadlineMs: START_DEADLINE_MS,
    }
  })
  return {
    brokers: [server.address],
    pid: server.pid,
    process: server,
    stop: () => stopKafka(server),
    kill: () => killServer(server),
  }
}

/** Ends a Kafka server in order, by force when it takes too long. */
export function stopKafka(server: ServerProcess): Promise<void> {
  return endServer(server, 'SIGTERM', STOP_DEADLINE_MS)
}

async function writeSettings(
  { directory, door }: KafkaOptions,
  address: string,
  controllerPort: number,
): Promise<string> {
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'log4j2.properties'), LOG_SETTINGS)
  const settingsFile = join(directory, 'server.properties')
  const controller = `127.0.0.1:${controllerPort}`
  const doorListener = door ? `,DOOR://127.0.0.1:${door.port}` : ''
  const doorAdvertised = door ? `,DOOR://127.0.0.1:${door.advertisedPort}` : ''
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${controller}`,
    listeners: `CLIENT://${address},CONTROLLER://${controller}${doorListener}`,
    'advertised.listeners': `CLIENT://${address}${doorAdvertised}`,
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,DOOR:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'CLIENT',
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': 'false',
    // One server holds the only copy of everything.
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // Fewer partitions to open: quicker first join of a group.
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.num.partitions': '4',
    // Otherwise every first join of a group waits three seconds.
    'group.initial.rebalance.delay.ms': '0',
    // Lets a test's consumer be declared dead after one second instead of six.
    'group.min.session.timeout.ms': '1000',
    // Index files are preallocated, 10 MB each by default: too dear for the topics of many tests.
    'log.index.size.max.bytes': '1048576',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  await writeFile(settingsFile, lines.join(''))
  return settingsFile
}

async function formatOnce(
  directory: string,
  classPath: string,
  settingsFile: string,
): Promise<void> {
  const formatted = await stat(join(directory, 'data', 'meta.properties')).catch(() => null)
  if (formatted !== null) return
  const clusterId = randomBytes(16).toString('base64url')
  // With `=`: one id in sixty-four begins with a dash, and would be taken for an option.
  const format = [
    'kafka.tools.StorageTool',
    'format',
    `--cluster-id=${clusterId}`,
    '-c',
    settingsFile,
  ]
  try {
    await run('java', ['-Xmx128m', '-XX:+UseSerialGC', '-cp', classPath, ...format])
  } catch (error) {
    const reason = `cannot format its storage: ${String((error as { stderr?: unknown }).stderr ?? error)}`
    throw fail(
      'WEGWIJS_STACK_SERVER_FAILED',
      { server: 'Kafka', reason, logFile: settingsFile },
      error,
    )
  }
}

const LOG_SETTINGS = `status = warn
shutdownHook = disable
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`
