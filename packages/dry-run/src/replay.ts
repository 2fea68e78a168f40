import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import { type Decided, decideDates, decideEvent, decideTimer } from '@wegwijs/campaign/decide'
import type { DecideContext, Decision } from '@wegwijs/campaign/draft'
import {
  type StartTrace,
  type TouchpointTrace,
  traceStart,
  traceStep,
  traceTouchpoint,
} from '@wegwijs/campaign/explain/campaign-trace'
import type { LabelledTrace } from '@wegwijs/campaign/explain/words'
import type { Instant } from '@wegwijs/campaign/instant'
import { decideRelation, isRelationEvent } from '@wegwijs/campaign/relations'
import type {
  Intent,
  IntentState,
  JourneyEvent,
  OtherPerson,
  PersonState,
  Task,
  Timer,
} from '@wegwijs/campaign/state'
import { derivedUuid } from '@wegwijs/runtime/derived-id'

/** What is on record of one person, as far as it decides what came of it. */
export type PersonRecord = {
  /** As they were before the first of the events, as far as that is known. */
  before: PersonState
  /** In the order in which they were taken in; `at` in business time. */
  events: readonly { event: JourneyEvent; at: Instant }[]
  /** When moments came that people waited for. */
  timers: readonly { enrolmentId: string | null; campaignId: string | null; at: Instant }[]
  messages: readonly MessageFate[]
  /** Whom the person is related to, by the id that the relation has of them, as they are now. */
  others: ReadonlyMap<string, OtherPerson>
  /** Whom the events name, by `id space:id`, as who they are now. */
  named: ReadonlyMap<string, string>
  /** Until when moments come, an ISO instant. */
  until: Instant
}

/** What became of a message without the core: it went out, or the last check refused it. */
export type MessageFate = {
  intentId: string
  state: IntentState
  reason: string | null
  settledAt: Instant | null
  attempts: readonly { at: Instant; outcome: string; channel: string }[]
}

/** One thing that was decided, decided again. */
export type ReplayedMoment = {
  at: Instant
  /** The event; null when a moment came that somebody waited for. */
  event: JourneyEvent | null
  enrolmentId: string | null
  /** The campaign of which the date has come; null for anything else. */
  campaignId: string | null
  /** Null when it could not be decided again. */
  decided: Pick<Decided, 'outcome' | 'decisions'> | null
  /** Whether each live campaign starts by it, also of those that never looked. */
  starts: readonly StartTrace[]
  /** What it is to the runs that may end by it or wait for it. */
  touchpoints: readonly TouchpointTrace[]
  /** The conditions of the steps that were taken, by {@link stepKey}. */
  steps: ReadonlyMap<string, readonly LabelledTrace[]>
}

export function stepKey(enrolmentId: string, path: string): string {
  return `${enrolmentId} ${path}`
}

/** More than anybody waits for in a life; a definition that goes round in a circle ends here. */
const mostTimers = 10_000

/**
 * Decides one person's life again, through the same core, in memory, and looks on: what every condition
 * saw when it was asked. Nothing of it is stored, and nothing is sent. `definitionAt` is the definition
 * that was in force at a moment, null before there was one.
 *
 * It comes out as it did unless something is not on record any more: fields of the person are kept as
 * they are now, events as long as their retention.
 */
export function replay(
  record: PersonRecord,
  definitionAt: (instant: Instant) => CompiledDefinition | null,
): ReplayedMoment[] {
  const replaying = new Replaying(record, definitionAt)
  replaying.awaitDates(record.events[0]?.at ?? record.until)
  for (const { event, at } of record.events) {
    replaying.comeTo(at)
    replaying.take(event, at)
  }
  replaying.comeTo(record.until)
  return replaying.moments
}

class Replaying {
  readonly moments: ReplayedMoment[] = []
  readonly #record: PersonRecord
  readonly #definitionAt: (instant: Instant) => CompiledDefinition | null
  readonly #fates: ReadonlyMap<string, MessageFate>
  readonly #words: ReadonlyMap<string, TaskWord>
  #state: PersonState
  #timersLeft = mostTimers

  constructor(record: PersonRecord, definitionAt: (instant: Instant) => CompiledDefinition | null) {
    this.#record = record
    this.#definitionAt = definitionAt
    this.#state = record.before
    this.#fates = new Map(record.messages.map((message) => [message.intentId, message]))
    this.#words = new Map(record.events.flatMap(({ event }) => taskWordIn(event)))
  }

  /** Waits for the dates that are fields of the person: no event on record says them. */
  awaitDates(at: Instant): void {
    const definition = this.#definitionAt(at)
    if (definition === null) return
    const context = { definition, now: at, deriveId: derivedUuid }
    this.#state = decideDates(this.#state, definition.dates.ofPerson, context).state
  }

