import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Budget } from '@wegwijs/campaign/definition/policies'
import type { Happened } from '@wegwijs/campaign/happened'
import { loadLogMapping } from '@wegwijs/definition/log-mapping'
import { compileDraft } from '@wegwijs/dry-run/draft'
import { type MessageLine, MessageLines } from '@wegwijs/dry-run/lines'
import { alwaysDelivered, type OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import type { People } from '@wegwijs/dry-run/people'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation } from '@wegwijs/dry-run/simulation'
import { withArrival } from '@wegwijs/rehearsal/arrivals'
import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { readLog } from '@wegwijs/rehearsal/read-log'
import { readEnvironment } from '@wegwijs/runtime/env'
import type { Store } from '@wegwijs/store/database'
import { daysBack, storedEvents, storedPeople, UnreadableRows } from '@wegwijs/store/stored-history'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { expect, test } from 'vitest'
import { readExample } from './src/example.ts'
import { openFlow, openGround } from './src/flow.ts'
import { readLiveLines } from './src/live-lines.ts'
import { type LiveTask, liveTask, readLiveTasks, sortTasks } from './src/live-tasks.ts'

/**
 * A simulation and the live pipeline decide the same of the same events, line for line: the pure
 * twins of what is decided in SQL are held to it here.
 */
const step = 'PT15M'

function simulationOf(bundle: DefinitionBundle, outcomes: OutcomeRates) {
  const lines = new MessageLines()
  const simulation = new Simulation({
    definition: compileDraft(bundle),
    sending: sendingOf(bundle),
    outcomes,
    step,
    keepsFinishedRuns: true,
    onMessage: (message) => lines.add(message),
  })
  return { simulation, lines }
}

function simulate(
  bundle: DefinitionBundle,
  events: readonly TouchpointEvent[],
  outcomes: OutcomeRates,
): MessageLine[] {
  const { simulation, lines } = simulationOf(bundle, outcomes)
  for (const { event, at } of withArrival(events)) simulation.take(event, at)
  simulation.finish()
  return lines.sorted(simulation.people)
}

/** What the live pipeline decides of them, and what `look` finds in its tables afterwards. */
async function live<Found>(
  bundle: DefinitionBundle,
  events: readonly TouchpointEvent[],
  rates: OutcomeRates,
  look: (store: Store) => Promise<Found>,
): Promise<Found> {
  const { store } = await openGround(bundle, withArrival(events)[0]?.at ?? '')
  const flow = await openFlow({ store, settings: { sandbox: { rates } } })
  await flow.play(events, step)
  const found = await look(store)
  await flow.close()
  await store.close()
  return found
}

test('generated journeys, with teams who do some of their tasks', async () => {
  const bundle = await readExample()
  const events = generateJourneys({ people: 20, seed: 'twin' })
  const rates = { bounced: 0.1, none: 0.1, answered: 0.2, done: 0.6, seed: 'twin' }
  const { simulation, lines } = simulationOf(bundle, rates)
  for (const event of events) simulation.take(event)
  simulation.finish()
  const simulated = lines.sorted(simulation.people)
  expect(simulated.length).toBeGreaterThan(100)
  expect(new Set(simulated.map(({ outcome }) => outcome)).size).toBeGreaterThan(4)
  const tasks = tasksOf(simulation.people)
  expect(new Set(tasks.map(({ state }) => state))).toEqual(new Set(['done', 'withdrawn']))
  const found = await live(bundle, events, rates, async (store) => ({
    tasks: await readLiveTasks(store),
    lines: await readLiveLines(store),
  }))
  expect(found).toEqual({ tasks, lines: simulated })
})

function tasksOf(people: People): LiveTask[] {
  const tasks = [...Array(people.made).keys()].flatMap((person) =>
    people.survivorOf(person) === person
      ? [...people.stateOf(person).tasks.values()].map((task) =>
          liveTask(people.nameOf(person), task),
        )
      : [],
  )
  return sortTasks(tasks)
}

