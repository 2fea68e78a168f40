/**
 * What the outbox page shows beyond what the sandbox itself was handed: who the people are, their
 * journeys, their app messages and the business times. The sandbox runs without it; then it shows
 * addresses and real times.
 *
 * Whoever implements it reads the record (PostgreSQL); nothing is written.
 */
export type OutboxSource = {
  /** Those with the latest message first; names of personas in `language`. */
  people(limit: number, language: Language): Promise<OutboxPerson[]>
  /** Null when there is no such person. All but what people were sent is in `language`. */
  timeline(personId: string, language: Language): Promise<OutboxTimeline | null>
}

/** Of the page. */
export type Language = 'nl' | 'en'

export type OutboxPerson = {
  personId: string
  /** As shown to a reader of the page: `Anna de Vries`, or the publisher's id when nameless. */
  name: string
  /** The persona's name. */
  persona?: string
  /** Messages that were sent. */
  counts: { email: number; sms: number; app: number }
  /** Business time of the last message, ISO. */
  lastAt: string
}

export type OutboxTimeline = {
  person: OutboxPerson
  /** IANA zone in which times are shown. */
  timeZone?: string
  /** In order of business time. */
  moments: OutboxMoment[]
}

/** `at` is business time, ISO. */
export type OutboxMoment =
  | {
      kind: 'touchpoint'
      at: string
      /** `Opgenomen op de afdeling` */
      name: string
      phase?: string
    }
  | {
      kind: 'message'
      at: string
      intentId: string
      channel: 'email' | 'sms' | 'app'
      /** The campaign's name, or its id where it has a name in another language only. */
      campaign?: string
      /** State of the intent, such as `delivered`. */
      state?: string
      /** The content of an app message; those of the other channels the sandbox has itself. */
      app?: { title: string; body: string; url?: string }
    }
  /** Something that was planned and not sent, with its reason in words. */
  | { kind: 'skipped'; at: string; campaign: string; reason: string }
