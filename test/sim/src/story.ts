import type { ChapterName } from './chapters/all.ts'
import type { Draft, Happening } from './drafts.ts'
import type { Behaviour } from './provider.ts'

/**
 * A story: what publishers say, how business time moves, who works, and what goes wrong when. All
 * of it follows from the seed, and any part of it can be left out without the rest changing.
 */
export type Story = {
  readonly seed: number
  /** The situation that it is made for; null when it is of all kinds. */
  readonly theme: string | null
  /** The chapter of the language whose definition is published; null for the clinic's. */
  readonly chapter: ChapterName | null
  /** When business time begins. */
  readonly begins: string
  readonly happenings: readonly Happening[]
  /** By how many minutes business time is stepped, one step after the other. */
  readonly steps: readonly number[]
  readonly faults: readonly Fault[]
  readonly meetings: readonly Meeting[]
  readonly workers: Readonly<Record<WorkerKind, number>>
  /** How often a provider does something else than accept. */
  readonly roughness: number
  /** What it does then; null for anything. */
  readonly manners: readonly Behaviour[] | null
  /** Providers take a repeat under the same key for what it is. */
  readonly folds: boolean
  /** Providers do not report what became of what they took. */
  readonly silent: boolean
  /** Publishers choose partitions in another way than the gateway: one person is on two of them. */
  readonly partitionsApart: boolean
  /** How likely it is that the worker that has just moved moves again. */
  readonly patience: number
  /** How likely it is that machine time passes while there is still something to do. */
  readonly haste: number
  /** How often business time goes on to what is due next while things may still go wrong. */
  readonly leisure: number
}

export const workerKinds = ['journey', 'scheduler', 'delivery', 'gateway'] as const
export type WorkerKind = (typeof workerKinds)[number]

/** Something goes wrong when the slot comes to its operation number `at`, or a later one. */
export type Fault = {
  readonly slot: string
  readonly at: number
  readonly kind: FaultKind
  /** Then it waits for an operation whose label holds this. */
  readonly on?: string
  /** And before that, for another one of the slot whose label holds this. */
  readonly after?: string
}
export const faultKinds = [
  'kill before',
  'kill after',
  'pause',
  'terminate',
  'expel',
  'run the job twice',
  'forget the queue',
  'queue away',
  'broker away',
  'replay',
  'kill and forget the queue',
  'lose the answer',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** Faults that are nobody's own: they happen at a step of the world. */
export const worldSlot = 'world'

/**
 * An order of things that chance would hardly ever give: who comes to do `what` stands there until
 * all of `until` has been done, one after the other. It ends, whatever has come of it, when nobody
 * else can go on.
 */
export type Meeting = {
  /** The slot, or how it begins. */
  readonly who: string
  /** The operation, or a part of its label. */
  readonly what: string
  /** The statement of its transaction that was carried out last, or a part of it. */
  readonly behind?: string
  /** It is held back only when all of this has been done, one after the other. */
  readonly after?: readonly Place[]
  readonly until: readonly Place[]
  /** It is the whole worker that stands still, beyond its lease. */
  readonly paused?: boolean
  /** Whoever was waited for stands there in turn, until the one that waited has done this. */
  readonly thenUntil?: string
  /** Only what is done once it stands there counts. */
  readonly afresh?: boolean
}

export type Place = {
  readonly who: string
  readonly what: string
  /** It is enough that somebody is about to do it, and that it is somebody else. */
  readonly isStanding?: boolean
}

/** A situation: what is said, and whatever of a story it needs otherwise than usual. */
export type Situation = { readonly drafts: readonly Draft[] } & Partial<
  Omit<Story, 'seed' | 'theme' | 'chapter' | 'happenings'>
>
