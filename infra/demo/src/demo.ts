import { mkdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ledgerLines } from '@wegwijs/cli/ledger-lines'
import { exampleFolder } from '@wegwijs/cli/log-options'
import { createProgressView } from '@wegwijs/cli/progress'
import { teamsBy } from '@wegwijs/cli/teams'
import { connectKafkajs, type KafkajsBroker } from '@wegwijs/kafka/kafkajs'
import type { StackAddresses } from '@wegwijs/local/stack'
import { type Progress, rehearse } from '@wegwijs/rehearsal/conductor'
import { systemClock } from '@wegwijs/runtime/clock'
import type { Environment } from '@wegwijs/runtime/env'
import { fail } from '@wegwijs/runtime/failure'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import type { Store } from '@wegwijs/store/database'
import { checkLedger } from '@wegwijs/store/ledger'
import { createOutboxPage } from '@wegwijs/store/outbox-page'
import { readStatus } from '@wegwijs/store/status'
import { openEmbeddedStage } from './embedded-stage.ts'
import { layGround, readDefinition } from './ground.ts'
import { type Journeys, readJourneys } from './journeys.ts'
import type { DemoOptions } from './options.ts'
import { openProcessStage } from './process-stage.ts'
import { bringServers } from './servers.ts'
import type { Stage, StageFolders } from './stage.ts'
import { tellStories } from './stories.ts'
import { count, summaryLines } from './summary.ts'

export type DemoParts = {
  options: DemoOptions
  environment: Environment
  /** One line for a person. */
  say: (line: string) => void
  isTerminal: boolean
  /** Where servers keep their data. Default: `.wegwijs` in this clone. */
  stackDirectory?: string
}

export type Demo = {
  namespace: string
  /** The sandbox's outbox page. */
  pageUrl: string
}

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Longer than every sweep, so that what one of them would still find is not called lost. */
const SWEEP_SECONDS = 60
/** Teams do four of five tasks, as in a hospital; without shares nobody would call anybody. */
const shares = { done: 0.8 }
const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * The whole of Wegwijs on real input, from the servers to the last message, in words. Returns once
 * everything has been told; all of it runs on until the scope closes.
 *
 * @throws WEGWIJS_LEDGER_BROKEN when what happened breaks a promise; what failed to start or to go on
 */
export async function runDemo(scope: Scope, parts: DemoParts): Promise<Demo> {
  const { options, say, environment } = parts
  const directory = parts.stackDirectory ?? join(root, '.wegwijs')
  const { definition } = options
  say(
    definition === undefined
      ? 'Reading the definition of the example hospital.'
      : `Reading the definition in ${definition}.`,
  )
  const bundle = await readDefinition(definition ?? exampleFolder)
  const journeys = await readJourneys(options, bundle)
  const [first] = journeys.events
  if (first === undefined) throw fail('WEGWIJS_LOG_UNREADABLE', { reason: 'it has no events' })
  for (const line of journeys.faults) say(line)

  const { addresses, embedded } = await bringServers(scope, {
    ...parts,
    directory,
    embedded: options.embedded,
  })
  const kafka = embedded ? null : openKafka(scope, addresses)
  const store = await layGround(scope, {
    databaseUrl: addresses.databaseUrl,
    admin: kafka?.admin ?? null,
    bundle,
    begins: first.time,
    forget: (namespace) => rm(folderOf(directory, namespace), { recursive: true, force: true }),
  })
  const folders = await emptyFolders(folderOf(directory, store.namespace))
  say(`  namespace ${store.namespace}; logs in ${relative(process.cwd(), folders.logs) || '.'}`)
  const stage =
    kafka === null
      ? await openEmbeddedStage(scope, { store, folders })
      : await openProcessStage(scope, { store, addresses, kafka, folders, environment })
  say(`  the outbox page fills while it plays: ${stage.pageUrl}`)

  const seconds = await play(scope, { ...parts, store, stage, journeys })
  await tellNumbers(parts, { store, journeys, seconds })
  say('')
  say('Three of them')
  for (const line of await tellStories(store, bundle, journeys.stepMs + HOUR_MS)) say(line)
  await tellLedger(scope, parts, { store, stage })
  return { namespace: store.namespace, pageUrl: stage.pageUrl }
}

