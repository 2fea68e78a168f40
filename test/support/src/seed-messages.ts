import { newUuid } from '@wegwijs/runtime/derived-id'
import { businessNow } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { insertRows } from '@wegwijs/store/rows'
import type { Schema } from '@wegwijs/store/schema'

export type SeededMessage = { personId: string; intentId: string; enrolmentId: string }

type Row<Table extends keyof Schema> = { [Column in keyof Schema[Table]]?: unknown }

export type MessageSeed = {
  intent?: Row<'intent'>
  person?: Row<'person'>
  enrolment?: Row<'enrolment'>
}

/**
 * Plants messages that are due now, each for a person of its own who can be reached over every
 * channel, straight into the tables: of campaign `seeded` and template `hello` of the small
 * hospital, class care, lane transactional, over e-mail and then SMS, unless told otherwise.
 */
export async function seedMessages(
  store: Store,
  count: number,
  over: MessageSeed = {},
): Promise<SeededMessage[]> {
  const now = await businessNow(store.db)
  const seeded = Array.from({ length: count }, () => ({
    personId: newUuid(),
    intentId: newUuid(),
    enrolmentId: newUuid(),
  }))
  await plant(
    store,
    'person',
    seeded.map(({ personId }) => ({ ...personRow(personId), ...over.person })),
  )
  await plant(
    store,
    'enrolment',
    seeded.map((ids) => ({ ...enrolmentRow(ids, now), ...over.enrolment })),
  )
  await plant(
    store,
    'intent',
    seeded.map((ids) => ({ ...intentRow(ids, now), ...over.intent })),
  )
  return seeded
}

async function plant<Table extends keyof Schema>(
  store: Store,
  table: Table,
  rows: Row<Table>[],
): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}) as (keyof Schema[Table] & string)[]
  await insertRows(store.db, table, columns, rows as never)
}

/** `instant` moved by so many seconds. */
export function later(instant: string, seconds: number): string {
  return new Date(Date.parse(instant) + seconds * 1000).toISOString()
}

function personRow(personId: string): Row<'person'> {
  return {
    person_id: personId,
    fields: { givenName: 'Noor', birthYear: 1950 },
    contacts: {
      email: { address: `${personId}@example.org`, refusedAt: null },
      phone: { address: '+31970000000', refusedAt: null },
      app: { address: personId, refusedAt: null },
    },
    locale: 'nl',
    journeys: { stay: { phase: 'recovery', episode: 1, since: '2026-01-01T00:00:00.000Z' } },
    test: true,
  }
}

function enrolmentRow(ids: SeededMessage, now: string): Row<'enrolment'> {
  return {
    person_id: ids.personId,
    enrolment_id: ids.enrolmentId,
    campaign_id: 'seeded',
    version: 1,
    entry_key: '',
    state: 'running',
    entered_at: now,
    trigger: { source: 'urn:test:ehr', id: 'e1', type: 'care.x.v1', time: now, data: {} },
  }
}

function intentRow(ids: SeededMessage, now: string): Row<'intent'> {
  return {
    person_id: ids.personId,
    intent_id: ids.intentId,
    enrolment_id: ids.enrolmentId,
    campaign_id: 'seeded',
    version: 1,
    message_id: 'hello',
    step: '0',
    class: 'care',
    lane: 'transactional',
    unknown_outcome: 'at-most-once',
    template_id: 'hello',
    template_hash: 'hello-1',
    channels: ['email', 'sms'],
    channel_index: 0,
    state: 'planned',
    planned_at: now,
    planned_for: now,
    due_at: now,
    expires_at: later(now, 12 * 3600),
  }
}