  /** Lets the moments come that are waited for until then. */
  comeTo(instant: Instant): void {
    for (; this.#timersLeft > 0; this.#timersLeft -= 1) {
      const next = [...this.#state.timers.values()]
        .map((timer) => ({ timer, at: this.#firedAt(timer) }))
        .filter(({ at }) => at <= instant)
        .sort((a, b) => (a.at + a.timer.timerId < b.at + b.timer.timerId ? -1 : 1))[0]
      if (!next) return
      const { timer, at } = next
      const before = this.#state
      const campaignId = timer.enrolmentId === null ? timer.campaignId : null
      const moment = { at, event: null, enrolmentId: timer.enrolmentId, campaignId }
      this.#decide(moment, (state, context) => decideTimer(state, timer, context))
      // What could not be decided is not tried for ever.
      if (this.#state === before) this.#forget(timer)
    }
  }

  take(event: JourneyEvent, at: Instant): void {
    // The shell links and merges; of both records there is one by now.
    if (event.type === 'person.merged.v1' || event.type === 'person.identified.v1') return
    if (isRelationEvent(event)) {
      const otherId = this.#record.named.get(`${event.data.idSpace}:${event.data.externalId}`)
      if (otherId === undefined) return
      const moment = { at, event, enrolmentId: null, campaignId: null }
      this.#decide(moment, (state) => decideRelation(state, event, { otherId, now: at }))
      return
    }
    this.#decide({ at, event, enrolmentId: null, campaignId: null }, (state, context) =>
      decideEvent(state, event, context),
    )
  }

  /** When it really came, where that is on record: somebody may have been late. */
  #firedAt(timer: Timer): Instant {
    const { dueAt } = timer
    const isOf = (came: PersonRecord['timers'][number]) =>
      timer.enrolmentId === null
        ? came.campaignId === timer.campaignId
        : came.enrolmentId === timer.enrolmentId
    const came = this.#record.timers
      .filter((each) => isOf(each) && each.at >= dueAt)
      .map(({ at }) => at)
    return came.sort()[0] ?? dueAt
  }

  #forget({ timerId }: Timer): void {
    const timers = new Map(this.#state.timers)
    timers.delete(timerId)
    this.#state = { ...this.#state, timers }
  }

  #decide(
    moment: Pick<ReplayedMoment, 'at' | 'event' | 'enrolmentId' | 'campaignId'>,
    decide: (state: PersonState, context: DecideContext) => Decided,
  ): void {
    const { at } = moment
    const definition = this.#definitionAt(at)
    const starts: StartTrace[] = []
    const touchpoints: TouchpointTrace[] = []
    const steps = new Map<string, readonly LabelledTrace[]>()
    const seen = { ...moment, starts, touchpoints, steps }
    if (definition === null) {
      this.moments.push({ ...seen, decided: null })
      return
    }
    const { others } = this.#record
    const otherOf = (personId: string) => others.get(personId) ?? null
    const context: DecideContext = { definition, now: at, deriveId: derivedUuid, otherOf }
    const watched: DecideContext = {
      ...context,
      watch: {
        starts: (draft, event, before, byDate) => {
          const asked = { draft, event, before, isByDate: byDate !== undefined }
          for (const campaign of byDate ? [byDate] : liveCampaignsOf(definition))
            starts.push(traceStart(asked, campaign, context))
        },
        touchpoint: (draft, event) => {
          touchpoints.push(...traceTouchpoint(draft, event, context))
        },
        step: (run) => {
          steps.set(stepKey(run.enrolment.enrolmentId, run.node.path), traceStep(run))
        },
      },
    }
    this.moments.push({ ...seen, decided: this.#decided(watched, decide) })
  }

  #decided(
    context: DecideContext,
    decide: (state: PersonState, context: DecideContext) => Decided,
  ): { outcome: Decided['outcome']; decisions: Decision[] } | null {
    try {
      const { state, ...decided } = decide(this.#withFates(context.now), context)
      this.#state = state
      return decided
    } catch (error) {
      // A version that is not on record any more, or a state that never was.
      if (error instanceof RangeError) return null
      throw error
    }
  }

  /** The person's state with what had become of their messages, and been said of their tasks, by then. */
  #withFates(now: Instant): PersonState {
    const tasks = [...this.#state.tasks].map(([id, task]): [string, Task] => {
      const said = this.#words.get(id)
      return [id, said && said.at <= now ? { ...task, said: said.outcome } : task]
    })
    const intents = [...this.#state.intents].map(([id, intent]): [string, Intent] => {
      const fate = this.#fates.get(id)
      return [id, fate ? withFate(intent, fate, now) : intent]
    })
    return { ...this.#state, intents: new Map(intents), tasks: new Map(tasks) }
  }
}

type TaskWord = { outcome: string; at: Instant }

/** It counts from when it was said, which is the time of its event. */
function taskWordIn({ type, time, data }: JourneyEvent): [string, TaskWord][] {
  if (type !== 'task.done.v1') return []
  return [[String(data.taskId), { outcome: String(data.outcome), at: time }]]
}

/** What providers reported comes by itself, as an event. */
function withFate(intent: Intent, fate: MessageFate, now: Instant): Intent {
  if (intent.state !== 'planned') return intent
  const accepted = fate.attempts.find(({ outcome, at }) => outcome === 'accepted' && at <= now)
  if (accepted) {
    const { channel, at: sentAt } = accepted
    return { ...intent, state: 'sent', sentAt, channel: channel as never }
  }
  const isOver = fate.settledAt !== null && fate.settledAt <= now
  return isOver && refused.has(fate.state)
    ? { ...intent, state: fate.state, reason: fate.reason }
    : intent
}

const refused: ReadonlySet<IntentState> = new Set(['skipped', 'expired', 'failed', 'held'])

function liveCampaignsOf({ starters }: CompiledDefinition): Set<CompiledCampaign> {
  return new Set([...starters.values()].flatMap((byPersona) => [...byPersona.values()].flat()))
}
