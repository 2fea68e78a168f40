import type { Ending, Entry, Told } from './history.ts'
import { leaseMs } from './promises.ts'

/** What is known of one event: when it was first said, kept and read; infinity is never. */
export type Heard = {
  readonly event: Told
  readonly saidAt: number
  readonly saidNow: number
  readonly by: 'kafka' | 'http'
  /** On another partition than what the gateway takes. */
  readonly isApart: boolean
  keptAt: number
  keptOverHttpAt: number
  readAt: number
  readNow: number
}

/** One message in the hands of a worker. */
export type Claim = {
  /** When it began, in the order of everything that happened, in business time and in machine time. */
  readonly at: number
  readonly now: number
  readonly ms: number
  /** When the worker had written down what came of it, in business and in machine time; infinity is never. */
  settledNow: number
  settledMs: number
}

/** One message given to a provider. */
export type Call = {
  readonly worker: string
  readonly givenAt: number
  readonly now: number
  readonly intent: string
  readonly channel: string
  readonly to: string
  readonly text: string
  readonly marked: boolean
  readonly folds: boolean
  readonly expires: number
  /** That under which it was given, and when it began. */
  readonly claim: Claim
  readonly claimedAt: number
  readonly claimedNow: number
  taken: boolean
  answer: string | null
  /** Business time of the answer; infinity is never. */
  answeredNow: number
}

const unsettled = { settledNow: Infinity, settledMs: Infinity } as const

/** A history, looked through once. */
export class Sight {
  readonly entries: readonly Entry[]
  readonly heard = new Map<string, Heard>()
  readonly calls: Call[] = []
  /** Claims by message. */
  readonly claims = new Map<string, Claim[]>()
  latest = 0
  latestMs = 0
  /** False as long as every worker was there all the time: then no claim was lost. */
  isDisturbed = false
  /** Workers that were stopped at some time. */
  readonly gone = new Set<string>()
  readonly #ending: Ending

  constructor(entries: readonly Entry[], ending: Ending) {
    this.entries = entries
    this.#ending = ending
    const byNumber = new Map<number, Call>()
    const claimOf = new Map<string, Claim>()
    for (const entry of entries) this.#look(entry, byNumber, claimOf)
  }

  all(type: RegExp): Heard[] {
    return [...this.heard.values()].filter(({ event }) => type.test(event.type))
  }

  /**
   * True when at machine time `ms` nobody knew any more what came of a claim: its lease was over, and who
   * had it had not written that down. Nobody is late by themselves: somebody was stopped, or time went on.
   */
  isLost(claim: Claim, ms = Infinity): boolean {
    const endsMs = claim.ms + leaseMs
    return this.isDisturbed && claim.settledMs > endsMs && endsMs <= ms
  }

  /** Everybody who has become one with this person by moment `at`, by identity. */
  identitiesOf(event: Told, at: number): Set<string> {
    return this.#joinedTo(event, ({ readAt }) => readAt < at)
  }

  /** Those too who may have: who stopped before it could say that it had read of it, may have. */
  possibleIdentitiesOf(event: Told, at: number): Set<string> {
    return this.#joinedTo(event, ({ saidAt }) => saidAt < at)
  }

