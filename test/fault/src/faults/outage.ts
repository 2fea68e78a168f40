import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { rehearse } from '@wegwijs/rehearsal/conductor'
import { systemClock } from '@wegwijs/runtime/clock'
import { clinic } from '@wegwijs/system-tests/clinic'
import { arrival, ask, names } from '@wegwijs/system-tests/events'
import { until } from '@wegwijs/system-tests/until'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import type { Fault } from '../fault.ts'
import { messagesOf } from '../messages.ts'
import type { MessageEnd } from '../model.ts'
import type { World } from '../world.ts'

const hourMs = 3_600_000
const OUTAGE_HOURS = 48
const ASKED_EVERY_HOURS = 2
const beginsAt = Date.parse('2026-03-02T08:00:00.000Z')
/**
 * How long a message is worth having. No message loses its worth within an hour of the return, so that
 * each has one right end: what was put off is due again within half of that (the longest retry).
 */
const WORTH_HOURS = 23

/** Of which message it is right, `check` tells. */
const expired = ({ state, reason }: MessageEnd) =>
  state === 'expired' && (reason === 'provider_unavailable' || reason === 'expired')

/** The clinic, whose messages stay worth having for longer. */
function clinicOfLongWorth(): DefinitionBundle {
  const usual = clinic()
  const classes = Object.entries(usual.policies.classes).map(([name, policy]) => [
    name,
    { ...policy, expires: `PT${WORTH_HOURS}H` },
  ])
  return { ...usual, policies: { ...usual.policies, classes: Object.fromEntries(classes) } }
}

/** Two days of business time without providers; messages are asked for all the while. */
const twoDays: Fault = {
  name: 'outage-two-days',
  on: 'outage',
  title: `the providers are away for ${OUTAGE_HOURS} hours of business time`,
  needs: [],
  peoplePerSecond: 0,
  definition: clinicOfLongWorth,
  mayEnd: expired,
  async strike(world, { say }) {
    const { system, load } = world
    const before = askedAt(-ASKED_EVERY_HOURS)
    const events = [...before, ...storyOfTwoDays()]
    load.ledger.publishing('kafka', events)
    // Delivery must have seen that its channels lead to a sandbox, or it sends nothing.
    await play(world, before, AbortSignal.timeout(120_000), () => {})
    await world.killed('sandbox')
    const end = new Date(beginsAt + OUTAGE_HOURS * hourMs).toISOString()
    const away = new AbortController()
    await play(world, events, away.signal, (instant) => {
      if (instant >= end) away.abort(new OutageOver())
    }).catch((error: unknown) => {
      if (!(error instanceof OutageOver)) throw error
    })
    const { messages } = await system.status()
    say(`after ${OUTAGE_HOURS} hours: ${JSON.stringify(messages)}`)
    await system.start('sandbox')
    const steps = await play(world, events, AbortSignal.timeout(240_000), () => {})
    load.ledger.acknowledged(events)
    const { planned = 0, queued = 0, sending = 0 } = messages
    return {
      kills: 1,
      inFlight: { undecided: 0, planned, queued, sending },
      unknownAtMost: 0,
      figures: {
        'steps of business time after it': steps,
        'messages expired in it': messages.expired ?? 0,
        'messages that waited': planned + queued + sending,
      },
    }
  },
  async check(world) {
    // No word of a herd: a rehearsal does not wait in real time, and calls a sandbox alone.
    return [...(await sentAfterExpiry(world)), ...(await wrongEnds(world))]
  },
}

class OutageOver extends Error {}

/** What was worth having when the providers came back is there, what was not has expired unsent. */
async function wrongEnds({ system, load }: World): Promise<string[]> {
  const sent = new Set(system.accepted().map(({ reference }) => reference))
  const records = await messagesOf(system.store)
  const stateOf = new Map(records.map((record) => [record.reference, record.state]))
  return load.ledger.asked().flatMap(({ reference }) => {
    const hour = Number(reference.split('/')[1])
    const isWorthHaving = hour < 0 || hour + WORTH_HOURS > OUTAGE_HOURS
    const state = stateOf.get(reference)
    const isRight = isWorthHaving
      ? sent.has(reference) && state !== 'expired'
      : !sent.has(reference) && state === 'expired'
    const wanted = isWorthHaving ? 'worth having' : 'of no worth any more'
    return isRight ? [] : [`${reference} was ${wanted} and is ${state}`]
  })
}

/** People of their own for each message: a bounce would keep the next from its address. */
function storyOfTwoDays(): TouchpointEvent[] {
  const events: TouchpointEvent[] = []
  for (let hour = 0; hour < OUTAGE_HOURS; hour += ASKED_EVERY_HOURS) {
    events.push(...askedAt(hour))
  }
  return events
}

/** `hour` counts from the begin of the outage. */
function askedAt(hour: number): TouchpointEvent[] {
  const time = new Date(beginsAt + hour * hourMs).toISOString()
  return (['mail', 'text', 'remind'] as const).flatMap((road) => {
    const subject = `hour${hour}-${road}`
    const asked = ask(road, subject, `${subject}/${hour}/${road}`)
    return [
      { ...arrival(subject), time },
      { ...asked, time },
    ]
  })
}

