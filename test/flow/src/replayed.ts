import { consentKey, entityKey } from '@wegwijs/campaign/state'
import { replay } from '@wegwijs/dry-run/replay'
import type { Store } from '@wegwijs/store/database'
import { definitionsAt } from '@wegwijs/store/definition-history'
import { readPersonFacts } from '@wegwijs/store/explain'
import { readStoredLife } from '@wegwijs/store/stored-life'

/**
 * What was decided about one person beside what comes out when it is decided again on what is stored, a
 * line a decision: `2026-03-06T10:00:00.000Z aftercare-at-home enrolled`.
 */
export async function decidedTwice(
  store: Store,
  personId: string,
): Promise<{ stored: string[]; again: string[] }> {
  const facts = await readPersonFacts(store.db, personId)
  const life = await readStoredLife(store.db, personId)
  if (!facts || !life) throw new RangeError(`nobody has the id ${personId}`)
  const { before, events, others, relations, named } = life
  // What a profile said is kept with the person and not with its event.
  const profiles = new Set(
    events.flatMap(({ event: { type, source, id } }) =>
      type === 'person.upserted.v1' ? [`${source} ${id}`] : [],
    ),
  )
  const none = new Map<never, never>()
  const timers = facts.decisions
    .filter(({ source }) => source === null)
    .map(({ enrolmentId, campaignId, businessAt }) => ({ enrolmentId, campaignId, at: businessAt }))
  const until = facts.businessNow
  const instants = [...[...events, ...timers].map(({ at }) => at), until]
  const moments = replay(
    {
      before: {
        person: before.person,
        entities: new Map(before.entities.map((entity) => [entityKey(entity), entity])),
        consents: new Map(before.consents.map((consent) => [consentKey(consent), consent])),
        relations,
        tasks: none,
        enrolments: none,
        timers: none,
        intents: none,
        entries: none,
      },
      events,
      timers,
      messages: facts.messages.map(({ attempts, ...message }) => ({
        ...message,
        attempts: attempts.map(({ businessAt, ...attempt }) => ({ ...attempt, at: businessAt })),
      })),
      others,
      named,
      until,
    },
    await definitionsAt(store.db, instants),
  )
  const lineOf = (at: string, campaignId: string | null, reason: string, detail: object | null) =>
    `${at} ${campaignId} ${reason} ${inOrder(detail)}`
  return {
    stored: facts.decisions
      .filter(({ source, eventId }) => !profiles.has(`${source} ${eventId}`))
      .map(({ businessAt, campaignId, reason, detail }) =>
        lineOf(businessAt, campaignId, reason, detail),
      )
      .sort(),
    again: moments
      .filter(({ event }) => event?.type !== 'person.upserted.v1')
      .flatMap(({ at, decided }) =>
        (decided?.decisions ?? []).map(({ campaignId, reason, detail }) =>
          lineOf(at, campaignId, reason, detail),
        ),
      )
      .sort(),
  }
}

/** PostgreSQL keeps the members of an object in an order of its own. */
function inOrder(detail: object | null): string {
  return JSON.stringify(detail, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}