  #joinedTo(event: Told, holds: (merge: Heard) => boolean): Set<string> {
    const own = new Set([identityOf(event)])
    const merges = this.all(/^person\.merged/).filter(holds)
    // An id that was free belongs to the person who was said to have it from the beginning.
    const links = this.all(/^person\.identified/).filter((link) => this.isLinked(link) === true)
    for (let grew = true; grew; ) {
      grew = false
      for (const { event: merge } of [...merges, ...links]) {
        const pair = [identityOf(merge), otherOf(merge)]
        if (!pair.some((identity) => own.has(identity))) continue
        for (const identity of pair) {
          if (own.has(identity)) continue
          own.add(identity)
          grew = true
        }
      }
    }
    return own
  }

  /**
   * Whether an id was linked to somebody: it was when nobody had it yet, and not when somebody spoke
   * under it before. In between the records tell.
   */
  isLinked({ event, saidAt, readAt }: Heard): boolean {
    const known = this.#knownFrom(otherOf(event))
    if (readAt < known.saidAt) return true
    if (known.surelyAt < saidAt) return false
    const [one, other] = [identityOf(event), otherOf(event)]
    return this.#ending.people.some(
      ({ identities }) => identities.includes(one) && identities.includes(other),
    )
  }

  /** True when the records need not be asked. */
  isSureOf({ event, saidAt, readAt }: Heard): boolean {
    const known = this.#knownFrom(otherOf(event))
    return readAt < known.saidAt || known.surelyAt < saidAt
  }

  /** Whose address it is, where nobody became one with anybody; else it is not looked for. */
  #holderOf(address: string | undefined): Told | undefined {
    if (this.all(/^person\.(merged|identified)/).length > 0) return undefined
    return this.all(/^person\.upserted/).find(
      ({ event: { data } }) => (data.contacts as { email?: string } | undefined)?.email === address,
    )?.event
  }

  /** When somebody may first have been known by this id, and when they surely were. */
  #knownFrom(identity: string): { saidAt: number; surelyAt: number } {
    let [saidAt, surelyAt] = [Infinity, Infinity]
    for (const heard of this.heard.values()) {
      const speaks = identityOf(heard.event) === identity
      const isMerged = /^person\.merged/.test(heard.event.type) && otherOf(heard.event) === identity
      if (!speaks && !isMerged) continue
      saidAt = Math.min(saidAt, heard.saidAt)
      surelyAt = Math.min(surelyAt, heard.readAt)
    }
    return { saidAt, surelyAt }
  }

  #hear(
    event: Told,
    by: 'kafka' | 'http',
    { at, now }: Entry,
    { isApart = false }: { isApart?: boolean } = {},
  ): void {
    const never = {
      keptAt: Infinity,
      keptOverHttpAt: Infinity,
      readAt: Infinity,
      readNow: Infinity,
    }
    this.heard.set(event.key, {
      event,
      by,
      isApart,
      saidAt: at,
      saidNow: Date.parse(now),
      ...never,
    })
  }

  #look(entry: Entry, byNumber: Map<number, Call>, claimOf: Map<string, Claim>): void {
    const now = Date.parse(entry.now)
    this.latest = Math.max(this.latest, now)
    this.latestMs = entry.ms
    switch (entry.kind) {
      case 'said': {
        const { event, by } = entry
        if (!this.heard.has(event.key)) this.#hear(event, by, entry, entry)
        return
      }
      case 'reported': {
        if (this.heard.has(entry.event)) return
        const about = [...this.heard.values()].find(
          ({ event }) => event.data.ref === entry.text.split(' ')[1],
        )
        if (!about) return
        const to = byNumber.get(entry.call)?.to
        const { publisher, subject } = this.#holderOf(to) ?? about.event
        const event: Told = {
          key: entry.event,
          publisher,
          subject,
          id: entry.event,
          type: `message.${entry.status}.v1`,
          time: entry.now,
          data: {
            channel: entry.channel,
            purpose: entry.status === 'complained' ? 'marketing' : 'all',
            text: entry.text,
            to,
          },
        }
        this.#hear(event, 'http', entry)
        return
      }
      case 'kept': {
        const heard = this.heard.get(entry.event)
        if (!heard) return
        heard.keptAt = Math.min(heard.keptAt, entry.at)
        if (entry.by === 'http') heard.keptOverHttpAt = Math.min(heard.keptOverHttpAt, entry.at)
        return
      }
      case 'read': {
        const heard = this.heard.get(entry.event)
        if (!heard || heard.readAt < Infinity) return
        heard.readAt = entry.at
        heard.readNow = now
        return
      }
      case 'claimed': {
        const begun = this.entries[Math.max(0, entry.begun - 1)]
        const claim: Claim = {
          at: entry.begun,
          now: Date.parse(begun?.now ?? entry.now),
          ms: entry.ms,
          ...unsettled,
        }
        claimOf.set(`${entry.worker} ${entry.intent}`, claim)
        this.claims.set(entry.intent, [...(this.claims.get(entry.intent) ?? []), claim])
        return
      }
      case 'disturbed':
        this.isDisturbed = true
        if (entry.worker !== undefined) this.gone.add(entry.worker)
        return
      case 'given': {
        const claim = claimOf.get(`${entry.worker} ${entry.intent}`) ?? {
          at: entry.at,
          now,
          ms: entry.ms,
          ...unsettled,
        }
        const call: Call = {
          worker: entry.worker,
          givenAt: entry.at,
          now,
          intent: entry.intent,
          channel: entry.channel,
          to: entry.to,
          text: entry.text,
          marked: entry.marked,
          folds: entry.folds ?? false,
          expires: Date.parse(entry.expiresAt),
          claim,
          claimedAt: claim.at,
          claimedNow: claim.now,
          taken: false,
          answer: null,
          answeredNow: Infinity,
        }
        this.calls.push(call)
        byNumber.set(entry.call, call)
        return
      }
      case 'settled': {
        const claim = claimOf.get(`${entry.worker} ${entry.intent}`)
        if (!claim) return
        claim.settledNow = Math.min(claim.settledNow, now)
        claim.settledMs = Math.min(claim.settledMs, entry.ms)
        return
      }
      case 'taken':
      case 'answered': {
        const call = byNumber.get(entry.call)
        if (!call) return
        if (entry.kind === 'taken') call.taken = true
        else Object.assign(call, { answer: entry.answer, answeredNow: now })
        return
      }
      default:
    }
  }
}

/**
 * True when the one is surely applied after the other: it was said when that had been read, or when
 * that was kept, by the same publisher and the same way (P6).
 */
export function isAfter(later: Heard, earlier: Heard): boolean {
  return later.saidAt > (goesBehind(later, earlier) ? earlier.keptAt : earlier.readAt)
}

/** What one publisher says of one person goes one behind the other, when it goes the same way. */
export function goesBehind(one: Heard, other: Heard): boolean {
  const { publisher, subject } = one.event
  const isSame = publisher === other.event.publisher && subject === other.event.subject
  return isSame && one.isApart === other.isApart
}

/** Who else is meant by a merge or a link. */
export function otherOf({ data }: Told): string {
  return `${data.idSpace}/${data.externalId}`
}

const idSpaces: Readonly<Record<string, string>> = {
  'urn:test:ehr': 'ehr',
  'urn:test:crm': 'crm',
  staff: 'ehr',
}

export function identityOf({ publisher, subject, data }: Told): string {
  const named = publisher === 'staff' ? data.idSpace : undefined
  return `${named ?? idSpaces[publisher] ?? publisher}/${subject}`
}
