import type { Store } from '@wegwijs/store/database'
import { sql } from 'kysely'
import { seedMessages } from './seed-messages.ts'

/**
 * People from before, each with all that a person has: an id of the publisher `ehr`, an event, an
 * entity, a consent, a timer for later, and a message that was sent at `instant`. Whoever reads them
 * all, for the sake of a few others, is seen by it.
 */
export async function fillNamespace(store: Store, people: number, instant: string): Promise<void> {
  const intent = { state: 'sent', settled_at: instant }
  const atOnce = 5_000
  for (let made = 0; made < people; made += atOnce) {
    await seedMessages(store, Math.min(atOnce, people - made), { intent })
  }
  await store.db.transaction().execute(async (tx) => {
    for (const filler of fillers) await filler.execute(tx)
    // What was read for this is counted now, and not while a test counts.
    await sql`select pg_stat_force_next_flush()`.execute(tx)
  })
}

const fillers = [
  sql`insert into person_identity (person_id, id_space, external_id)
    select person_id, 'ehr', person_id::text from enrolment where campaign_id = 'seeded'`,
  sql`insert into inbox (person_id, source, event_id, subject)
    select person_id, 'urn:test:ehr', 'e', person_id::text from enrolment where campaign_id = 'seeded'`,
  sql`insert into entity (person_id, entity_type, entity_id, version, state, data, changed_at)
    select person_id, 'appointment', 'A-1', 1, 'active', '{}', business_now() from enrolment
    where campaign_id = 'seeded'`,
  sql`insert into consent (person_id, purpose, state, origin, at)
    select person_id, 'care', 'granted', 'person', business_now() from enrolment
    where campaign_id = 'seeded'`,
  sql`insert into timer (person_id, timer_id, enrolment_id, step, due_at)
    select person_id, enrolment_id, enrolment_id, '1', business_now() + interval '1 year'
    from enrolment where campaign_id = 'seeded'`,
]
