import { otherPersonOf } from '@wegwijs/campaign/addressees'
import { ownIdSpace } from '@wegwijs/campaign/event-check'
import type { Identity } from '@wegwijs/campaign/journey-event'
import { newPerson } from '@wegwijs/campaign/new-person'
import type { OtherPerson, PersonState } from '@wegwijs/campaign/state'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import { Rest } from './person-rest.ts'

/** Somebody of the simulation, by number. Numbers are given in the order in which people turn up. */
export type PersonNumber = number

type Slot = {
  state: PersonState | null
  /** Their state when it was last put to rest; either this or `state` is there. */
  packed: string | null
  mergedInto: PersonNumber | null
  /** Of the identities that lead here, the first in the order of their texts. */
  name: string
}

/** So many people are kept as they are; who was touched longest ago is put to rest. */
const mostAwake = 20_000

/**
 * Everybody in the simulation: who is meant by which publisher's id, and what is known of them. An id
 * that nobody has makes a new person, as the store does; in our own id space nobody is made.
 */
export class People {
  readonly #slots: Slot[] = []
  readonly #byIdentity = new Map<string, PersonNumber>()
  readonly #byId = new Map<string, PersonNumber>()
  readonly #awake = new Map<PersonNumber, Slot>()
  readonly #rest = new Rest()
  readonly #mostAwake: number

  constructor(limit = mostAwake) {
    this.#mostAwake = limit
  }

  /** How many numbers were given, also to those who became one. */
  get made(): number {
    return this.#slots.length
  }

  /** How many there are, those who became one counted once. */
  get count(): number {
    return this.#slots.reduce((sum, slot) => sum + (slot.mergedInto === null ? 1 : 0), 0)
  }

  /** Who has this id, made if it is new; null for an id of our own that nobody has. */
  find(identity: Identity): PersonNumber | null {
    const known = this.#lookUp(identity)
    if (known !== undefined) return this.survivorOf(known)
    return identity.idSpace === ownIdSpace ? null : this.#make(identity)
  }

  /** Gives the person a further id; one that somebody has already stays theirs. */
  link(person: PersonNumber, identity: Identity): void {
    const key = keyOf(identity)
    if (identity.idSpace === ownIdSpace || this.#byIdentity.has(key)) return
    this.#byIdentity.set(key, person)
    this.#rename(person, nameOf(identity))
  }

  stateOf(person: PersonNumber): PersonState {
    const slot = this.#slot(person)
    this.#awake.delete(person)
    this.#awake.set(person, slot)
    if (slot.state === null) {
      slot.state = this.#rest.unpack(slot.packed ?? '[]')
      slot.packed = null
      this.#restLongestAgo()
    }
    return slot.state
  }

  put(person: PersonNumber, state: PersonState): void {
    const slot = this.#slot(person)
    slot.state = state
    slot.packed = null
    this.#awake.set(person, slot)
  }

  /** `from` is `into` from now on, and has nothing of their own any more. */
  merge(from: PersonNumber, into: PersonNumber): void {
    const slot = this.#slot(from)
    slot.state = null
    slot.packed = null
    slot.mergedInto = into
    this.#awake.delete(from)
    this.#rename(into, slot.name)
  }

  survivorOf(person: PersonNumber): PersonNumber {
    let survivor = person
    for (;;) {
      const next = this.#slot(survivor).mergedInto
      if (next === null) return survivor
      survivor = next
    }
  }

  /** Our own id of whoever they have become. */
  idOf(person: PersonNumber): string {
    return this.stateOf(this.survivorOf(person)).person.personId
  }

  /** Whoever had this id of ours, as who they are now; null when nobody ever had it. */
  numberOfId(personId: string): PersonNumber | null {
    const number = this.#byId.get(personId)
    return number === undefined ? null : this.survivorOf(number)
  }

  /** Who has this id of ours now; null when nobody ever had it. */
  otherOf(personId: string): OtherPerson | null {
    const number = this.numberOfId(personId)
    return number === null ? null : otherPersonOf(this.stateOf(number).person)
  }

  /** `idSpace:externalId`, as people name them; of whoever they have become. */
  nameOf(person: PersonNumber): string {
    return this.#slot(this.survivorOf(person)).name
  }

  /** Who has this name, as {@link nameOf} gives it. */
  numberOf(name: string): PersonNumber | undefined {
    const colon = name.indexOf(':')
    const identity = { idSpace: name.slice(0, colon), externalId: name.slice(colon + 1) }
    const known = this.#lookUp(identity)
    return known === undefined ? undefined : this.survivorOf(known)
  }

  #lookUp(identity: Identity): PersonNumber | undefined {
    return identity.idSpace === ownIdSpace
      ? this.#byId.get(identity.externalId)
      : this.#byIdentity.get(keyOf(identity))
  }

  #make(identity: Identity): PersonNumber {
    const person = this.#slots.length
    // The id of a rehearsal (packages/store/src/identities.ts): messages draw the same lots.
    const personId = derivedUuid('rehearsed person', identity.idSpace, identity.externalId)
    this.#slots.push({
      state: newPerson(personId),
      packed: null,
      mergedInto: null,
      name: nameOf(identity),
    })
    this.#byIdentity.set(keyOf(identity), person)
    this.#byId.set(personId, person)
    this.#awake.set(person, this.#slot(person))
    this.#restLongestAgo()
    return person
  }

  #rename(person: PersonNumber, name: string): void {
    const slot = this.#slot(person)
    if (name < slot.name) slot.name = name
  }

  #slot(person: PersonNumber): Slot {
    const slot = this.#slots[person]
    if (!slot) throw new RangeError(`nobody has the number ${person}`)
    return slot
  }

  #restLongestAgo(): void {
    if (this.#awake.size <= this.#mostAwake) return
    for (const [person, slot] of this.#awake) {
      if (slot.state !== null) slot.packed = this.#rest.pack(slot.state)
      slot.state = null
      this.#awake.delete(person)
      if (this.#awake.size <= this.#mostAwake) return
    }
  }
}

function keyOf({ idSpace, externalId }: Identity): string {
  // An id space has no line break: publishers are named in touchpoints.yaml.
  return `${idSpace}\n${externalId}`
}

function nameOf({ idSpace, externalId }: Identity): string {
  return `${idSpace}:${externalId}`
}
