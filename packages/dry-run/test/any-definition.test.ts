import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { windowMs } from '@wegwijs/campaign/contact-budget'
import { decideEvent } from '@wegwijs/campaign/decide'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { type DecideContext, type Decision, draftOf } from '@wegwijs/campaign/draft'
import { factsOf } from '@wegwijs/campaign/facts'
import { countsAs } from '@wegwijs/campaign/last-check'
import { hangsOnEntity, resolveMoment } from '@wegwijs/campaign/moment'
import {
  campaignKey,
  type Enrolment,
  entityKey,
  type Intent,
  type JourneyEvent,
  type PersonState,
} from '@wegwijs/campaign/state'
import { type StepNode, stepsBehind } from '@wegwijs/campaign/step-node'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { type Arrival, anyHistory, anyHospital } from '@wegwijs/test-support/any-hospital'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileDraft } from '../src/draft.ts'
import { sendingOf } from '../src/sending.ts'
import { Simulation } from '../src/simulation.ts'
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

test('an appointment that moves leaves of each message whose moment lies ahead one that tells it, or a reason why not (P1, P4)', () => {
  const since = { sent: 0, unsent: 0, unplanned: 0 }
  // Much of what is sent does not arrive.
  const outcomes = { bounced: 0.4, none: 0.2, answered: 0.2, seed: 'moved' }
  always((any, happened) => {
    const [bundle, history] = [aboutAppointments(any), moving(happened)]
    const definition = compileDraft(bundle)
    const forgotten: Passed[] = []
    const noted: Decision[] = []
    const simulation = new Simulation({
      definition,
      sending: sendingOf(bundle),
      outcomes,
      onMessage: () => {},
      onEvent: (person, event) => {
        if (!event.entity) return
        const arrival = history.find((each) => each.event.id === event.id)
        const deriveId = (...parts: string[]) => parts.join('|')
        const context = { definition, now: arrival?.arrivedAt ?? '', deriveId }
        const known = simulation.people.stateOf(person)
        const passed = [...known.intents.values(), ...unplanned(known, noted, definition)]
        for (const { told, isTold } of retimed(passed, known, event, context)) {
          if (!isTold) forgotten.push(told)
          if (told.state === null) since.unplanned += 1
          else since[told.state === 'sent' || told.state === 'delivered' ? 'sent' : 'unsent'] += 1
        }
      },
      onDecision: (_, decision) => {
        if (/^moment_|_outlast$/.test(decision.reason)) noted.push(decision)
      },
    })
    for (const { event, arrivedAt } of history) simulation.take(event, arrivedAt)
    simulation.finish()
    expect(forgotten).toEqual([])
  })
  expect(since.sent).toBeGreaterThan(0)
  expect(since.unsent).toBeGreaterThan(0)
  expect(since.unplanned).toBeGreaterThan(0)
})

/** A message that a run has come to; of one of which nothing was planned the state is null. */
type Passed = Pick<Intent, 'enrolmentId' | 'campaignId' | 'version' | 'messageId' | 'step'> &
  Pick<Intent, 'entity'> & { state: Intent['state'] | null; reason: string | null }

/** Those of which it was noted why nothing is planned, and nothing has been since. */
function unplanned(
  { enrolments, intents }: PersonState,
  noted: readonly Decision[],
  { campaigns }: CompiledDefinition,
): Passed[] {
  return noted.flatMap(({ enrolmentId, detail }) => {
    const run = enrolments.get(enrolmentId ?? '')
    const messageId = String(detail?.message ?? detail?.question)
    const isOwn = (intent: Intent) =>
      intent.enrolmentId === enrolmentId && intent.messageId === messageId
    if (!run || [...intents.values()].some(isOwn)) return []
    const nodes = campaigns.get(campaignKey(run.campaignId, run.version))?.nodes.values() ?? []
    return [...nodes]
      .filter(({ step }) => partsOf(step).message?.id === messageId)
      .map(({ path }) => ({ ...run, messageId, step: path, state: null, reason: null }))
  })
}