async function play(
  { system }: World,
  events: readonly TouchpointEvent[],
  signal: AbortSignal,
  onInstant: (instant: string) => void,
): Promise<number> {
  const { steps } = await rehearse({
    events,
    step: 'PT20M',
    store: system.store,
    publisher: system.kafka.publisher,
    admin: system.kafka.admin,
    // One that is away has no receipt to send.
    sandboxStatus: async () => ({
      pending: (await system.sandboxStatus().catch(() => null))?.receiptsPending ?? 0,
    }),
    signal,
    onProgress: ({ instant }) => {
      if (instant !== null) onInstant(instant)
    },
  })
  return steps
}

async function sentAfterExpiry({ system }: World): Promise<string[]> {
  const { rows } = await sql<{ intentId: string }>`
    select a.intent_id as "intentId" from attempt a join intent i using (person_id, intent_id)
    where a.outcome in ('accepted', 'unknown') and a.business_at >= i.expires_at`.execute(
    system.store.db,
  )
  return rows.map(({ intentId }) => `${intentId} was handed over after its expiry`)
}

const PROVIDER_MS = 100

/** Providers that come back in real time to a queue of messages. */
const comesBack: Fault = {
  name: 'outage-comes-back',
  on: 'outage',
  title: 'the providers come back to hundreds of messages that wait',
  short: true,
  needs: [],
  peoplePerSecond: 0,
  async strike(world, { short, say }) {
    const { system, load } = world
    const subjects = names('waiting', short ? 40 : 150)
    await world.killed('sandbox')
    await load.publish(
      'http',
      subjects.map((subject) => arrival(subject)),
    )
    for (const road of ['mail', 'text', 'again', 'remind'] as const) {
      const asked = subjects.map((subject) => ask(road, subject, `${subject}/1/${road}`))
      await load.publish('kafka', asked)
    }
    const inFlight = await world.untilInFlight(
      'all of them wait',
      ({ undecided, queued, sending }) => undecided === 0 && queued + sending >= subjects.length,
    )
    const met = await untilLeftAlone(world)
    await system.start('sandbox')
    await world.slowProviders(PROVIDER_MS)
    const backMs = systemClock.monotonicMs()
    await until('half of them are out', () => system.accepted().length >= subjects.length * 2)
    const recoveryMs = systemClock.monotonicMs() - backMs
    const { mostUnderWay, mostAhead } = await system.sandboxStatus()
    const perSecond = busiestSeconds(world)
    say(`calls while away ${met}, most at once ${mostUnderWay}, by second ${perSecond.join(' ')}`)
    return {
      kills: 1,
      inFlight,
      unknownAtMost: 0,
      recoveryMs,
      figures: {
        'calls while they were away': met,
        'most calls at once': mostUnderWay,
        'messages out in the first second': perSecond[0] ?? 0,
        'and in the busiest second': Math.max(0, ...perSecond),
      },
      violations: herdIn(mostAhead),
    }
  },
  async check({ system }, { figures }) {
    const refused = figures?.['calls while they were away'] ?? 0
    const waited = Object.values((await system.status()).messages).reduce((a, b) => a + b, 0)
    return refused < waited ? [] : [`${refused} calls to nobody, of ${waited} messages`]
  },
}

/** One call to see that they are back, and then with each answer one more. */
function herdIn(mostAhead: Readonly<Record<string, number>>): string[] {
  return Object.entries(mostAhead)
    .filter(([, ahead]) => ahead > 1)
    .map(([channel, ahead]) => `${channel} had ${ahead} calls more under way than answers given`)
}

/** Until the messages have been refused by both providers; with the calls that it took. */
function untilLeftAlone({ system }: World): Promise<number> {
  return until(
    'both providers are left alone',
    async () => {
      const { rows } = await sql<{ channel: string; count: number }>`
        select channel, count(*)::int as count from attempt
        where outcome = 'deferred' and reason <> 'provider_paused' group by channel`.execute(
        system.store.db,
      )
      const isFor = (channel: string) =>
        (rows.find((row) => row.channel === channel)?.count ?? 0) >= FAILURES_TO_PAUSE
      return isFor('email') && isFor('sms') ? rows.reduce((sum, { count }) => sum + count, 0) : 0
    },
    (count) => count > 0,
  )
}

/** As in delivery: after so many in a row it pauses. */
const FAILURES_TO_PAUSE = 5

/** How many were accepted in each second since the first. */
function busiestSeconds({ system }: World): number[] {
  const times = system.accepted().map(({ receivedAt }) => Date.parse(receivedAt))
  const firstMs = Math.min(...times)
  const seconds: number[] = []
  for (const time of times) {
    const second = Math.floor((time - firstMs) / 1_000)
    seconds[second] = (seconds[second] ?? 0) + 1
  }
  return Array.from(seconds, (count) => count ?? 0)
}

export const outageFaults: readonly Fault[] = [twoDays, comesBack]