test('one that is dated far in the future is refused, and moves no time for others', async () => {
  const bundle = await readExample()
  const events = generateJourneys({ people: 3, seed: 'future' })
  const dated = (id: string) =>
    ({ ...events[1], id, time: '9999-12-31T00:00:00.000Z' }) as TouchpointEvent
  const spoilt = [dated('first'), ...events.toSpliced(9, 0, dated('tenth')), dated('last')]
  const found = await live(bundle, spoilt, alwaysDelivered, async (store) => ({
    lines: await readLiveLines(store),
    refused: await store.db.selectFrom('dead_letter').select('error_class').execute(),
  }))
  const lines = simulate(bundle, events, alwaysDelivered)
  expect(lines.length).toBeGreaterThan(10)
  expect(simulate(bundle, spoilt, alwaysDelivered)).toEqual(lines)
  expect(found).toEqual({ lines, refused: Array(3).fill({ error_class: 'time_in_future' }) })
})

test('what is stored, simulated once more, comes to the same', async () => {
  const bundle = await readExample()
  const events = generateJourneys({ people: 8, seed: 'again' })
  const again = await live(bundle, events, alwaysDelivered, async (store) => {
    const since = await daysBack(store.db, 10_000)
    const { simulation, lines } = simulationOf(bundle, alwaysDelivered)
    const unreadable = new UnreadableRows()
    for await (const people of storedPeople(store.db, since, unreadable)) {
      for (const person of people) simulation.introduce(person)
    }
    for await (const some of storedEvents(store.db, since, unreadable)) {
      for (const { event, arrivedAt } of some) simulation.take(event, arrivedAt)
    }
    simulation.finish()
    expect(unreadable).toMatchObject({ count: 0, first: [] })
    return lines.sorted(simulation.people)
  })
  expect(again.length).toBeGreaterThan(50)
  expect(again).toEqual(simulate(bundle, events, alwaysDelivered))
})

test('reach, budgets and what has happened, counted by several workers at once', async () => {
  const example = await readExample()
  const events = generateJourneys({ people: 40, seed: 'history' })
  const rates = { bounced: 0.1, none: 0.1, seed: 'limits' }
  const of = (bundle: DefinitionBundle) => simulate(bundle, events, rates)
  const linesOf = (lines: MessageLine[], id: string) =>
    lines.filter(({ campaign }) => campaign === id)

  // Some are let in by what has happened to them, and some are not.
  const free = of(letIn(example, () => ({})))
  const asking = letIn(example, (happened) => ({ where: { happened } }))
  const asked = of(asking)
  for (const id of Object.keys(happenings)) {
    expect(linesOf(asked, id).length, id).toBeGreaterThan(0)
    expect(linesOf(asked, id).length, id).toBeLessThan(linesOf(free, id).length)
  }
  // Some messages wait for a word that nobody gives in time.
  const reach = { most: 1, per: 'P1D' }
  const campaigns = asking.campaigns.map((campaign) =>
    campaign.id === 'welcome-at-the-ward' ? { ...campaign, reach } : campaign,
  )
  const reaching = { ...asking, campaigns }
  const expired = (lines: MessageLine[]) =>
    linesOf(lines, 'welcome-at-the-ward').filter(({ outcome }) => outcome === 'expired').length
  expect(expired(of(reaching))).toBeGreaterThan(expired(asked) + 2)
  // Budgets stand in the way of some.
  const budgets: Budget[] = [
    { id: 'a-day', most: 1, per: 'PT20H', classes: ['service'] },
    { id: 'a-week', most: 2, per: 'P7D', classes: ['service', 'marketing'] },
  ]
  const within = { ...reaching, policies: { ...example.policies, budgets } }
  expect(of(within)).not.toEqual(of(reaching))
  // And so do the days and hours of their own, to which some of what they put off is held.
  const bundle = inOfficeHours(within)
  const simulated = of(bundle)
  expect(simulated).not.toEqual(of(within))
  expect(simulated).toEqual(await live(bundle, events, rates, readLiveLines))
})

