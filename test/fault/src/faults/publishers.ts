import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import { listDeadLetters } from '@wegwijs/store/dead-letters'
import { clinic, source } from '@wegwijs/system-tests/clinic'
import { arrival, ask, event } from '@wegwijs/system-tests/events'
import { until } from '@wegwijs/system-tests/until'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import type { Fault, Hit } from '../fault.ts'
import { connectPublisher, type PublishedRecord } from '../kafka-publisher.ts'
import { type Poison, poisonFor, structuredHeaders } from '../poison.ts'
import type { World } from '../world.ts'

const roads = ['mail', 'text', 'again', 'remind'] as const
const RECORDS_A_REQUEST = 20
const SHARE_OF_POISON = 0.01
const SHARE_SAID_TWICE = 0.2
/** Versions of one appointment; the newest is the one to be told. */
const VERSIONS = 3

const messyPublishers: Fault = {
  name: 'messy-publishers',
  on: 'publishers',
  title: 'events doubled, interleaved and out of order, two partitioners, poison of every class',
  short: true,
  needs: [],
  definition: clinicOfAppointments,
  async strike(world, { chance, short, number }) {
    const { system, load } = world
    const { touchpoints } = topicsOf(system.namespace)
    const people = Array.from({ length: short ? 40 : 150 }, (_, index) => `m${number}-${index + 1}`)
    // A bounce of one message would keep the newest version from the same number.
    await system.outcomes({ bounced: 0, none: 0 })
    await load.publish(
      'kafka',
      people.map((subject) => arrival(subject)),
    )
    await until('everybody has arrived', () => knows(world, people))

    const stories = people.map(storyOf)
    const versions = people.map(versionsOf)
    const newest = versions.flatMap((each) => each.slice(-1))
    const older = versions.flatMap((each) => each.slice(0, -1))
    const asked = [...stories.flat(2), ...newest]
    const times = Math.ceil((asked.length * 2 * SHARE_OF_POISON) / poisonFor(people, 1).length)
    const poison = poisonFor(people, times)
    // What an older version says nobody asks for: were it told, that would be found.
    load.ledger.publishing('kafka', asked)
    // Nothing is decided meanwhile, so that all of it meets; and nothing sent until all is decided.
    const paused = [system.process('journey'), system.process('scheduler')] as const
    for (const process of paused) process.signal('SIGSTOP')
    const brokers = (system.environment.WEGWIJS_KAFKA_BROKERS ?? '').split(',')
    const publishers = await Promise.all([
      connectPublisher(brokers, 'by-key'),
      connectPublisher(brokers, 'in-turn'),
    ])
    // One keeps the order of each person, whose stories are interleaved; the other says what both know,
    // and every version of the appointments, in an order of chance. Both say some of it twice.
    const [first, others] = halves(poison.map(recordOf))
    const inOrder = interleaved(
      stories.map((parts) => saidTwice(parts.flat().map(encodeRecord), chance)),
      chance,
    )
    const known = [...stories.flatMap(([before = []]) => before.filter(isAsk)), ...versions.flat()]
    const inAnyOrder = [...known, ...known.filter(() => chance() < SHARE_SAID_TWICE)]
    const said = [
      interleaved([inOrder, first], chance),
      shuffled([...inAnyOrder.map(encodeRecord), ...others], chance),
    ]
    await Promise.all(
      publishers.map(async (publisher, index) => {
        const records = said[index] ?? []
        for (let from = 0; from < records.length; from += RECORDS_A_REQUEST) {
          await publisher.publish(touchpoints, records.slice(from, from + RECORDS_A_REQUEST))
        }
        await publisher.close()
      }),
    )
    load.ledger.acknowledged(asked)
    const inFlight = await world.inFlight()
    const [journey, scheduler] = paused
    journey.signal('SIGCONT')
    await until('all of it is decided', () => areDecided(world, [...asked, ...older]))
    scheduler.signal('SIGCONT')
    await until(
      'the poison is put aside',
      () => lettersOf(world),
      (n) => n.length >= poison.length,
    )
    return {
      kills: 0,
      inFlight,
      unknownAtMost: 0,
      figures: {
        'records published': said.flat().length,
        'poisoned records': poison.length,
        'people at a second address': people.length,
        [OLDER]: older.length,
      },
      violations: await wronglyPutAside(world, poison),
    }
  },
  check: countedOnce,
}

const OLDER = 'older versions'

/** The clinic, which tells of an appointment once, and then what its newest version says. */
function clinicOfAppointments(): DefinitionBundle {
  const usual = clinic()
  const told = JSON.stringify(usual.templates[0]).replaceAll('event.reference', 'entity.reference')
  return definitionBundleSchema.parse({
    ...usual,
    campaigns: usual.campaigns.map((campaign) =>
      campaign.id === 'moved'
        ? {
            ...campaign,
            entry: 'once-per-entity',
            steps: [{ message: { id: 'moved', template: 'appointment', channels: ['sms'] } }],
          }
        : campaign,
    ),
    templates: [
      ...usual.templates,
      { ...JSON.parse(told), id: 'appointment', hash: 'appointment-1' },
    ],
  })
}

