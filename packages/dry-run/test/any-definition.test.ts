import { windowMs } from '@wegwijs/campaign/contact-budget'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { countsAs } from '@wegwijs/campaign/last-check'
import { entityKey } from '@wegwijs/campaign/state'
import { type Arrival, anyHistory, anyHospital } from '@wegwijs/test-support/any-hospital'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Simulated, simulateArrivals } from './simulate.ts'

/** What must hold whatever a definition says and whatever happens, in whichever order it comes in. */

const outcomes = { bounced: 0.15, none: 0.15, answered: 0.1, seed: 'any definition' }

function live(bundle: DefinitionBundle, history: readonly Arrival[]): Simulated {
  return simulateArrivals(bundle, history, { outcomes })
}

function always(
  holds: (bundle: DefinitionBundle, history: Arrival[]) => void,
  { numRuns = 100 } = {},
): void {
  fc.assert(fc.property(anyHospital, anyHistory, holds), { numRuns })
}

const isHandedOver = ({ rendered }: Simulated['messages'][number]) => rendered !== null

test('people do not hang on each other: all at once is each by themselves', () => {
  let messages = 0
  always((bundle, history) => {
    const together = live(bundle, history).messages.map(told)
    const own = Map.groupBy(history, ({ event }) => event.subject)
    const alone = [...own.values()].flatMap((each) => live(bundle, each).messages.map(told))
    expect(alone.toSorted()).toEqual(together.toSorted())
    messages += together.length
  })
  expect(messages).toBeGreaterThan(0)
})

function told({ name, intent, channel, at, plannedFor, eventId }: Simulated['messages'][number]) {
  const { campaignId, messageId, state, reason, step } = intent
  return [name, campaignId, messageId, step, state, reason, channel, at, plannedFor, eventId].join(
    ' ',
  )
}

test('what comes again changes nothing (P2)', () => {
  always((bundle, history) => {
    const again = history.flatMap((arrival, index) => {
      const before = history[Math.floor(index / 2)] ?? arrival
      return [arrival, arrival, { ...before, arrivedAt: arrival.arrivedAt }]
    })
    expect(live(bundle, again).lines).toEqual(live(bundle, history).lines)
  })
})

test('each message comes to one end, and is handed over once for each version of its entity (P1, P2)', () => {
  always((bundle, history) => {
    const { messages } = live(bundle, history)
    const ids = messages.map(({ intent }) => intent.intentId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { intent } of messages)
      expect(['planned', 'queued', 'sending']).not.toContain(intent.state)
    const places = messages
      .filter(isHandedOver)
      .map(({ intent }) => `${placeOf(intent)} ${intent.turn ?? 0}`)
    expect(new Set(places).size).toBe(places.length)
  })
})

test('of a cascade each goes over a channel of its own, and none behind one that is delivered (P2)', () => {
  let inTurn = 0
  // Most of what is sent does not arrive: the next channels come.
  const rates = { bounced: 0.4, none: 0.4, seed: 'cascades' }
  always((bundle, history) => {
    const simulated = simulateArrivals(over(cascade, bundle), history, { outcomes: rates })
    const messages = simulated.messages.filter(isHandedOver)
    for (const own of Map.groupBy(messages, ({ intent }) => placeOf(intent)).values()) {
      const ordered = own.toSorted((a, b) => (a.intent.turn ?? 0) - (b.intent.turn ?? 0))
      expect(new Set(ordered.map(({ channel }) => channel)).size).toBe(own.length)
      for (const { intent } of ordered.slice(0, -1)) expect(intent.state).not.toBe('delivered')
      if (own.length > 1) inTurn += 1
    }
  })
  expect(inTurn).toBeGreaterThan(0)
})

const cascade = { cascade: ['email', 'sms'], after: 'PT30M' }
const all = { all: ['email', 'sms'] }

/** The same campaigns, but every message goes over these channels. */
function over(channels: typeof cascade | typeof all, bundle: DefinitionBundle): DefinitionBundle {
  const campaigns: DefinitionBundle['campaigns'] = JSON.parse(
    JSON.stringify(bundle.campaigns),
    (key, value) => (key === 'message' && value.template ? { ...value, channels } : value),
  )
  return { ...bundle, campaigns }
}

test('over all channels it goes once over each, and one exit takes back all of it (P2, P3)', () => {
  let together = 0
  always((bundle, history) => {
    const { messages } = live(over(all, bundle), history)
    const parts = messages.filter(({ intent }) => intent.partOf)
    for (const own of Map.groupBy(parts, ({ intent }) => intent.partOf).values()) {
      const channels = own.map(({ intent }) => String(intent.channels))
      expect(new Set(channels).size).toBe(own.length)
      if (own.filter(isHandedOver).length > 1) together += 1
    }
  })
  expect(together).toBeGreaterThan(0)
})

function placeOf({
  enrolmentId,
  step,
  entity,
  partOf,
  channels,
}: Simulated['messages'][number]['intent']): string {
  return [enrolmentId, step, entity?.version, partOf && channels].join(' ')
}

