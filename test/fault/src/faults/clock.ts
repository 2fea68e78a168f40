import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import { rehearse } from '@wegwijs/rehearsal/conductor'
import { systemClock } from '@wegwijs/runtime/clock'
import { clinic } from '@wegwijs/system-tests/clinic'
import { arrival, event, names } from '@wegwijs/system-tests/events'
import type { ServiceName } from '@wegwijs/system-tests/system'
import { until } from '@wegwijs/system-tests/until'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import { type Fault, nothingInFlight, sumInFlight } from '../fault.ts'
import type { World } from '../world.ts'

const hourMs = 3_600_000
const workers: readonly ServiceName[] = ['journey', 'scheduler', 'delivery']

type Waiting = { for: string; at?: string }

/** The clinic, and a touchpoint for each of these waits that is followed by one message. */
function clinicThatWaits(waits: Readonly<Record<string, Waiting>>): DefinitionBundle {
  const usual = clinic()
  const [touchpoint] = usual.touchpoints.touchpoints
  const [campaign] = usual.campaigns
  if (!touchpoint || !campaign) throw new RangeError('the clinic is empty')
  const added = Object.entries(waits)
  return definitionBundleSchema.parse({
    ...usual,
    touchpoints: {
      ...usual.touchpoints,
      touchpoints: [
        ...usual.touchpoints.touchpoints,
        ...added.map(([name]) => ({ ...touchpoint, type: askAfter(name) })),
      ],
    },
    campaigns: [
      ...usual.campaigns,
      ...added.map(([name, wait]) => ({
        ...campaign,
        id: name,
        name,
        trigger: { ...campaign.trigger, touchpoint: askAfter(name) },
        steps: [{ wait }, { message: { id: name, template: 'message', channels: ['email'] } }],
      })),
    ],
  })
}

function askAfter(name: string): string {
  return `care.${name}.asked.v1`
}

const WAIT_SECONDS = 10
const soon = { soon: { for: `PT${WAIT_SECONDS}S` } }

/** Every process a second time with a clock an hour ahead, and the first ones an hour behind. */
const shifted: Fault = {
  name: 'clock-shifted',
  on: 'clock',
  title: 'workers whose clock is an hour ahead, beside others an hour behind',
  needs: [],
  peoplePerSecond: 1,
  definition: () => clinicThatWaits(soon),
  async strike(world, { short }) {
    const { load, system } = world
    await world.killed(...workers)
    const wrong: string[] = []
    for (const service of workers) {
      for (const [name, ms] of [
        [service, -hourMs],
        [`${service}-ahead`, hourMs],
      ] as const) {
        const { output } = await system.launch(service, name, shiftedBy(ms))
        // Behind what the one before it under this name has written.
        const before = output().length
        const offMs = await until(
          `${name} tells the time`,
          () => offBy(output().slice(before)),
          (off) => off !== null,
        )
        if (Math.abs((offMs ?? 0) - ms) > hourMs / 2) wrong.push(`the clock of ${name} is right`)
      }
    }
    const subjects = names('waiting', short ? 5 : 40)
    let largest = await world.inFlight()
    for (const subject of subjects) {
      const reference = `${subject}/1/soon`
      await load.publish('http', [
        arrival(subject),
        event(subject, askAfter('soon'), { reference }),
      ])
      const met = await world.inFlight()
      if (sumInFlight(met) > sumInFlight(largest)) largest = met
    }
    const isThere = () => subjects.every((subject) => acceptedAt(world, `${subject}/1/soon`))
    await until('those who had to wait have their message', isThere)
    await world.untilGoesOn()
    const violations = [...wrong, ...earlyOnes(world)]
    return { kills: 2 * workers.length, inFlight: largest, unknownAtMost: SLOTS, violations }
  },
  // The first ones were killed with messages in their hands.
  check: noneBeforeItWasDue,
}

const SLOTS = 100