function openKafka(scope: Scope, { kafkaBrokers }: StackAddresses): KafkajsBroker {
  const kafka = connectKafkajs({ brokers: kafkaBrokers, clientId: 'demo', log: silentLogger })
  scope.onClose('Kafka', kafka.close)
  return kafka
}

/** Two demos in one clone have a folder each. */
function folderOf(directory: string, namespace: string): string {
  return join(directory, 'demo', namespace)
}

async function emptyFolders(logs: string): Promise<StageFolders> {
  const folders = { logs, sandbox: join(logs, 'sandbox') }
  await rm(logs, { recursive: true, force: true })
  await mkdir(folders.sandbox, { recursive: true })
  return folders
}

/** Plays the journeys to their end and returns how many seconds that took. */
async function play(
  scope: Scope,
  parts: DemoParts & { store: Store; stage: Stage; journeys: Journeys },
): Promise<number> {
  const { store, stage, journeys, say, isTerminal } = parts
  const { events, people, origin, step } = journeys
  const days = daysBetween(events[0]?.time, events.at(-1)?.time)
  say('')
  say(
    `${count(events.length)} events of ${count(people)} people over ${count(days)} days, from ${origin}; business time moves in steps of ${step}`,
  )
  const view = createProgressView((line) => say(`  ${line}`), { isTerminal, clock: systemClock })
  const startedMs = systemClock.monotonicMs()
  try {
    await rehearse({
      events,
      step,
      store,
      publisher: stage.publisher,
      admin: stage.admin,
      sandboxStatus: stage.sandboxStatus,
      teams: async () => teamsBy(shares, stage.secret),
      signal: scope.signal,
      onProgress: (progress: Progress) => view.show(progress),
    })
  } finally {
    view.end()
  }
  return (systemClock.monotonicMs() - startedMs) / 1_000
}

async function tellNumbers(
  { say }: DemoParts,
  { store, journeys, seconds }: { store: Store; journeys: Journeys; seconds: number },
): Promise<void> {
  const status = await readStatus(store.db)
  const people = await createOutboxPage(store.db).people(status.people, 'en')
  const sum = (channel: 'email' | 'sms' | 'app') =>
    people.reduce((total, person) => total + person.counts[channel], 0)
  say('')
  say('What came of it')
  const lines = summaryLines({
    status,
    published: journeys.events.length,
    channels: { email: sum('email'), sms: sum('sms'), app: sum('app') },
    days: daysBetween(journeys.events[0]?.time, status.businessNow),
    seconds,
  })
  for (const line of lines) say(line)
}

/** @throws WEGWIJS_LEDGER_BROKEN */
async function tellLedger(
  scope: Scope,
  { say }: DemoParts,
  { store, stage }: { store: Store; stage: Stage },
): Promise<void> {
  const rules = await checkLedger(
    store,
    {
      endOffsets: (topic) => stage.admin.endOffsets(topic),
      queue: stage.queue,
      sleep: (ms) => systemClock.sleep(ms, scope.signal),
    },
    { sweepSeconds: SWEEP_SECONDS },
  )
  say('')
  say('The ledger: was nothing lost, and nothing sent twice?')
  for (const line of ledgerLines(rules)) say(`  ${line}`)
  const broken = rules.filter((rule) => rule.broken > 0).map((rule) => rule.name)
  if (broken.length > 0) throw fail('WEGWIJS_LEDGER_BROKEN', { rules: broken })
}

function daysBetween(from: string | undefined, to: string | undefined): number {
  if (from === undefined || to === undefined) return 0
  return Math.ceil((Date.parse(to) - Date.parse(from)) / DAY_MS)
}