const result = 'care.lab-result.available.v1'
const happenings: Record<string, Happened> = {
  'welcome-at-the-ward': { touchpoint: result, within: 'P2D', times: { atLeast: 3 } },
  'aftercare-at-home': { touchpoint: result, within: 'P7D', times: { atMost: 6 } },
  'family-information': {
    touchpoint: result,
    within: 'P9D',
    where: { field: 'event.test', op: 'startsWith', value: 'c' },
  },
}

/** The campaigns of `happenings` for another audience. */
function letIn(
  bundle: DefinitionBundle,
  audienceOf: (happened: Happened) => CampaignFile['audience'],
): DefinitionBundle {
  const campaigns = bundle.campaigns.map((campaign) => {
    const happened = happenings[campaign.id]
    return happened ? { ...campaign, audience: audienceOf(happened) } : campaign
  })
  return { ...bundle, campaigns }
}

/** The same, but what may go out at any time goes out while people work. */
function inOfficeHours(bundle: DefinitionBundle): DefinitionBundle {
  const send = { between: ['09:00', '17:00'], on: 'working-day' }
  const campaigns = bundle.campaigns.map(
    (campaign): CampaignFile =>
      JSON.parse(JSON.stringify(campaign), (key, value) =>
        key === 'message' && value.template ? { send, ...value } : value,
      ),
  )
  return { ...bundle, campaigns }
}

test('the last place of a band or a budget, of several who want it in one instant', async () => {
  const example = await readExample()
  const events = inOneInstant(generateJourneys({ people: 3, seed: 'places' }), 9)
  const rates = { bounced: 0.1, none: 0.1, answered: 0.2, seed: 'places' }
  const of = (bundle: DefinitionBundle) => simulate(bundle, events, rates)
  const reach = { most: 2, per: 'P1D' }
  const campaigns = example.campaigns.map((campaign): CampaignFile => {
    const counts = campaign.class === 'care' ? 'service' : campaign.class
    return { ...campaign, class: counts, reach }
  })
  const reaching = { ...example, campaigns }
  const budgets: Budget[] = [
    { id: 'a-day', most: 1, per: 'PT20H', classes: ['service'] },
    { id: 'a-week', most: 3, per: 'P7D', classes: ['service', 'marketing'] },
  ]
  const bundle = { ...reaching, policies: { ...example.policies, budgets } }
  const simulated = of(bundle)
  // Both stand in the way of some, also of what goes to somebody else.
  expect(of(reaching)).not.toEqual(of(example))
  expect(simulated).not.toEqual(of(reaching))
  const toOthers = simulated.filter(({ to }) => to !== undefined)
  expect(new Set(toOthers.map(({ outcome }) => outcome)).size).toBeGreaterThan(1)
  expect(simulated).toEqual(await live(bundle, events, rates, readLiveLines))
})

/** Each journey for so many people at once, who have the same caregiver, or the same parent. */
function inOneInstant(journeys: readonly TouchpointEvent[], many: number): TouchpointEvent[] {
  const first = journeys[0]?.time ?? ''
  const subjects = [...new Set(journeys.map(({ subject }) => subject))]
  const copies = [...Array(many).keys()]
  const known = subjects.flatMap((subject, index) => {
    const other = `other-${subject}`
    return [
      told('person.upserted.v1', other, first, {
        locale: 'nl',
        contacts: { email: `${other}@example.org`, phone: '+31612345678' },
      }),
      ...copies.flatMap((copy) => [
        told('relation.granted.v1', `${subject}-${copy}`, first, {
          idSpace: 'ehr',
          externalId: other,
          kind: index % 2 === 0 ? 'parent' : 'caregiver',
          scope: ['appointments', 'care', 'news'],
        }),
        ...(index % 2 === 0
          ? [told('person.upserted.v1', `${subject}-${copy}`, first, { birthYear: 2018 })]
          : []),
      ]),
    ]
  })
  const lived = journeys.flatMap((event) =>
    copies.map((copy) => ({
      ...event,
      id: `${event.id}-${copy}`,
      subject: `${event.subject}-${copy}`,
      // Whom it names, too.
      data: JSON.parse(JSON.stringify(event.data), (key, value) =>
        key === 'externalId' ? `${value}-${copy}` : value,
      ),
    })),
  )
  return [...known, ...lived].sort(inOrderOfTime)
}

