import { replayLetters } from '@wegwijs/cli/replay-letters'
import { compileDraft } from '@wegwijs/dry-run/draft'
import { alwaysDelivered } from '@wegwijs/dry-run/outcome-model'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation } from '@wegwijs/dry-run/simulation'
import { createMemoryBroker, type MemoryBroker } from '@wegwijs/kafka/memory'
import { applyDefinition } from '@wegwijs/store/definitions'
import { findPerson } from '@wegwijs/store/explain'
import { recordStopEvents } from '@wegwijs/store/stops'
import { daysBack, storedEvents, UnreadableRows } from '@wegwijs/store/stored-history'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { isUrgent, topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { arrives, clinic, happen } from './src/clinic.ts'
import { brisk, type Flow, openFlow, until } from './src/flow.ts'
import { decidedTwice } from './src/replayed.ts'

/**
 * A yes whose publisher's clock is ahead, and which is read late: somebody has said no since it came to Kafka, and
 * before it was read. In real time, for in a rehearsal no clock but one says anything.
 */
const bundle = smallHospital([
  ...clinic.campaigns,
  campaign({
    id: 'for-who-agreed',
    class: 'marketing',
    entry: 'every-time',
    trigger: { touchpoint: 'care.admission.started.v1' },
    audience: { where: { field: 'consent.marketing.email', op: 'eq', value: 'granted' } },
  }),
])

let store: Awaited<ReturnType<typeof openNamespace>>
let broker: MemoryBroker
let flow: Flow | undefined

beforeEach(async () => {
  flow = undefined
  store = await openNamespace(inject('servers').databaseUrl, 'late_read')
  await applyDefinition(store, bundle, 'test')
  broker = createMemoryBroker()
  await broker.admin.ensureTopics(topicConfigs(store.namespace, { partitions: 3 }))
})
afterEach(async () => {
  await flow?.close()
  await store.close()
})

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
const consent = (state: 'granted' | 'withdrawn', time: string) =>
  happen(`consent.${state}.v1`, 'p', { time, data: { purpose: 'marketing', origin: 'person' } })

async function publish(...events: readonly TouchpointEvent[]) {
  const { urgent, touchpoints } = topicsOf(store.namespace)
  const records = events.map((event) => ({
    topic: isUrgent(event.type) ? urgent : touchpoints,
    ...encodeRecord(event),
  }))
  await broker.publisher.publish(records, { deadlineMs: 5_000 })
}

/** What becomes of the offer for which the person must have said yes, once they are admitted. */
async function offerOnceAdmitted({ publish: tell, emails }: Flow) {
  await tell(happen('care.admission.started.v1', 'p', { time: inMinutes(0) }))
  const offer = () =>
    store.db
      .selectFrom('intent')
      .select(['campaign_id as campaign', 'state', 'reason'])
      .where('state', 'not in', ['planned', 'queued', 'sending'])
      .execute()
  await until(async () => expect(await offer()).not.toEqual([]))
  return { messages: await offer(), sent: (await emails()).length }
}

const refused = {
  messages: [{ campaign: 'offer', state: 'skipped', reason: 'consent_withdrawn' }],
  sent: 0,
}

const outcomes = async () => {
  const rows = await store.db
    .selectFrom('event')
    .select(['type', 'outcome'])
    .where('type', 'like', 'consent.%')
    .orderBy('type')
    .execute()
  return rows.map(({ type, outcome }) => `${type} ${outcome}`)
}

/** What comes out when all that is stored is simulated. */
async function simulated() {
  const found: string[] = []
  const simulation = new Simulation({
    definition: compileDraft(bundle),
    sending: sendingOf(bundle),
    outcomes: alwaysDelivered,
    step: 'PT0S',
    onMessage: () => undefined,
    onEvent: (_, { type }, outcome) => {
      if (type.startsWith('consent.')) found.push(`${type} ${outcome}`)
    },
  })
  const since = await daysBack(store.db, 1)
  for await (const some of storedEvents(store.db, since, new UnreadableRows()))
    for (const { event, arrivedAt } of some) simulation.take(event, arrivedAt)
  return found.sort()
}

const ways = {
  Kafka: (no: TouchpointEvent) => publish(no),
  'the gateway': async (no: TouchpointEvent) => {
    await recordStopEvents(store, [{ event: no, idSpace: 'ehr' }])
  },
}

test.each(Object.entries(ways))(
  'a no that came by %s after a yes of a clock that is ahead holds, when both are read late (P3)',
  async (_, say) => {
    await publish(arrives('p', {}, { time: inMinutes(0) }), consent('granted', inMinutes(4)))
    await say(consent('withdrawn', inMinutes(0)))
    flow = await openFlow({ store, broker, settings: brisk })
    await until(async () => expect(await outcomes()).toHaveLength(2))
    expect(await offerOnceAdmitted(flow)).toEqual(refused)
    const personId = (await findPerson(store.db, { idSpace: 'ehr', externalId: 'p' })) ?? ''
    const { stored, again } = await decidedTwice(store, personId)
    expect(again).toEqual(stored)
    expect(stored.filter((line) => line.includes(' for-who-agreed enrolled'))).toEqual([])
    expect(await simulated()).toEqual(await outcomes())
  },
)

test('what its publisher says by a clock that is right is read late, and holds', async () => {
  await publish(
    arrives('p', {}, { time: inMinutes(0) }),
    consent('withdrawn', inMinutes(-2)),
    consent('granted', inMinutes(-1)),
  )
  flow = await openFlow({ store, broker, settings: brisk })
  await until(async () => expect(await outcomes()).toHaveLength(2))
  await flow.publish(happen('care.admission.started.v1', 'p', { time: inMinutes(0) }))
  const emails = flow.emails
  await until(async () => expect(await emails()).toHaveLength(2))
})

test('a yes of a clock that is ahead was said when it came, also when it was put aside and is replayed (P3)', async () => {
  flow = await openFlow({ store, broker, settings: brisk })
  await flow.publish(arrives('p', {}, { time: inMinutes(0) }))
  const happened = (value: object) =>
    store.db
      .updateTable('person')
      .set({ happened: JSON.stringify(value) })
      .execute()
  await happened({ k3v9: { '20515': 'twice' } })
  await flow.publish(consent('granted', inMinutes(4)))
  await happened({})
  await flow.publish(consent('withdrawn', inMinutes(0)))
  const rows = await store.db.selectFrom('dead_letter').select('dead_letter_id').execute()
  const ids = rows.map((row) => row.dead_letter_id)
  expect(ids).toHaveLength(1)
  await replayLetters(store.db, broker.publisher, ids)
  await flow.read()
  expect(await outcomes()).toEqual([
    'consent.granted.v1 consent_not_newer',
    'consent.withdrawn.v1 applied',
  ])
  expect(await offerOnceAdmitted(flow)).toEqual(refused)
})
