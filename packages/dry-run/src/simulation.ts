import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import { decideDates, decideEvent, decideTimer } from '@wegwijs/campaign/decide'
import type { ChannelName } from '@wegwijs/campaign/definition/words'
import type { Decision } from '@wegwijs/campaign/draft'
import { withoutFinishedRuns } from '@wegwijs/campaign/finished-runs'
import type { Instant } from '@wegwijs/campaign/instant'
import { type Identity, otherIdentityOf } from '@wegwijs/campaign/journey-event'
import { isKnownByNoAlone } from '@wegwijs/campaign/known-by-no'
import { countsAs } from '@wegwijs/campaign/last-check'
import { mergePeople } from '@wegwijs/campaign/merge'
import { isThrough, moveRuns } from '@wegwijs/campaign/move'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import { decideRelation, isRelationEvent } from '@wegwijs/campaign/relations'
import {
  type Consent,
  campaignKey,
  consentKey,
  type Entity,
  entityKey,
  type Intent,
  isOpen,
  type JourneyEvent,
  type Person,
  type PersonState,
  type Relation,
  relationKey,
} from '@wegwijs/campaign/state'
import { createGrid, endOfTime } from '@wegwijs/rehearsal/steps'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Rendered } from '@wegwijs/template/template'
import type { Rejection, RejectionClass } from '@wegwijs/wire/touchpoint-event'
import { CountedMessages } from './counted-messages.ts'
import { type DeliverContext, deliver, letGoOn } from './deliver.ts'
import { type DueMessage, sendInTurn } from './due-messages.ts'
import {
  dueMessages,
  dueTimers,
  nextMessage,
  nextTimer,
  type TaskWord,
  wordsOf,
} from './due-of-person.ts'
import { DuePeople } from './due-people.ts'
import type { OutcomeRates, Outcomes } from './outcome-model.ts'
import { People, type PersonNumber } from './people.ts'
import {
  MovedCounting,
  type MovedRuns,
  type Publication,
  type SimulatedMove,
} from './publication.ts'
import { Reached } from './reached.ts'
import { receiptsOf, taskDoneEvent } from './reports.ts'
import { createSeenEvents } from './seen-events.ts'
import type { Sending } from './sending.ts'
import { type Arrived, takeIn } from './take-in.ts'

export type SimulationOptions = {
  definition: CompiledDefinition
  sending: Sending
  outcomes: Outcomes
  /** ISO 8601, as a rehearsal steps; PT0S stops at every moment at which something happens. */
  step?: string
  /** Keep the runs that nothing touches any more, to ask how they ended. Default: they are forgotten. */
  keepsFinishedRuns?: boolean
  /** Whose text `onMessage` wants; without it, everyone's. What a whole country gets at once is kept till then. */
  asksForText?(intentId: string): boolean
  /** Told of each message when it has come to its end, once. */
  onMessage(message: SimulatedMessage): void
  /** Told of everything that a campaign concluded about somebody, and of the event that led to it; null: none did. */
  onDecision?(person: PersonNumber, decision: Decision, event: JourneyEvent | null): void
  /**
   * Told of each event that was applied, what providers and teams report among them, and what became of it,
   * before what campaigns concluded.
   */
  onEvent?(person: PersonNumber, event: JourneyEvent, outcome: ReasonCode): void
}

/** A message and what it came to. */
export type SimulatedMessage = {
  person: PersonNumber
  /** Who got it, or would have. */
  receiver: PersonNumber
  persona: string | null
  intent: Intent
  channel: ChannelName
  /** The event that began the run in which it was planned. */
  eventId: string
  /** What it was planned for at first, an ISO instant. */
  plannedFor: Instant
  /** When it came to that, an ISO instant. */
  at: string
  /** What the person would have read; null when nothing was handed over, or nobody asked for it. */
  rendered: Rendered | null
  /** The language in which it was written; null when nothing was handed over. */
  locale: string | null
}

/** Somebody who is known before their first event. */
export type KnownPerson = {
  identities: readonly Identity[]
  person: Person
  consents: readonly Consent[]
  entities: readonly Entity[]
  relations: readonly { other: Identity; relation: Relation }[]
}

export type SimulationTally = {
  events: number
  applied: number
  duplicates: number
  /** What could not be used, by class. */
  deadLetters: Partial<Record<RejectionClass, number>>
  people: number
  /** Where virtual time stands, ISO instants; null before the first event. */
  from: string | null
  until: string | null
}

