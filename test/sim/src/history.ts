/**
 * What happened, in the order in which it happened, as somebody outside saw it: what publishers
 * said and were answered, what providers were given and what they did with it. The model judges by
 * this alone.
 */
export type Told = {
  /** Source, id and subject in one: the identity of an event. */
  readonly key: string
  readonly publisher: string
  readonly subject: string
  readonly id: string
  readonly type: string
  readonly time: string
  readonly data: Readonly<Record<string, unknown>>
  readonly entity?: string
  readonly version?: number
}

export type Answer = 'accepted' | 'refused' | 'deferred' | 'unknown'

export type Happened =
  /** A publisher begins to say something; the same event may be said again. */
  | {
      readonly kind: 'said'
      readonly event: Told
      readonly by: 'kafka' | 'http'
      /** It goes another way than what the gateway takes: the order among the two is nobody's. */
      readonly isApart?: boolean
    }
  /** It was told that what it said is kept: acks=all of Kafka, or HTTP 202. */
  | { readonly kind: 'kept'; readonly event: string; readonly by: 'kafka' | 'http' }
  /** A provider begins to say what became of a message that it took: the receipt is an event too. */
  | {
      readonly kind: 'reported'
      readonly event: string
      readonly status: string
      readonly call: number
      readonly channel: string
      readonly text: string
    }
  /** The journey has gone past it. */
  | { readonly kind: 'read'; readonly event: string }
  | { readonly kind: 'business'; readonly instant: string }
  /** A worker's claim of a message began at moment `begun`, and it got the message. */
  | {
      readonly kind: 'claimed'
      readonly worker: string
      readonly intent: string
      readonly begun: number
    }
  /** A worker has written down what came of a message, and committed it: from here on it no longer has it. */
  | { readonly kind: 'settled'; readonly worker: string; readonly intent: string }
  /** A provider is given a message. */
  | {
      readonly kind: 'given'
      readonly call: number
      readonly worker: string
      readonly intent: string
      readonly channel: string
      readonly to: string
      readonly text: string
      readonly marked: boolean
      readonly key: string
      /** Machine time at which the worker began with it, before anything that takes time. */
      readonly begunMs: number
      /** When it is no longer worth having, in business time. */
      readonly expiresAt: string
      /** The provider takes a repeat under the same key for what it is. */
      readonly folds?: boolean
    }
  /** A job comes into the queue; `kept` when the records have had its messages queued. */
  | { readonly kind: 'added'; readonly job: string; readonly kept: boolean }
  /** The provider has it now: the person will get it. */
  | { readonly kind: 'taken'; readonly call: number }
  /** What the worker was told. */
  | { readonly kind: 'answered'; readonly call: number; readonly answer: Answer }
  /**
   * Somebody was stopped, or time went on without them: a claim may have been lost by that alone.
   * `worker` is who is no longer there to write down what it was told.
   */
  | { readonly kind: 'disturbed'; readonly worker?: string }
  /** A worker was killed, or an operation was let through; only for whoever reads the story. */
  | { readonly kind: 'fault'; readonly text: string }
  | { readonly kind: 'operation'; readonly slot: string; readonly label: string }

export type Entry = Happened & {
  /** Its place in the order of everything that happened, from 0. */
  readonly at: number
  /** Machine time in milliseconds since the beginning. */
  readonly ms: number
  /** Business time. */
  readonly now: string
}

/** What stands in the records at the end. */
export type Ending = {
  readonly messages: readonly EndedMessage[]
  readonly decisions: readonly EndedDecision[]
  readonly consents: readonly EndedConsent[]
  readonly entities: readonly EndedEntity[]
  readonly people: readonly EndedPerson[]
  /** What stands in the apps of everybody, each time that it does. */
  readonly inbox: readonly { readonly intent: string; readonly title: string }[]
  readonly deadLetters: readonly string[]
  /** Partitions of which another number of records was counted than was read. */
  readonly miscounted: readonly string[]
  /** Rules of the ledger that do not hold, with an example. */
  readonly ledger: readonly string[]
  /** The identity of every event that was applied. */
  readonly events: readonly string[]
}

export type EndedMessage = {
  readonly intent: string
  readonly person: string
  /** Who it is for, where that is somebody else. */
  readonly recipient: string | null
  readonly campaign: string
  readonly state: string
  readonly reason: string | null
  /** Over which it went last, or would go next. */
  readonly channel: string
  /** The event that began it, and the version of the appointment that it is about. */
  readonly event: string
  readonly version: number | null
}

export type EndedDecision = {
  readonly event: string
  readonly campaign: string
  readonly reason: string
}

export type EndedConsent = {
  readonly person: string
  readonly purpose: string
  readonly channel: string
  readonly state: string
  readonly origin: string
  readonly at: string
}

export type EndedEntity = {
  readonly person: string
  readonly entity: string
  readonly version: number
  readonly state: string
}

export type EndedPerson = {
  readonly person: string
  /** `idSpace/externalId` of everybody who is this person. */
  readonly identities: readonly string[]
  readonly email: string | null
  readonly deceased: boolean
}

export class History {
  readonly entries: Entry[] = []
  readonly #stamp: () => { ms: number; now: string }

  constructor(stamp: () => { ms: number; now: string }) {
    this.#stamp = stamp
  }

  /** Says when this moment is: the place of the next thing that happens. */
  moment(): number {
    return this.entries.length
  }

  add(happened: Happened): number {
    const at = this.entries.length
    this.entries.push({ ...happened, ...this.#stamp(), at })
    return at
  }
}