/** By how many milliseconds the clock is ahead by which the last line of a log was stamped; null without one. */
function offBy(output: string): number | null {
  const [, stamp] = [...output.matchAll(/"time":"([^"]+)"/g)].at(-1) ?? []
  return stamp === undefined ? null : Date.parse(stamp) - systemClock.epochMs()
}

function shiftedBy(ms: number) {
  const program = new URL(`../shifted-clock.ts?ms=${ms}`, import.meta.url)
  return { NODE_OPTIONS: `--import=${program.href}` }
}

function acceptedAt({ system }: World, reference: string): string | undefined {
  return system.accepted().find((line) => line.reference === reference)?.receivedAt
}

/** By the clock of the provider, which nobody has shifted. */
function earlyOnes({ load, system }: World): string[] {
  const askedAt = new Map(load.ledger.asked().map((each) => [each.reference, each.publishedAt]))
  return system.accepted().flatMap(({ reference, receivedAt }) => {
    const asked = askedAt.get(reference)
    if (asked === undefined || !reference.endsWith('/soon')) return []
    const waitedMs = Date.parse(receivedAt) - Date.parse(asked)
    return waitedMs < WAIT_SECONDS * 1_000 ? [`${reference} came after ${waitedMs} ms`] : []
  })
}

/** By business time. */
async function noneBeforeItWasDue({ system }: World): Promise<string[]> {
  const { rows } = await sql<{ reference: string }>`
    select e.trigger -> 'data' ->> 'reference' as reference
    from attempt a join intent i using (person_id, intent_id)
      join enrolment e using (person_id, enrolment_id)
    where a.business_at < i.planned_for`.execute(system.store.db)
  return rows.map(({ reference }) => `${reference} was handed over before it was due`)
}

/** Local times of a night in which the clock is put forward or back, and waits across it. */
const nightWaits: Readonly<Record<string, Waiting>> = {
  halfpastone: { for: 'PT1H', at: '01:30' },
  two: { for: 'PT1H', at: '02:00' },
  halfpasttwo: { for: 'PT1H', at: '02:30' },
  almostthree: { for: 'PT1H', at: '02:59' },
  three: { for: 'PT1H', at: '03:00' },
  ten: { for: 'PT1H', at: '10:00' },
  day: { for: 'P1D' },
  hours: { for: 'PT24H' },
}

/** What each has to come to: worked out by hand, of what the Netherlands put into law. */
const nights = [
  {
    // At 01:00Z it is 03:00: what lies between 02:00 and 03:00 is an hour later.
    changes: '2026-03-29T01:00:00.000Z',
    asked: '2026-03-28T19:00:00.000Z',
    due: {
      halfpastone: '2026-03-29T00:30:00.000Z',
      two: '2026-03-29T01:00:00.000Z',
      halfpasttwo: '2026-03-29T01:30:00.000Z',
      almostthree: '2026-03-29T01:59:00.000Z',
      three: '2026-03-29T01:00:00.000Z',
      ten: '2026-03-29T08:00:00.000Z',
      day: '2026-03-29T18:00:00.000Z',
      hours: '2026-03-29T19:00:00.000Z',
    },
  },
  {
    // At 01:00Z it is 02:00 for the second time: the first one counts.
    changes: '2026-10-25T01:00:00.000Z',
    asked: '2026-10-24T18:00:00.000Z',
    due: {
      halfpastone: '2026-10-24T23:30:00.000Z',
      two: '2026-10-25T00:00:00.000Z',
      halfpasttwo: '2026-10-25T00:30:00.000Z',
      almostthree: '2026-10-25T00:59:00.000Z',
      three: '2026-10-25T02:00:00.000Z',
      ten: '2026-10-25T09:00:00.000Z',
      day: '2026-10-25T19:00:00.000Z',
      hours: '2026-10-25T18:00:00.000Z',
    },
  },
] as const

type Expected = { reference: string; instant: string }

