import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { type Diary, dayMs, hourMs, minuteMs, openDiary, publishers } from './diary.ts'
import { liveHospitalStay } from './hospital-stay.ts'
import { inventPerson, profileOf } from './invented-person.ts'
import { livePlannedOperation } from './planned-operation.ts'
import { createRandom, type Random } from './random.ts'

export type JourneyOptions = {
  people: number
  /** Letters, digits and '-': the same seed gives the same events, on every machine. */
  seed: string
  /** When the first person arrives, ISO 8601 in UTC. */
  from?: string
}

const FROM = '2026-03-02T08:00:00.000Z'
const BETWEEN_PEOPLE_MS = 3 * hourMs

/**
 * Invented journeys through examples/hospital: stays and planned operations, with appointments that
 * move or are cancelled, returns, deaths, opt-outs, and events that come late or twice.
 *
 * The order of the list is the order of arrival. An event whose time lies before that of one above
 * it is a late one; an identity that stands there again is a doubled one.
 */
export function generateJourneys({ people, seed, from = FROM }: JourneyOptions): TouchpointEvent[] {
  const beginsMs = Date.parse(from)
  const arrivals = Array.from({ length: people }, (_, index) => {
    const random = createRandom(seed, 'person', String(index))
    const arrivalMs = beginsMs + index * BETWEEN_PEOPLE_MS + random.between(0, 170) * minuteMs
    return disturb(liveOneLife(random, `P-${seed}-${index + 1}`, arrivalMs), random)
  }).flat()
  return arrivals
    .map((arrival, index) => ({ ...arrival, index }))
    .sort((a, b) => a.atMs - b.atMs || a.index - b.index)
    .map(({ event }) => event)
}

function liveOneLife(random: Random, subject: string, arrivalMs: number): TouchpointEvent[] {
  const usesPortal = random.chance(0.55)
  const diary = openDiary({ random, subject, visitor: usesPortal ? `W-${subject}` : null })
  const stays = random.chance(0.55)
  const readLeaflet = !stays && diary.visitor !== null && random.chance(0.6)
  if (readLeaflet) readLeafletBefore(diary, arrivalMs)
  introduce(diary, arrivalMs - 5 * minuteMs, { usesPortal, alreadyKnown: readLeaflet })
  const endsMs = stays ? liveHospitalStay(diary, arrivalMs) : livePlannedOperation(diary, arrivalMs)
  optOut(diary, arrivalMs, endsMs)
  return die(diary, arrivalMs, endsMs)
}

function introduce(
  diary: Diary,
  atMs: number,
  known: { usesPortal: boolean; alreadyKnown: boolean },
): void {
  const { random, subject, visitor } = diary
  const person = inventPerson({
    handle: subject.toLowerCase(),
    random,
    birthYear: random.between(1932, 2004),
    attributes: {
      contactIs: random.chance(0.15) ? 'caregiver' : 'self',
      usesPortal: known.usesPortal,
      youngChildren: random.chance(0.12),
    },
  })
  diary.write(atMs, 'person.upserted.v1', profileOf(person))
  if (visitor !== null) {
    // The website knew its visitor as somebody of its own when a leaflet was read before.
    const type = known.alreadyKnown ? 'person.merged.v1' : 'person.identified.v1'
    diary.write(atMs + minuteMs, type, { idSpace: 'website', externalId: visitor })
  }
  for (const [purpose, share] of [
    ['research', 0.45],
    ['marketing', 0.35],
  ] as const) {
    if (!random.chance(share)) continue
    diary.write(atMs + 2 * minuteMs, 'consent.granted.v1', { purpose, origin: 'person' })
  }
}

function readLeafletBefore(diary: Diary, arrivalMs: number): void {
  const { random, visitor } = diary
  if (visitor === null) return
  diary.write(
    arrivalMs - random.between(20, 300) * hourMs,
    'care.brochure.read.v1',
    { leaflet: random.pick(['Een nieuwe heup', 'Staaroperatie', 'Opname: wat neemt u mee?']) },
    { source: publishers.website, subject: visitor },
  )
}

function optOut(diary: Diary, arrivalMs: number, endsMs: number): void {
  const { random } = diary
  if (!random.chance(0.07)) return
  const atMs = arrivalMs + Math.floor(random.next() * (endsMs + 2 * dayMs - arrivalMs))
  const purpose = random.pick(['all', 'service', 'marketing'])
  const channel = random.chance(0.3) ? { channel: 'sms' } : {}
  diary.write(atMs, 'consent.withdrawn.v1', { purpose, origin: 'person', ...channel })
}

/** Three in a hundred die, on the way or shortly after; nothing happens to them any more. */
function die(diary: Diary, arrivalMs: number, endsMs: number): TouchpointEvent[] {
  const { random } = diary
  if (!random.chance(0.03)) return diary.entries
  const atMs = arrivalMs + Math.floor((0.3 + random.next()) * (endsMs - arrivalMs))
  diary.write(atMs, 'person.deceased.v1')
  return diary.entries.filter((event) => Date.parse(event.time) <= atMs)
}

type Arrival = { atMs: number; event: TouchpointEvent }

const introductions = ['person.upserted.v1', 'person.identified.v1', 'person.merged.v1']

/** Three in a hundred events come hours late, three come twice. */
function disturb(events: readonly TouchpointEvent[], random: Random): Arrival[] {
  return events.flatMap((event) => {
    const happenedMs = Date.parse(event.time)
    const late = !introductions.includes(event.type) && random.chance(0.03)
    const atMs = late ? happenedMs + random.between(10, 40 * 60) * minuteMs : happenedMs
    const again = random.chance(0.03)
      ? [{ atMs: atMs + random.between(0, 60) * minuteMs, event }]
      : []
    return [{ atMs, event }, ...again]
  })
}