test('nobody has more than a budget in any window, is written to in quiet hours or when a message says it is no time for it (P3)', () => {
  let sent = 0
  let held = 0
  always((bundle, history) => {
    const { budgets = [], classes, timeZone } = bundle.policies
    const messages = live(bundle, history).messages.filter(isHandedOver)
    for (const own of Map.groupBy(messages, ({ name }) => name).values()) {
      for (const budget of budgets) {
        const counted = own
          .filter(({ intent }) => budget.classes.some((each) => each === intent.class))
          .map(({ at, intent }) => ({ at: Date.parse(at), as: countsAs(intent) }))
        for (const { at: from } of counted) {
          const within = counted.filter(({ at }) => at >= from && at < from + windowMs(budget))
          expect(new Set(within.map(({ as }) => as)).size).toBeLessThanOrEqual(budget.most)
        }
      }
    }
    for (const { intent, at } of messages) {
      const { quietHours } = classes[intent.class]
      if (quietHours) expect(isQuiet(localTime(at, timeZone), quietHours)).toBe(false)
      expect(at < intent.expiresAt, `${at} ${intent.expiresAt}`).toBe(true)
      const send = sendOf(bundle, intent)
      if (!send || send.until) continue
      expect(isNamed(at, send, timeZone), `${at} ${JSON.stringify(send)}`).toBe(true)
      held += 1
    }
    sent += messages.length
  })
  expect(sent).toBeGreaterThan(0)
  expect(held).toBeGreaterThan(0)
})

type Send = { until?: string; on?: string | string[]; between?: [string, string] }

/** What the file of its campaign says of when it may go out. */
function sendOf(
  { campaigns }: DefinitionBundle,
  { campaignId, messageId }: Simulated['messages'][number]['intent'],
): Send | undefined {
  let found: Send | undefined
  JSON.stringify(
    campaigns.find(({ id }) => id === campaignId),
    (_, value) => {
      if (value?.template && value.id === messageId) found = value.send
      return value
    },
  )
  return found
}

function isNamed(at: string, { on, between = ['00:00', '24:00'] }: Send, timeZone: string) {
  const weekday = new Intl.DateTimeFormat('en', { timeZone, weekday: 'long' })
  const day = weekday.format(Date.parse(at)).toLowerCase()
  const date = new Intl.DateTimeFormat('sv', { timeZone }).format(Date.parse(at))
  const isFree = day.startsWith('s') || ['2026-04-06', '2026-04-27'].includes(date)
  const time = localTime(at, timeZone)
  const isOn = on === 'working-day' ? !isFree : on === 'any-day' || on?.includes(day)
  return isOn && time >= between[0] && time < between[1]
}

function localTime(at: string, timeZone: string): string {
  return new Intl.DateTimeFormat('nl', { timeZone, hour: '2-digit', minute: '2-digit' }).format(
    Date.parse(at),
  )
}

function isQuiet(time: string, { from, until }: { from: string; until: string }): boolean {
  return from < until ? time >= from && time < until : time >= from || time < until
}

test('nothing goes out of a version that had been overtaken, or of what was cancelled (P3)', () => {
  let moved = 0
  always((bundle, history) => {
    for (const { intent, at, eventId } of live(bundle, history).messages.filter(isHandedOver)) {
      const { entity } = intent
      if (!entity) continue
      const newest = history
        .filter(({ event, arrivedAt }) => event.entity === entityKey(entity) && arrivedAt <= at)
        .reduce<Arrival | null>(
          (last, each) => (versionOf(each) > versionOf(last) ? each : last),
          null,
        )
      expect(entity.version).toBe(versionOf(newest))
      // Of a cancellation itself may be told.
      if (newest?.event.type.includes('cancelled')) expect(eventId).toBe(newest.event.id)
      if (entity.version > 1) moved += 1
    }
  })
  expect(moved).toBeGreaterThan(0)
})

function versionOf(arrival: Arrival | null): number {
  return arrival?.event.version ?? 0
}

test('nobody who died is written to, nobody who withdrew, and nobody for what they did not agree to (P3)', () => {
  always((bundle, history) => {
    for (const { intent, name, at } of live(bundle, history).messages.filter(isHandedOver)) {
      const before = history.filter(
        ({ event, arrivedAt }) => `ehr:${event.subject}` === name && arrivedAt <= at,
      )
      expect(before.some(({ event }) => event.type === 'person.deceased.v1')).toBe(false)
      const said = before
        .filter(({ event }) => event.type.startsWith('consent.'))
        .filter(({ event }) => event.data.purpose === 'all' || event.data.purpose === intent.class)
      const purposes = Map.groupBy(said, ({ event }) => event.data.purpose)
      for (const own of purposes.values()) {
        const times = own.map(({ event }) => event.time).toSorted()
        const last = own.filter(({ event }) => event.time === times.at(-1))
        expect(last.some(({ event }) => event.type === 'consent.withdrawn.v1')).toBe(false)
      }
      if (bundle.policies.classes[intent.class].consent === 'required')
        expect(said.some(({ event }) => event.type === 'consent.granted.v1')).toBe(true)
    }
  })
})

test('what ends a campaign ends it at once: nothing more of what began before (P3)', () => {
  always((bundle, history) => {
    const messages = live(bundle, history).messages.filter(isHandedOver)
    for (const { intent, name, at, eventId } of messages) {
      const file = bundle.campaigns.find(({ id }) => id === intent.campaignId)
      const ends = file?.exit.filter(({ where, entity }) => !where && entity === 'any') ?? []
      const own = history.filter(({ event }) => `ehr:${event.subject}` === name)
      const began = own.findIndex(({ event }) => event.id === eventId)
      // It began by itself, when a day had passed.
      if (began < 0) continue
      const ended = own.findIndex(
        ({ event, arrivedAt }, index) =>
          index > began &&
          arrivedAt <= at &&
          !event.entity &&
          // What has gone through and told all it had is told anew when its appointment moves.
          !(intent.entity && intent.plannedAt > arrivedAt) &&
          ends.some(({ touchpoint }) => touchpoint === event.type),
      )
      expect(ended).toBe(-1)
    }
  })
})