/** Their steps, for whoever has an appointment; each message and question has a moment of its own before that. */
function aboutAppointments(bundle: DefinitionBundle): DefinitionBundle {
  const send = { until: 'entity.startsAt', offset: '-PT3H', on: 'any-day' }
  const campaigns: DefinitionBundle['campaigns'] = JSON.parse(
    JSON.stringify(bundle.campaigns),
    (_, value) => (value?.template ? { ...value, send } : value),
  )
  const own = campaigns.map(({ goal, holdOut, ...rest }) => ({
    ...rest,
    trigger: { touchpoint: 'care.appointment.booked.v1', maxAge: 'P3D' },
    audience: {},
    entry: 'once-per-entity' as const,
    exit: [],
  }))
  return { ...bundle, campaigns: own }
}

/** One appointment for each person, which moves whenever anything is told of one. */
function moving(history: readonly Arrival[]): Arrival[] {
  const versions = new Map<string, number>()
  return history.map(({ event, arrivedAt }) => {
    if (event.entity === undefined) return { event, arrivedAt }
    const version = (versions.get(event.subject) ?? 0) + 1
    versions.set(event.subject, version)
    const type = `care.appointment.${version === 1 ? 'booked' : 'moved'}.v1`
    const startsAt =
      event.data?.startsAt ?? new Date(Date.parse(arrivedAt) + 86_400_000).toISOString()
    const entity = `appointment/${event.subject}`
    return { event: { ...event, type, entity, version, data: { startsAt } }, arrivedAt }
  })
}

/** The messages of older versions whose own moment lies ahead in the one of which an event tells, of runs that go on. */
function retimed(
  passed: readonly Passed[],
  known: PersonState,
  event: JourneyEvent,
  context: DecideContext,
): { told: Passed; isTold: boolean }[] {
  const { state, decisions } = decideEvent(known, event, context)
  if (state.person.deceasedAt !== null) return []
  return passed.flatMap((told) => {
    const enrolment = state.enrolments.get(told.enrolmentId)
    const version = enrolment?.entity?.version ?? 0
    if (!enrolment || enrolment.state === 'exited' || version <= (told.entity?.version ?? 0))
      return []
    // What became of the newest version that it told counts: another one had told it, or it was withdrawn for good.
    if (passed.some((other) => isOvertakenBy(told, other))) return []
    if (told.state === 'cancelled' && told.reason !== 'entity_superseded') return []
    const campaign = context.definition.campaigns.get(campaignKey(told.campaignId, told.version))
    const node = campaign?.nodes.get(told.step)
    const message = node && partsOf(node.step).message
    if (!campaign || !message?.send || !hangsOnEntity(message.send)) return []
    const facts = factsOf(draftOf(state), context, enrolment)
    const { isWorkingDay } = context.definition
    const moment = resolveMoment(message.send, { ...facts, isWorkingDay }) ?? ''
    if (moment <= context.now || isBehind(enrolment, told.step, campaign.nodes)) return []
    const isPlanned = [...state.intents.values()].some(
      ({ enrolmentId, step, entity }) =>
        enrolmentId === told.enrolmentId && step === told.step && entity?.version === version,
    )
    const isNoted = decisions.some(
      ({ enrolmentId, detail, reason }) =>
        enrolmentId === told.enrolmentId &&
        (detail?.message ?? detail?.question) === told.messageId &&
        reason !== 'entity_superseded',
    )
    return [{ told, isTold: isPlanned || isNoted }]
  })
}

function isOvertakenBy(told: Passed, other: Passed): boolean {
  const isSame = other.enrolmentId === told.enrolmentId && other.step === told.step
  return isSame && (other.entity?.version ?? 0) > (told.entity?.version ?? 0)
}

/** It is planned when the run comes there again. */
function isBehind(
  { step }: Enrolment,
  path: string,
  nodes: ReadonlyMap<string, StepNode>,
): boolean {
  const at = nodes.get(step ?? '')
  return at !== undefined && [...stepsBehind(at, nodes)].some((node) => node.path === path)
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