/** Somebody is at one address, asks, moves at the same moment, and asks again. */
function storyOf(subject: string): TouchpointEvent[][] {
  const { time } = arrival(subject)
  return [1, 2].map((part) => {
    const contacts = { email: `${subject}.at${part}@example.org`, phone: '+447700900123' }
    return [
      // Of profiles of one moment the order of arrival alone decides.
      { ...arrival(subject, { contacts }), time },
      ...roads.map((road) => ask(road, subject, `${subject}/${part}/${road}`)),
    ]
  })
}

function isAsk({ data }: TouchpointEvent): boolean {
  return data.reference !== undefined
}

/** From the oldest to the newest. */
function versionsOf(subject: string): TouchpointEvent[] {
  return Array.from({ length: VERSIONS }, (_, index) => {
    const version = index + 1
    const reference = `${subject}/${version}/moved`
    const entity = `appointment/${subject}`
    return event(subject, 'care.appointment.moved.v1', { reference }, { entity, version })
  })
}

async function areDecided({ system }: World, events: readonly TouchpointEvent[]): Promise<boolean> {
  const ids = events.map(({ id }) => id)
  const { rows } = await sql<{ decided: number }>`
    select count(*)::int as decided from inbox where event_id = any(${ids}::text[])`.execute(
    system.store.db,
  )
  return rows[0]?.decided === events.length
}

/** Every event of the load is there, and there once. */
async function countedOnce({ system, load }: World, { figures }: Hit): Promise<string[]> {
  const older = figures?.[OLDER] ?? 0
  const expected = load.ledger.events() + load.ledger.stops().length + older
  const { rows } = await sql<{ all: number; distinct: number }>`
    select count(*)::int as all, count(distinct (subject, event_id))::int as distinct
    from event where source = ${source}`.execute(system.store.db)
  const [counted] = rows
  return counted?.all === expected && counted.distinct === expected
    ? []
    : [`of ${expected} events ${counted?.all} were decided, ${counted?.distinct} different ones`]
}

/** The table and the topic hold exactly the poison, under the class that each was made of. */
async function wronglyPutAside(world: World, poison: readonly Poison[]): Promise<string[]> {
  const { system } = world
  const expected = poison.map(({ errorClass }) => errorClass).sort()
  const inTable = (await lettersOf(world)).map(({ errorClass }) => String(errorClass)).sort()
  const topic = topicsOf(system.namespace).deadLetters
  await until('the poison is on its topic', async () => {
    const ranges = await system.kafka.admin.endOffsets(topic)
    return ranges.reduce((sum, { high }) => sum + Number(high), 0) >= poison.length
  })
  const published = await system.recordsOf(topic)
  const onTopic = published.map(({ headers }) => String(headers['dlq-error-class'])).sort()
  const bytes = new Set(published.map(({ value }) => String(value)))
  const changed = poison.filter(({ value }) => !bytes.has(String(value)))
  return [
    ...(String(inTable) === String(expected) ? [] : [`the table holds ${inTable}`]),
    ...(String(onTopic) === String(expected) ? [] : [`the topic holds ${onTopic}`]),
    ...changed.map(({ errorClass }) => `not on the topic with its own bytes: ${errorClass}`),
  ]
}

const MOST_LETTERS = 10_000

function lettersOf({ system }: World) {
  return listDeadLetters(system.store.db, { limit: MOST_LETTERS })
}

async function knows({ system }: World, people: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ known: number }>`
    select count(*)::int as known from person_identity
    where external_id = any(${people})`.execute(system.store.db)
  return rows[0]?.known === people.length
}

function recordOf({ key, value }: Poison): PublishedRecord {
  return { key, value, headers: structuredHeaders }
}

function halves<Item>(items: readonly Item[]): [Item[], Item[]] {
  const middle = Math.ceil(items.length / 2)
  return [items.slice(0, middle), items.slice(middle)]
}

/** Some of it is said again, at once or behind what comes after it. */
function saidTwice<Item>(items: readonly Item[], chance: () => number): Item[] {
  const said = [...items]
  for (const item of items.filter(() => chance() < SHARE_SAID_TWICE)) {
    const from = said.indexOf(item) + 1
    said.splice(from + Math.floor(chance() * (said.length - from + 1)), 0, item)
  }
  return said
}

/** Each list in its order, all of them through each other. */
function interleaved<Item>(lists: readonly (readonly Item[])[], chance: () => number): Item[] {
  const turns = shuffled(
    lists.flatMap((items, index) => items.map(() => index)),
    chance,
  )
  const places = lists.map(() => 0)
  return turns.flatMap((index) => {
    const place = places[index] ?? 0
    places[index] = place + 1
    return lists[index]?.slice(place, place + 1) ?? []
  })
}

function shuffled<Item>(items: readonly Item[], chance: () => number): Item[] {
  return items
    .map((item) => ({ item, place: chance() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** The row `publishers`. */
export const publisherFaults: readonly Fault[] = [messyPublishers]
