import type { PipeService, PipeSettings } from '@wegwijs/demo/pipe'
import { systemClock } from '@wegwijs/runtime/clock'
import { createApiKey } from '@wegwijs/store/api-keys'
import type { Store } from '@wegwijs/store/database'
import { type Death, type MortalStore, openMortalStore } from '@wegwijs/test-support/mortal-store'
import { formatEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import { expect, onTestFinished } from 'vitest'
import { answered, arrives, booked, clinic, discharged, happen, monday } from './clinic.ts'
import {
  brisk,
  expectLedgerHolds,
  type Flow,
  type Ground,
  openFlow,
  openGround,
  until,
} from './flow.ts'

/**
 * The same days lived again and again, and in each life one service dies at another step: a
 * statement or a commit of its store, before or after it took effect. It is started again, and at
 * the end of every life nothing is lost, and nothing sent twice that is not marked as such.
 */
const thursday = '2026-03-05T09:00:00.000Z'
const friday = '2026-03-06T09:00:00.000Z'
const tuesday = '2026-03-03T09:00:00.000Z'

/** Over HTTP, before anything else. */
const no = happen('consent.withdrawn.v1', 'p4', { data: { purpose: 'all', origin: 'person' } })
const days: readonly TouchpointEvent[] = [
  arrives('p1'),
  arrives('p2', { email: null }),
  arrives('p3'),
  arrives('p4'),
  discharged('p1'),
  answered('p2'),
  answered('p3'),
  discharged('p4'),
  happen('care.unknown.v1', 'p1'),
  booked('p1', 1, thursday),
  { ...booked('p1', 2, friday), time: tuesday },
]

/** Which service dies, how many steps after it has started, and whether that step takes effect. */
export type Doom = { service: PipeService; after: number; stepDone: boolean }

export type Life = {
  /** False when it lived through all of it: there are no such steps. */
  died: boolean
  /** What the namespace came to. */
  messages: Message[]
  record: string[]
  /** What the providers hold, per message. */
  held: ReadonlyMap<string, { once: number; again: number }>
}

export type Message = {
  intentId: string
  name: string
  class: string
  state: string
  reason: string | null
}

/** Lives of one ground, one after the other. */
export async function openLives(): Promise<(doom: Doom | null) => Promise<Life>> {
  const ground = await openGround(clinic, monday)
  const graves: Promise<void>[] = []
  onTestFinished(async () => {
    await Promise.all(graves)
    await ground.store.close()
  })
  return (doom) => liveOnce(ground, doom, graves)
}

async function liveOnce(ground: Ground, doom: Doom | null, graves: Promise<void>[]): Promise<Life> {
  await ground.clear()
  const { store } = ground
  const death: Death = { at: Number.POSITIVE_INFINITY, stepDone: doom?.stepDone ?? false }
  const applicationName = `${store.namespace} mortal`
  const mortal = openMortalStore({ ...store, applicationName, maxConnections: 20 }, death)
  let born = false
  const settings: PipeSettings = {
    // What sweeps does so rarely here, or most steps would be looks at nothing.
    ...(doom?.service === 'scheduler' ? { scheduler: { leaseGraceMs: 0 } } : brisk),
    delivery: { drainMs: 20 },
    sandbox: { rates: { bounced: 0, none: 0 } },
  }
  const flow = await openFlow({
    store,
    settings,
    storeOf: (service) => {
      if (service !== doom?.service || born) return store
      born = true
      return mortal
    },
  })
  if (doom) death.at = mortal.steps + doom.after
  const { key } = await createApiKey(store.db, {
    label: 'test',
    idSpace: 'ehr',
    sources: ['urn:test:ehr'],
    types: ['consent.*'],
  })
  const rescued = mortal.died.then(
    () => doom && rescue(flow, doom, { mortal, applicationName, graves, settings }),
  )
  await sendUntilTaken(flow, key)
  await flow.play(days)
  if (mortal.dead) await rescued
  await until(() => expectLedgerHolds(flow))
  const life = { died: mortal.dead, ...(await lookBack(store)), held: await heldBy(flow) }
  await flow.close()
  if (!mortal.dead) await mortal.close()
  return life
}

type Rescue = {
  mortal: MortalStore
  applicationName: string
  graves: Promise<void>[]
  settings: PipeSettings
}

/** What is left of the dead one takes nothing more; its leases pass; another one is started. */
async function rescue(flow: Flow, { service }: Doom, parts: Rescue): Promise<void> {
  const { mortal, applicationName, graves, settings } = parts
  const buried = flow.pipe.stop(service)
  graves.push(buried.then(mortal.close))
  // Its address is needed by the one that comes after it.
  if (service === 'gateway') await buried
  settings.scheduler = brisk.scheduler
  await until(async () => expect(await busyConnections(flow.store, applicationName)).toBe(0))
  await sql`update intent set lease_until = clock_timestamp() - interval '1 second'
    where lease_until is not null`.execute(flow.store.db)
  await flow.pipe.start(service)
}

async function busyConnections(store: Store, applicationName: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
    where application_name = ${applicationName} and state <> 'idle'`.execute(store.db)
  return rows[0]?.count ?? 0
}

/** As a publisher does: again and again until it is acknowledged. */
async function sendUntilTaken(flow: Flow, key: string): Promise<void> {
  const sending = {
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/cloudevents+json',
    },
    body: JSON.stringify(formatEvent(no)),
  }
  for (;;) {
    const answer = await flow.call('/v1/events', sending).catch(() => null)
    if (answer?.status === 202) return
    await systemClock.sleep(5)
  }
}

async function lookBack({ db }: Store): Promise<Pick<Life, 'messages' | 'record'>> {
  const messages = await sql<Message>`
    select intent_id as "intentId", class, i.state, i.reason,
      concat_ws(' ', k.external_id, i.campaign_id, i.entity_version) as name
    from intent i join person_identity k using (person_id) order by name`.execute(db)
  const record = await sql<{ line: string }>`
    select concat_ws(' ', 'enrolment', campaign_id, state, reason, entity_version) as line from enrolment
    union all select concat_ws(' ', 'event', type, subject, outcome) from event
      where type not like 'message.%'
    union all select concat_ws(' ', 'dead letter', error_class) from dead_letter
    union all select concat_ws(' ', 'stop', kind, reason) from person_stop
    union all select concat_ws(' ', 'decision', campaign_id, reason, count(*)) from decided
      where source not like 'urn:wegwijs%' group by campaign_id, reason
    order by 1`.execute(db)
  return { messages: messages.rows, record: record.rows.map(({ line }) => line) }
}

async function heldBy(flow: Flow): Promise<Life['held']> {
  const held = new Map<string, { once: number; again: number }>()
  for (const { intentId, duplicate } of [...(await flow.emails()), ...(await flow.sms())]) {
    const counts = held.get(intentId ?? '') ?? { once: 0, again: 0 }
    counts[duplicate ? 'again' : 'once'] += 1
    held.set(intentId ?? '', counts)
  }
  return held
}

/** The promises, held against what providers hold: nothing lost, nothing twice unmarked. */
export function expectPromises({ messages, held }: Life, doom: Doom | null): void {
  const context = JSON.stringify(doom)
  for (const { intentId, name, class: kind, state, reason } of messages) {
    const { once, again } = held.get(intentId) ?? { once: 0, again: 0 }
    const line = `${context} ${name} ${state} ${reason} once ${once} again ${again}`
    expect(['delivered', 'skipped', 'cancelled', 'held'], line).toContain(state)
    expect(once, line).toBeLessThanOrEqual(1)
    expect(again, line).toBeLessThanOrEqual(kind === 'service' ? 1 : 0)
    if (state === 'delivered') expect(once + again, line).toBeGreaterThan(0)
    if (state === 'skipped' || state === 'cancelled') expect(once + again, line).toBe(0)
    if (state === 'held') expect([kind, reason], line).toEqual(['care', 'outcome_unknown'])
  }
}
