import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { formatFault } from '@wegwijs/definition/fault'
import { loadDefinition } from '@wegwijs/definition/load-definition'
import type { TopicAdmin } from '@wegwijs/kafka/port'
import { fail } from '@wegwijs/runtime/failure'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { openStore, type Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { migrate } from '@wegwijs/store/migrate'
import { takePassingNamespace } from '@wegwijs/store/passing-namespaces'
import { topicConfigs } from '@wegwijs/wire/topics'

/** @throws WEGWIJS_DEFINITION_INVALID */
export async function readDefinition(folder: string): Promise<DefinitionBundle> {
  const { bundle, faults } = await loadDefinition(folder)
  if (bundle === null) {
    throw fail('WEGWIJS_DEFINITION_INVALID', { faults: faults.map(formatFault) })
  }
  return bundle
}

export type GroundOptions = {
  databaseUrl: string
  /** Null where Kafka is in memory: then it holds nothing of earlier demos. */
  admin: TopicAdmin | null
  bundle: DefinitionBundle
  /** Where business time begins, ISO. */
  begins: string
  /** Removes what an earlier demo left beside tables and topics. */
  forget: (namespace: string) => Promise<void>
}

/** One machine: with more of them each step's events are as many small batches. */
const PARTITIONS = 1

/**
 * A namespace of this demo's own, with tables, topics and the definition, in which business time
 * stands at the beginning; those of earlier demos are gone. It stays when the scope closes, to be
 * looked at, until the next demo.
 */
export async function layGround(scope: Scope, options: GroundOptions): Promise<Store> {
  const { databaseUrl, admin, bundle, begins, forget } = options
  const topicsIn = (namespace: string) => topicConfigs(namespace, { partitions: PARTITIONS })
  const anywhere = openStore({
    databaseUrl,
    namespace: 'public',
    applicationName: 'wegwijs demo',
    maxConnections: 1,
  })
  scope.onClose('database of the demos', anywhere.close)
  const { namespace, release } = await takePassingNamespace(anywhere.db, 'demo', async (old) => {
    await admin?.removeTopics(topicsIn(old).map(({ topic }) => topic))
    await forget(old)
  })
  scope.onClose('namespace', release)
  const store = openStore({
    databaseUrl,
    namespace,
    applicationName: 'wegwijs demo',
    maxConnections: 20,
  })
  scope.onClose('database', store.close)
  await migrate(store)
  // Before any service runs: none of them may take a step in real time.
  await stepBusinessTime(store.db, begins)
  await admin?.ensureTopics(topicsIn(namespace))
  await applyDefinition(store, bundle, 'demo')
  return store
}