const summerTime: Fault = {
  name: 'clock-summer-time',
  on: 'clock',
  title: 'business time is stepped over both nights in which the clock is changed',
  short: true,
  needs: [],
  peoplePerSecond: 0,
  definition: () => clinicThatWaits(nightWaits),
  async strike(world, { short }) {
    const { load, system } = world
    const { events, expected } = storyOf(short ? 1 : 5)
    load.ledger.publishing('kafka', events)
    const across = watchNights(world)
    const { steps } = await rehearse({
      events,
      step: 'PT0S',
      store: system.store,
      publisher: system.kafka.publisher,
      admin: system.kafka.admin,
      sandboxStatus: async () => ({ pending: (await system.sandboxStatus()).receiptsPending }),
      signal: AbortSignal.timeout(240_000),
      onProgress: across.look,
    })
    load.ledger.acknowledged(events)
    const waited = await across.most()
    return {
      kills: nights.length,
      inFlight: { ...nothingInFlight, planned: waited.reduce((sum, count) => sum + count, 0) },
      unknownAtMost: 0,
      figures: { 'steps of business time': steps },
      violations: [
        ...(waited.every((count) => count > 0) ? [] : [`over the nights waited ${waited}`]),
        ...(await wrongInstants(world, expected)),
      ],
    }
  },
}

/** Counts, of each night, the waits that began before the clock is changed and end after it. */
function watchNights({ system }: World) {
  const looks: Promise<readonly number[]>[] = []
  const look = async () => {
    const { rows } = await sql<{ waiting: number }>`
      select count(t.due_at)::int as waiting
      from unnest(${nights.map(({ changes }) => changes)}::timestamptz[])
        with ordinality as night (changes, place)
      left join timer t on business_now() < night.changes and t.due_at >= night.changes
        and t.due_at < night.changes + interval '2 days'
      group by place order by place`.execute(system.store.db)
    return rows.map(({ waiting }) => waiting)
  }
  return {
    look() {
      const looking = look()
      // Told by `most`.
      looking.catch(() => {})
      looks.push(looking)
    },
    /** Of each night the most that were seen. */
    async most() {
      const seen = await Promise.all(looks)
      return nights.map((_, night) => Math.max(0, ...seen.map((counts) => counts[night] ?? 0)))
    },
  }
}

/** For each wait people of their own: a bounce of one message would keep the next from its address. */
function storyOf(people: number): { events: TouchpointEvent[]; expected: Expected[] } {
  const events: TouchpointEvent[] = []
  const expected: Expected[] = []
  for (const [night, { asked, due }] of nights.entries()) {
    for (const [name, instant] of Object.entries(due)) {
      for (const subject of names(`${name}-${night}-`, people)) {
        const reference = `${subject}/${night}/${name}`
        events.push({ ...arrival(subject), time: asked })
        events.push(event(subject, askAfter(name), { reference }, { time: asked }))
        expected.push({ reference, instant })
      }
    }
  }
  return { events, expected }
}

/** Each was handed over at the instant that was worked out, and at no other. */
async function wrongInstants({ system }: World, expected: readonly Expected[]): Promise<string[]> {
  const { rows } = await sql<{ reference: string; instant: string }>`
    select e.trigger -> 'data' ->> 'reference' as reference, a.business_at as instant
    from attempt a join intent i using (person_id, intent_id)
      join enrolment e using (person_id, enrolment_id)
    where a.outcome = 'accepted'`.execute(system.store.db)
  const instants = Map.groupBy(rows, ({ reference }) => reference)
  return expected.flatMap(({ reference, instant }) => {
    const seen = (instants.get(reference) ?? []).map((row) => row.instant)
    const isRight = seen.length === 1 && seen[0] === instant
    return isRight ? [] : [`${reference} was due at ${instant} and went at ${seen.join(', ')}`]
  })
}

export const clockFaults: readonly Fault[] = [shifted, summerTime]