/**
 * A dry run: the same core as the live pipeline, on a virtual clock, with people in memory and nobody
 * to write to. Events come in their order of arrival. At each moment, in turn, as the conductor of a
 * rehearsal has it (packages/rehearsal/src/conductor.ts):
 *
 * 1. what is due by now: everybody's timers, then everybody's messages with their last check, until nothing of
 *    it is left; then what providers report of it, and what teams say of their tasks; and so on, until neither
 *    leads to anything more at this moment;
 * 2. the events that have arrived by now;
 * 3. what became due by that, as in 1.
 *
 * Then time jumps to the next event or due time, rounded up to the step. What comes out is a matter of
 * the input alone. One person hangs on another by places alone: those of a band (Reached), and those in the
 * contact budget of somebody who gets messages about several (sendInTurn).
 */
export class Simulation {
  /** Of messages that were put off, what they were planned for, and at which channel they are. */
  readonly #putOff = new Map<string, { plannedFor: Instant; channel: ChannelName }>()
  readonly people: People
  readonly #options: SimulationOptions
  readonly #counted: CountedMessages
  readonly #reached: Reached
  readonly #grid: ReturnType<typeof createGrid>
  readonly #timersDue = new DuePeople()
  readonly #messagesDue = new DuePeople()
  /** Whose tasks are done next, and when. */
  readonly #tasksDue = new DuePeople()
  /** What went out at this moment, of which nothing has been heard yet. */
  #unheard: Sent[] = []
  /** Who have a part in that. */
  readonly #awaited = new Set<PersonNumber>()
  /** Of whom a run is forgotten: they are known by more than what is left of them. */
  readonly #hadRuns = new Set<PersonNumber>()
  readonly #seen = createSeenEvents()
  readonly #context: DeliverContext
  /** By which shares tasks are done; null when nobody does any. */
  readonly #teams: OutcomeRates | null
  readonly #tally = { events: 0, applied: 0, duplicates: 0 }
  readonly #deadLetters: Partial<Record<RejectionClass, number>> = {}
  /** Who was introduced since time last went on, and whose dates are still to be waited for. */
  #introduced: PersonNumber[] = []
  #from: string | null = null
  /** Event time that has been reached: what stands below a later event arrives with it. */
  #arrived = ''
  #nowMs = Number.NEGATIVE_INFINITY

