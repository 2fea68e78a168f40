import { otherPersonOf } from '@wegwijs/campaign/addressees'
import { decideEvent } from '@wegwijs/campaign/decide'
import type { DecideContext, Decision } from '@wegwijs/campaign/draft'
import { isKnownByNoAlone } from '@wegwijs/campaign/known-by-no'
import { mergePeople } from '@wegwijs/campaign/merge'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import { decideRelation, isRelationEvent } from '@wegwijs/campaign/relations'
import type { OtherPerson, PersonState } from '@wegwijs/campaign/state'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Querying } from '@wegwijs/store/database'
import { rekeyPerson } from '@wegwijs/store/merges'
import { type StateChange, saveStates } from '@wegwijs/store/save-states'
import type { Addressed, LoadedPeople } from './people-of-batch.ts'

/** What became of one event. */
export type DecidedEvent = Addressed & {
  persona: string | null
  outcome: ReasonCode
  decisions: readonly Decision[]
}

/**
 * Decides events one after the other, each on the state that the one before left, and saves the
 * people once at the end. A merge is the exception: what was decided so far is saved first, so that
 * the rows can get their new owner.
 */
export class PeopleInHand {
  readonly #tx: Querying
  readonly #namespace: string
  readonly #context: DecideContext
  readonly #before: Map<string, PersonState>
  readonly #after: Map<string, PersonState>
  readonly #others: LoadedPeople['others']
  readonly #entered: LoadedPeople['entered']
  readonly #mergedInto = new Map<string, string>()

  constructor(
    tx: Querying,
    namespace: string,
    { states, others, entered }: LoadedPeople,
    context: Pick<DecideContext, 'definition' | 'now'>,
  ) {
    this.#namespace = namespace
    this.#tx = tx
    this.#others = others
    this.#entered = entered
    this.#context = {
      ...context,
      deriveId: derivedUuid,
      otherOf: (personId) => this.#otherOf(personId),
    }
    this.#before = new Map(states)
    this.#after = new Map(states)
  }

  async decide(addressed: Addressed): Promise<DecidedEvent> {
    const event = { ...addressed, personId: this.survivorOf(addressed.personId) }
    if (event.event.type === 'person.merged.v1') return this.#merge(event)
    if (event.event.type === 'person.identified.v1') return this.#identify(event)
    const { otherId } = event
    const before = this.#stateOf(event.personId)
    const { state, outcome, decisions } =
      isRelationEvent(event.event) && otherId !== null
        ? decideRelation(before, event.event, {
            otherId: this.survivorOf(otherId),
            now: this.#context.now,
          })
        : decideEvent(before, event.event, this.#context)
    this.#after.set(event.personId, state)
    return this.#decided(event, outcome, decisions)
  }

  /** Who holds the rows of this person now. */
  survivorOf(personId: string): string {
    return this.#mergedInto.get(personId) ?? personId
  }

  /** Writes what changed; returns the changes for whoever is to be woken by them. */
  async save(): Promise<StateChange[]> {
    const changes: StateChange[] = []
    for (const [id, after] of this.#after) {
      const before = this.#before.get(id)
      if (before && before !== after) changes.push({ before, after })
    }
    await saveStates(this.#tx, this.#namespace, changes)
    for (const [id, after] of this.#after) this.#before.set(id, after)
    return changes
  }

  async #merge(event: Addressed): Promise<DecidedEvent> {
    const fromId = event.otherId === null ? null : this.survivorOf(event.otherId)
    if (fromId === null || fromId === event.personId) return this.#decided(event, 'applied', [])
    await this.save()
    await rekeyPerson(this.#tx, this.#namespace, { from: fromId, into: event.personId })
    const [into, from] = [this.#stateOf(event.personId), this.#stateOf(fromId)]
    const { state, decisions } = mergePeople(into, from, this.#context)
    this.#before.set(event.personId, rowsAfterRekeying(into, from))
    this.#after.set(event.personId, state)
    this.#before.delete(fromId)
    this.#after.delete(fromId)
    for (const [id, survivor] of this.#mergedInto) {
      if (survivor === fromId) this.#mergedInto.set(id, event.personId)
    }
    this.#mergedInto.set(fromId, event.personId)
    return this.#decided(event, 'merged', decisions)
  }

  /**
   * The link itself was made when the people of the batch were looked up. A no under the further id may have
   * been heard before it, and made a record of its own: that record is the person's (P3).
   */
  async #identify(event: Addressed): Promise<DecidedEvent> {
    const owner = event.otherId === null ? null : this.survivorOf(event.otherId)
    if (owner !== null && owner !== event.personId && this.#isKnownByNoAlone(owner))
      return { ...(await this.#merge(event)), outcome: 'identity_linked' }
    return this.#decided(event, owner === event.personId ? 'identity_linked' : 'identity_taken', [])
  }

  /** What somebody entered that has run through is not in hand. */
  #isKnownByNoAlone(personId: string): boolean {
    const hasEntered = [...this.#entered].some((id) => this.survivorOf(id) === personId)
    return !hasEntered && isKnownByNoAlone(this.#stateOf(personId))
  }

  #decided(event: Addressed, outcome: ReasonCode, decisions: readonly Decision[]): DecidedEvent {
    return { ...event, persona: this.#stateOf(event.personId).person.persona, outcome, decisions }
  }

  /** Of whoever is in hand, as the events before have left them. */
  #otherOf(personId: string): OtherPerson | null {
    const known = this.#others.get(personId)
    const inHand = this.#after.get(this.survivorOf(known?.personId ?? personId))
    return inHand ? otherPersonOf(inHand.person) : (known ?? null)
  }

  #stateOf(personId: string): PersonState {
    const state = this.#after.get(personId)
    if (!state) throw new RangeError('a person of the batch was not loaded')
    return state
  }
}

/** What stands in the tables once `from` was re-keyed: where both had a row, that of `into` stayed. */
function rowsAfterRekeying(into: PersonState, from: PersonState): PersonState {
  return {
    person: into.person,
    entities: new Map([...from.entities, ...into.entities]),
    consents: new Map([...from.consents, ...into.consents]),
    relations: new Map([...from.relations, ...into.relations]),
    enrolments: new Map([...from.enrolments, ...into.enrolments]),
    timers: new Map([...from.timers, ...into.timers]),
    intents: new Map([...from.intents, ...into.intents]),
    tasks: new Map([...from.tasks, ...into.tasks]),
    entries: new Map([...from.entries, ...into.entries]),
  }
}
