import { listDeadLetters } from '@wegwijs/store/dead-letters'
import { source } from '@wegwijs/system-tests/clinic'
import { arrival, ask } from '@wegwijs/system-tests/events'
import { until } from '@wegwijs/system-tests/until'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import { sql } from 'kysely'
import type { Fault, Hit } from '../fault.ts'
import { connectPublisher, type PublishedRecord } from '../kafka-publisher.ts'
import { type Poison, poisonFor, structuredHeaders } from '../poison.ts'
import type { World } from '../world.ts'

const roads = ['mail', 'text', 'again', 'remind'] as const
const RECORDS_A_REQUEST = 20
const SHARE_OF_POISON = 0.01

const messyPublishers: Fault = {
  name: 'messy-publishers',
  on: 'publishers',
  title: 'events doubled, interleaved and out of order, two partitioners, poison of every class',
  short: true,
  needs: [],
  async strike(world, { chance, short, number }) {
    const { system, load } = world
    const { touchpoints } = topicsOf(system.namespace)
    const people = Array.from({ length: short ? 40 : 250 }, (_, index) => `m${number}-${index + 1}`)
    await load.publish(
      'kafka',
      people.map((subject) => arrival(subject)),
    )
    await until('everybody has arrived', () => knows(world, people))

    const asks = people.flatMap((subject) =>
      roads.map((road) => ask(road, subject, `${subject}/1/${road}`)),
    )
    const times = Math.ceil((asks.length * 2 * SHARE_OF_POISON) / poisonFor(people, 1).length)
    const poison = poisonFor(people, times)
    load.ledger.publishing('kafka', asks)
    // Nothing is decided meanwhile, so that all of it meets.
    system.process('journey').signal('SIGSTOP')
    const brokers = (system.environment.WEGWIJS_KAFKA_BROKERS ?? '').split(',')
    const publishers = await Promise.all([
      connectPublisher(brokers, 'by-key'),
      connectPublisher(brokers, 'in-turn'),
    ])
    // Each says everything, in an order of its own, and now and then twice.
    const good = asks.map(encodeRecord)
    const said = publishers.map((publisher, index) => {
      const twice = good.filter(() => chance() < 0.2)
      const bad = poison.filter((_, place) => place % publishers.length === index).map(recordOf)
      return { publisher, records: shuffled([...good, ...twice, ...bad], chance) }
    })
    await Promise.all(
      said.map(async ({ publisher, records }) => {
        for (let from = 0; from < records.length; from += RECORDS_A_REQUEST) {
          await publisher.publish(touchpoints, records.slice(from, from + RECORDS_A_REQUEST))
        }
        await publisher.close()
      }),
    )
    load.ledger.acknowledged(asks)
    const inFlight = await world.inFlight()
    system.process('journey').signal('SIGCONT')
    await until(
      'the poison is put aside',
      () => lettersOf(world),
      (n) => n.length >= poison.length,
    )
    const records = said.reduce((sum, each) => sum + each.records.length, 0)
    return {
      kills: 0,
      inFlight,
      unknownAtMost: 0,
      figures: { records, poison: poison.length },
      violations: await wronglyPutAside(world, poison),
    }
  },
  check: countedOnce,
}

/** Every event of the load is there, and there once. */
async function countedOnce({ system, load }: World, _hit: Hit): Promise<string[]> {
  const expected = load.ledger.events() + load.ledger.stops().length
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

function shuffled<Item>(items: readonly Item[], chance: () => number): Item[] {
  return items
    .map((item) => ({ item, place: chance() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** The row `publishers`. */
export const publisherFaults: readonly Fault[] = [messyPublishers]