function told(type: string, subject: string, time: string, data: object): TouchpointEvent {
  return {
    id: `${type}-${subject}-${JSON.stringify(data).length}-${time}`,
    source: 'urn:example:delinde:ehr',
    type,
    subject,
    time,
    data: data as TouchpointEvent['data'],
  }
}

function inOrderOfTime(one: TouchpointEvent, other: TouchpointEvent): number {
  return one.time < other.time ? -1 : Number(one.time > other.time)
}

test('messages to caregivers and parents, some of whom may hear no more on the way', async () => {
  const bundle = await readExample()
  const journeys = generateJourneys({ people: 30, seed: 'relations' })
  const subjects = [...new Set(journeys.map(({ subject }) => subject))]
  const first = journeys[0]?.time ?? ''
  const middle = journeys[Math.floor(journeys.length / 2)]?.time ?? first
  const others = subjects.map((_, index) => `other-${Math.floor(index / 2)}`)
  const known = [
    ...[...new Set(others)].map((other, index) =>
      told('person.upserted.v1', other, first, {
        givenName: 'Anna',
        locale: index % 2 === 0 ? 'en' : 'nl',
        ...(index % 3 === 0 && { timeZone: 'America/New_York' }),
        contacts: index % 5 === 4 ? {} : { email: `${other}@example.org`, phone: '+31612345678' },
      }),
    ),
    ...subjects.map((subject, index) =>
      told('relation.granted.v1', subject, first, {
        idSpace: 'ehr',
        externalId: others[index] ?? '',
        kind: index % 3 === 0 ? 'parent' : 'caregiver',
        scope: index % 7 === 6 ? ['appointments'] : ['appointments', 'care'],
      }),
    ),
  ]
  const children = subjects
    .filter((_, index) => index % 3 === 0)
    .map((subject, index) =>
      told('person.upserted.v1', subject, first, { birthYear: index % 2 === 0 ? 2018 : 2012 }),
    )
  const ended = subjects
    .filter((_, index) => index % 4 === 1)
    .map((subject) => {
      const other = others[subjects.indexOf(subject)] ?? ''
      const kind = subjects.indexOf(subject) % 3 === 0 ? 'parent' : 'caregiver'
      return told('relation.ended.v1', subject, middle, { idSpace: 'ehr', externalId: other, kind })
    })
  const events = [...known, ...children, ...journeys, ...ended].sort(inOrderOfTime)
  const rates = { bounced: 0.1, none: 0.1, answered: 0.2, seed: 'relations' }
  const simulated = simulate(bundle, events, rates)
  const toOthers = simulated.filter(({ to }) => to !== undefined)
  expect(toOthers.length).toBeGreaterThan(10)
  expect(new Set(toOthers.map(({ outcome }) => outcome)).size).toBeGreaterThan(2)
  expect(simulated).toEqual(await live(bundle, events, rates, readLiveLines))
})

/**
 * The log of a real hospital (docs/simulate.md says where it is from), where there is one: a file that
 * SEPSIS_LOG names, or beside this clone. Without it there is nothing to test.
 */
const log =
  readEnvironment().SEPSIS_LOG ??
  fileURLToPath(new URL('../../../shared/data/sepsis.csv', import.meta.url))
const mapping = fileURLToPath(
  new URL('../../examples/hospital/mappings/sepsis-log.yaml', import.meta.url),
)

if (existsSync(log)) {
  test('part of the log of a real hospital', async () => {
    const bundle = await readExample()
    const read = await loadLogMapping(mapping, bundle)
    if (read.mapping === null) throw new Error('the mapping has faults')
    const { events } = await readLog(log, { mapping: read.mapping, definition: bundle })
    const cases = new Set([...new Set(events.map(({ subject }) => subject))].slice(0, 25))
    const part = events.filter(({ subject }) => cases.has(subject))
    const rates = { bounced: 0.1, none: 0.05 }
    const simulated = simulate(bundle, part, rates)
    expect(simulated.length).toBeGreaterThan(30)
    expect(simulated).toEqual(await live(bundle, part, rates, readLiveLines))
  }, 300_000)
}