  constructor(options: SimulationOptions, people = new People()) {
    this.people = people
    this.#options = options
    this.#grid = createGrid(options.step ?? 'PT0S')
    const { definition, sending, outcomes } = options
    this.#teams = typeof outcomes === 'object' && (outcomes.done ?? 0) > 0 ? outcomes : null
    this.#counted = new CountedMessages(sending.budgets)
    this.#reached = new Reached(definition.reach, definition.timeZone)
    this.#context = {
      definition,
      sending,
      outcomes,
      now: '',
      deriveId: derivedUuid,
      otherOf: (personId) => this.people.otherOf(personId),
    }
  }

  get tally(): SimulationTally {
    return {
      ...this.#tally,
      deadLetters: this.#deadLetters,
      people: this.people.count,
      from: this.#from,
      until: this.#context.now === '' ? null : this.#context.now,
    }
  }

  /** Where time stands, an ISO instant; empty before the first event. */
  get now(): string {
    return this.#context.now
  }

  /** Lets time come to this instant, with all that is due by then; events may still come at it. */
  goOnTo(instant: string): void {
    if (instant > this.#arrived) this.#arrived = instant
    const next = this.#grid.roundUp(this.#arrived)
    if (next === this.#context.now) this.#playDue()
    else this.#comeTo(next)
  }

  /** Decides what a provider reports of a message, now. */
  hear(person: PersonNumber, receipt: JourneyEvent): void {
    this.#applyOrPutAside({ event: receipt, person, other: null })
  }

  /**
   * Puts another definition in force, now, as publishing does: people go on by the versions they are in, but
   * for those whom it moves. What comes from now on is decided by the new one.
   */
  publish({ after, sending, moves }: Publication): MovedRuns[] {
    this.#playDue()
    const known = this.#context.definition.campaigns
    this.#context.definition = after
    this.#context.sending = sending
    const begun = this.#waitingForDates().filter(
      ({ id, version }) => !known.has(campaignKey(id, version)),
    )
    const moved = new MovedCounting()
    for (let person = 0; person < this.people.made; person += 1) {
      if (this.people.survivorOf(person) !== person) continue
      this.#moveRuns(person, moves, moved)
      this.awaitDates(person, begun)
    }
    return moved.told(moves, after)
  }

  #moveRuns(person: PersonNumber, moves: readonly SimulatedMove[], moved: MovedCounting): void {
    for (const move of moves) {
      const before = this.people.stateOf(person)
      const own = [...before.enrolments.values()].filter(
        (run) =>
          run.campaignId === move.campaign &&
          run.version === move.from &&
          (run.state === 'running' || isThrough(before, run)),
      )
      const { campaigns } = this.#context.definition
      const [from, to] = [move.from, move.to].map((version) =>
        campaigns.get(campaignKey(move.campaign, version)),
      )
      if (own.length === 0 || !from || !to) continue
      for (const { state, step } of own)
        if (state === 'running') moved.add(move, step ?? '')
        else moved.addThrough(move)
      const decided = moveRuns(before, { from, to, steps: move.steps }, this.#context)
      this.#keep(person, this.#decided(person, before, decided, null))
    }
  }

  /** Makes a person of whom more is known than events will tell. All their ids are theirs from now on. */
  introduce({ identities, person, consents, entities, relations }: KnownPerson): void {
    const [first, ...others] = identities
    const number = first && this.people.find(first)
    if (number === undefined || number === null) return
    for (const other of others) this.people.link(number, other)
    const before = this.people.stateOf(number)
    this.people.put(number, {
      ...before,
      person: { ...person, personId: before.person.personId },
      consents: new Map(consents.map((consent) => [consentKey(consent), consent])),
      entities: new Map(entities.map((entity) => [entityKey(entity), entity])),
      relations: new Map(relations.flatMap((each) => this.#relationTo(each))),
    })
    const { dates, becoming } = this.#context.definition
    if (dates.byId.size + becoming.byId.size > 0) this.#introduced.push(number)
  }

  /** Waits for the dates that are known of somebody and lie ahead, as when campaigns are published. */
  awaitDates(person: PersonNumber, campaigns = this.#waitingForDates()): void {
    if (campaigns.length === 0) return
    const before = this.people.stateOf(person)
    const decided = decideDates(before, campaigns, this.#context)
    this.#keep(person, this.#decided(person, before, decided, null))
  }

  #waitingForDates(): CompiledCampaign[] {
    const { dates, becoming } = this.#context.definition
    return [...dates.byId.values(), ...becoming.byId.values()]
  }

  /** By our own id of them here. */
  #relationTo({ other, relation }: KnownPerson['relations'][number]): [string, Relation][] {
    const number = this.people.find(other)
    if (number === null) return []
    const own = { ...relation, otherId: this.people.idOf(number) }
    return [[relationKey(own), own]]
  }

  /**
   * Lets time come to the event, and decides it. Where nobody knows when it arrived, it did when it
   * happened, and not before what was taken before it.
   */
  take(event: Arrived, arrivedAt: string = event.time): void {
    this.#tally.events += 1
    if (arrivedAt > this.#arrived) this.#arrived = arrivedAt
    const instant = this.#grid.roundUp(this.#arrived)
    if (instant !== this.#context.now) this.#comeTo(instant)
    this.#from ??= instant
    this.#decide(event)
  }

  /** An input that could not even be read as an event. */
  reject(errorClass: RejectionClass): void {
    this.#tally.events += 1
    this.#deadLetter(errorClass)
  }

  /** Lets time go on until nothing is due any more, for as long as a rehearsal goes on. */
  finish(): SimulationTally {
    this.#playDue()
    const endMs = this.#arrived === '' ? 0 : Date.parse(endOfTime(this.#arrived))
    for (let next = this.#nextMs(); next !== undefined; next = this.#nextMs()) {
      if (next > endMs) break
      this.#stand(this.#grid.roundUp(new Date(next).toISOString()))
      this.#playDue()
    }
    return this.tally
  }

  #comeTo(instant: string): void {
    this.#playDue()
    for (let next = this.#nextMs(); next !== undefined; next = this.#nextMs()) {
      const between = this.#grid.roundUp(new Date(next).toISOString())
      if (between >= instant) break
      this.#stand(between)
      this.#playDue()
    }
    this.#stand(instant)
    this.#playDue()
  }

  #stand(instant: string): void {
    this.#context.now = instant
    this.#nowMs = Date.parse(instant)
    for (const person of this.#introduced) this.awaitDates(person)
    this.#introduced = []
  }

  #nextMs(): number | undefined {
    const queues = [this.#timersDue, this.#messagesDue, this.#tasksDue]
    const next = queues.flatMap((queue) => queue.nextMs() ?? [])
    return next.length === 0 ? undefined : Math.min(...next)
  }

  #isDue(queue: DuePeople): boolean {
    return (queue.nextMs() ?? Number.POSITIVE_INFINITY) <= this.#nowMs
  }

  #playDue(): void {
    do {
      while (this.#isDue(this.#timersDue) || this.#isDue(this.#messagesDue)) {
        for (const person of this.#takeAll(this.#timersDue)) this.#fireTimers(person)
        this.#sendDue()
      }
      const teams = [...this.#takeAll(this.#tasksDue)]
      this.#hearOfSent()
      for (const person of teams) this.#sayTasksDone(person)
    } while (
      [this.#timersDue, this.#messagesDue, this.#tasksDue].some((queue) => this.#isDue(queue))
    )
  }

  *#takeAll(queue: DuePeople): Generator<PersonNumber> {
    for (;;) {
      const person = queue.take(this.#nowMs)
      if (person === undefined) return
      yield person
    }
  }

  #fireTimers(person: PersonNumber): void {
    const { now } = this.#context
    let state = this.people.stateOf(person)
    for (const timer of dueTimers(state, now)) {
      state = this.#decided(person, state, decideTimer(state, timer, this.#context), null)
    }
    this.#keep(person, state)
    const next = nextMessage(state)
    if (next === null || next > now) this.#forgetUnlessAwaited(person)
  }

  /** What timers planned for now goes out now: all of it is there before the first takes a place. */
  #sendDue(): void {
    const { now } = this.#context
    const people = [...this.#takeAll(this.#messagesDue)]
    const due = people.flatMap((person) => this.#dueOf(person))
    const held = this.#reached.holdBack(due, now)
    sendInTurn(due, ({ person, receiver, intent: { intentId } }) => {
      const before = this.people.stateOf(person)
      const intent = before.intents.get(intentId)
      if (!intent) return null
      const until = held.get(intentId)
      const state =
        until === undefined
          ? this.#send(person, receiver, intent)
          : this.#holdBack(before, intent, until)
      this.people.put(person, state)
      const after = state.intents.get(intentId)
      if (after?.state !== 'planned' || after.dueAt > now) return null
      return after.reason === 'merged_duplicate' ? 'behind' : after.dueAt
    })
    for (const person of people) {
      this.#keep(person, this.people.stateOf(person))
      this.#forgetUnlessAwaited(person)
    }
  }

  #dueOf(person: PersonNumber): DueMessage[] {
    return dueMessages(this.people.stateOf(person), this.#context.now).map((intent) => {
      const { intentId, campaignId, expiresAt, dueAt, recipient } = intent
      const receiver = recipient ? this.people.numberOfId(recipient.personId) : person
      const plannedFor = this.#plannedForOf(intent)
      return { person, receiver, plannedFor, dueAt, intent: { intentId, campaignId, expiresAt } }
    })
  }

  /** A receipt finds no message of a run that is forgotten. */
  #forgetUnlessAwaited(person: PersonNumber): void {
    if (!this.#awaited.has(person)) this.#forgetFinished(person)
  }

  #forgetFinished(person: PersonNumber): void {
    if (this.#options.keepsFinishedRuns) return
    const state = this.people.stateOf(person)
    const rest = withoutFinishedRuns(state, this.#context)
    if (rest === state) return
    this.#hadRuns.add(person)
    this.#keep(person, rest)
  }

  #send(person: PersonNumber, to: PersonNumber | null, intent: Intent): PersonState {
    const before = this.people.stateOf(person)
    const counted = to === null ? [] : this.#counted.of(to)
    const from = this.#putOff.get(intent.intentId)?.channel
    const other = to === null || to === person ? null : this.people.stateOf(to)
    const receiverState = intent.recipient ? (to === person ? before : other) : undefined
    const delivered = deliver(
      before,
      intent,
      { counted, from, receiver: receiverState },
      this.#context,
    )
    const last = delivered.state.intents.get(intent.intentId) ?? intent
    const state = letGoOn(delivered.state, last, this.#context.now)
    if (delivered.rendered !== null && to !== null) {
      const { class: own } = intent
      const intentId = countsAs(intent)
      this.#counted.add(to, { intentId, class: own, at: this.#context.now })
    }
    // It is too early, one too many, or for another channel: of this message there is nothing to tell yet.
    if (last.state === 'planned') {
      const { channel } = delivered
      this.#putOff.set(last.intentId, { plannedFor: this.#plannedForOf(intent), channel })
    } else if (delivered.rendered === null) {
      this.#tellMessage(person, state, { ...delivered, intent: last, locale: null })
    } else {
      const { channel } = delivered
      const asks = this.#options.asksForText?.(last.intentId) ?? true
      const rendered = asks ? delivered.rendered : null
      const { locale } = delivered.rendered
      const receiver = to === person ? null : to
      this.#unheard.push({ person, receiver, intentId: last.intentId, channel, rendered, locale })
      this.#awaited.add(person)
    }
    return state
  }

  /** Its campaign has reached as far as it may. */
  #holdBack(state: PersonState, intent: Intent, dueAt: Instant): PersonState {
    const held: Intent = { ...intent, reason: 'reach_used', dueAt }
    const channel = this.#putOff.get(intent.intentId)?.channel ?? intent.channels[0]
    const plannedFor = this.#plannedForOf(intent)
    if (channel) this.#putOff.set(intent.intentId, { plannedFor, channel })
    return { ...state, intents: new Map(state.intents).set(intent.intentId, held) }
  }

  /** All of the moment is out by now. */
  #hearOfSent(): void {
    const sent = this.#unheard
    this.#unheard = []
    for (const { person, receiver, intentId, channel, rendered, locale } of sent) {
      const message = this.people.stateOf(person).intents.get(intentId)
      if (!message) continue
      for (const receipt of this.#receiptsOf(person, receiver, { intent: message, channel })) {
        this.#decideOwn(person, receipt)
        // What it says of an address, or of a wish, is the recipient's own event.
        if (receiver !== null) this.#decideOwn(receiver, receipt)
      }
      const state = this.people.stateOf(person)
      const intent = state.intents.get(intentId) ?? message
      this.#tellMessage(person, state, { intent, channel, rendered, locale })
    }
    const awaited = [...this.#awaited]
    this.#awaited.clear()
    for (const person of awaited) this.#forgetFinished(person)
  }

  #receiptsOf(
    person: PersonNumber,
    receiver: PersonNumber | null,
    sent: { intent: Intent; channel: ChannelName },
  ): JourneyEvent[] {
    const { person: about } = this.people.stateOf(person)
    const to = sent.intent.recipient && this.people.idOf(receiver ?? person)
    return receiptsOf({ person: about, recipientId: to ?? undefined, ...sent }, this.#context)
  }

  /** As teams do in a rehearsal (packages/rehearsal/src/task-words.ts). */
  #sayTasksDone(person: PersonNumber): void {
    for (const { taskId, at, outcome } of this.#wordsOf(this.people.stateOf(person))) {
      if (at > this.#context.now) break
      const { person: about } = this.people.stateOf(person)
      this.#decideOwn(person, taskDoneEvent({ person: about, taskId, outcome }, this.#context.now))
    }
  }

  /** An event of our own, about this person. */
  #decideOwn(person: PersonNumber, event: JourneyEvent): void {
    const before = this.people.stateOf(person)
    const own = { ...event, subject: before.person.personId }
    const decided = decideEvent(before, own, this.#context)
    this.#options.onEvent?.(person, own, decided.outcome)
    this.#keep(person, this.#decided(person, before, decided, own))
  }

  /** What it was planned for, however often it has been put off since. */
  #plannedForOf({ intentId, dueAt }: Intent): Instant {
    return this.#putOff.get(intentId)?.plannedFor ?? dueAt
  }

  /** Tells of what was decided about a person; gives the state that it left. */
  #decided(
    person: PersonNumber,
    before: Pick<PersonState, 'intents'>,
    { state, decisions }: { state: PersonState; decisions: readonly Decision[] },
    event: JourneyEvent | null,
  ): PersonState {
    for (const decision of decisions) this.#options.onDecision?.(person, decision, event)
    for (const [id, intent] of state.intents) {
      const known = before.intents.get(id)
      if (known === intent || isOpen(intent) || (known && !isOpen(known))) continue
      // Withdrawn before it was due.
      const channel = this.#putOff.get(id)?.channel ?? intent.channels[0]
      if (channel)
        this.#tellMessage(person, state, { intent, channel, rendered: null, locale: null })
    }
    return state
  }

  #keep(person: PersonNumber, state: PersonState): void {
    this.people.put(person, state)
    const [timer, message] = [nextTimer(state), nextMessage(state)]
    this.#timersDue.set(person, timer === null ? null : Date.parse(timer))
    this.#messagesDue.set(person, message === null ? null : Date.parse(message))
    if (!this.#teams) return
    const word = this.#wordsOf(state)[0]
    this.#tasksDue.set(person, word === undefined ? null : Date.parse(word.at))
  }

  #wordsOf(state: PersonState): TaskWord[] {
    return this.#teams ? wordsOf(state, this.#teams) : []
  }

  #decide(incoming: Arrived): void {
    const addressed = this.#address(incoming)
    if ('errorClass' in addressed) this.#deadLetter(addressed.errorClass)
    else if (this.#seen.add(addressed.event, this.#nowMs)) this.#applyOrPutAside(addressed)
    else this.#tally.duplicates += 1
  }

  /** Whose event it is, and for a merge or a link who else is meant; people are made, and linked. */
  #address(incoming: Arrived): Addressed | Rejection {
    const taken = takeIn(incoming, this.#context)
    if ('errorClass' in taken) return taken
    const { event, identity } = taken
    const person = this.people.find(identity)
    if (person === null) return nobody
    const named = otherIdentityOf(event)
    if (named && event.type === 'person.identified.v1') this.people.link(person, named)
    const other = named && this.people.find(named)
    return named && other === null ? nobody : { event, person, other }
  }

  /** As a record that cannot be applied becomes a dead letter, and its partition goes on. */
  #applyOrPutAside(addressed: Addressed): void {
    try {
      this.#apply(addressed)
      this.#tally.applied += 1
    } catch {
      this.#deadLetter('apply_failed')
    }
  }

  #apply({ event, person, other }: Addressed): void {
    if (event.type === 'person.merged.v1') this.#merge(person, other, event)
    // The link was made when the people of the event were looked up, unless a no under that id was heard before it.
    if (event.type === 'person.identified.v1' && other !== null)
      if (!this.#hadRuns.has(other) && isKnownByNoAlone(this.people.stateOf(other)))
        this.#merge(person, other, event)
    if (event.type === 'person.merged.v1' || event.type === 'person.identified.v1') return
    const before = this.people.stateOf(person)
    const decided =
      isRelationEvent(event) && other !== null
        ? decideRelation(before, event, {
            otherId: this.people.idOf(other),
            now: this.#context.now,
          })
        : decideEvent(before, event, this.#context)
    this.#options.onEvent?.(person, event, decided.outcome)
    this.#keep(person, this.#decided(person, before, decided, event))
  }

  #merge(into: PersonNumber, from: PersonNumber | null, event: JourneyEvent): void {
    if (from === null || from === into) return
    const [own, other] = [this.people.stateOf(into), this.people.stateOf(from)]
    const merged = mergePeople(own, other, this.#context)
    this.people.merge(from, into)
    this.#counted.merge(from, into)
    if (this.#hadRuns.delete(from)) this.#hadRuns.add(into)
    this.#timersDue.set(from, null)
    this.#messagesDue.set(from, null)
    this.#tasksDue.set(from, null)
    const intents = new Map([...own.intents, ...other.intents])
    this.#keep(into, this.#decided(into, { intents }, merged, event))
  }

  #deadLetter(errorClass: RejectionClass): void {
    this.#deadLetters[errorClass] = (this.#deadLetters[errorClass] ?? 0) + 1
  }

  #tellMessage(
    person: PersonNumber,
    state: PersonState,
    message: Pick<SimulatedMessage, 'intent' | 'channel' | 'rendered' | 'locale'>,
  ): void {
    const plannedFor = this.#plannedForOf(message.intent)
    this.#putOff.delete(message.intent.intentId)
    this.#reached.forget(message.intent)
    this.#options.onMessage({
      ...message,
      plannedFor,
      person,
      persona: state.person.persona,
      receiver: receiverIn(message.intent, person, this.people),
      eventId: state.enrolments.get(message.intent.enrolmentId)?.trigger.id ?? '',
      at: this.#context.now,
    })
  }
}

function receiverIn({ recipient }: Intent, person: PersonNumber, people: People): PersonNumber {
  return recipient ? (people.numberOfId(recipient.personId) ?? person) : person
}

type Sent = {
  person: PersonNumber
  /** Who got it, where that is somebody else. */
  receiver: PersonNumber | null
  intentId: string
  channel: ChannelName
  rendered: Rendered | null
  locale: string
}

type Addressed = { event: JourneyEvent; person: PersonNumber; other: PersonNumber | null }

const nobody: Rejection = { errorClass: 'data_invalid', reason: 'nobody has this id' }
