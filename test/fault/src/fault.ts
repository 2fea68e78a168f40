import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Environment } from '@wegwijs/runtime/env'
import type { PrivateServer } from '@wegwijs/system-tests/private-servers'
import type { Servers, ServiceName } from '@wegwijs/system-tests/system'
import type { MessageEnd } from './model.ts'
import type { FaultProxy } from './proxy.ts'
import type { ServerKind, World } from './world.ts'

export type FaultPlace =
  | 'service'
  | 'redis'
  | 'kafka'
  | 'postgres'
  | 'network'
  | 'provider'
  | 'publishers'
  | 'clock'
  | 'overload'
  | 'outage'

/** Work that somebody had begun and nobody had ended, at one moment. */
export type InFlight = {
  /** Events that Kafka has and no transaction has decided. */
  undecided: number
  /** Messages that are due and not released. */
  planned: number
  queued: number
  /** Messages that a worker has claimed. */
  sending: number
}

/** What a fault did to a world, and what it met there. */
export type Hit = {
  /**
   * What it struck itself: processes and servers killed or paused, connections cut, statements and calls
   * broken off, nights in which the clock was changed. What comes of that, such as refusals, is a figure.
   */
  kills: number
  /** As it stood at each blow, once. A fault that met no work has proved nothing, and its round fails. */
  inFlight: InFlight
  /** At most so many messages may end as held or marked: those whose hand-over it could cut off. */
  unknownAtMost: number
  /** So many must: where none does, the fault has cut off no hand-over. */
  unknownAtLeast?: number
  /** From the end of the fault until the work went on. */
  recoveryMs?: number
  /** Figures of its own, by what they are; of several rounds the largest is shown. */
  figures?: Readonly<Record<string, number>>
  /** What it saw itself that must not be. */
  violations?: readonly string[]
}

/** Which round this is, and chance that is the same for the same seed. */
export type Round = {
  number: number
  /** From 0 up to 1. */
  chance: () => number
  /** True within `npm test`: the shortest form that still shows something. */
  short: boolean
  say: (line: string) => void
}

/** What lies between the services and their servers; its proxies are closed with the world. */
export type Between = {
  /** By names of the fault's own. */
  proxies: Readonly<Record<string, FaultProxy>>
  /** Where the load finds the gateway, if not where it is. */
  gatewayUrl?: string
  /** What a service is told otherwise than it would be. */
  environmentOf: (service: ServiceName, environment: Environment) => Environment
}

/** One way to break a running system, and what may come of it. */
export type Fault = {
  /** In lower case with hyphens: what `--only` takes. */
  readonly name: string
  readonly on: FaultPlace
  /** One line for the table. */
  readonly title: string
  /** Part of `npm test`. */
  readonly short?: boolean
  /** The servers that it breaks: it gets them for itself. */
  readonly needs: readonly ServerKind[]
  /** People that arrive per second over each road; 0 for a fault that brings its own load. */
  readonly peoplePerSecond?: number
  /** What the organisation runs; without it the clinic of the system tests. */
  definition?(): DefinitionBundle
  /** Puts proxies between the services and their servers. */
  between?(servers: Servers, own: (kind: ServerKind) => PrivateServer): Promise<Between>
  /** Why this machine cannot show it; null when it can. */
  unable?(): Promise<string | null>
  /** Breaks the world while work is in flight. The load goes on until it resolves. */
  strike(world: World, round: Round): Promise<Hit>
  /** Ends without a hand-over that are right under this fault, such as a provider's refusal. */
  mayEnd?(end: MessageEnd, world: World): boolean
  /** What must hold when all has come to its end; names what does not. */
  check?(world: World, hit: Hit): Promise<readonly string[]>
}

export const nothingInFlight: InFlight = { undecided: 0, planned: 0, queued: 0, sending: 0 }

export function addInFlight(one: InFlight, other: InFlight): InFlight {
  return {
    undecided: one.undecided + other.undecided,
    planned: one.planned + other.planned,
    queued: one.queued + other.queued,
    sending: one.sending + other.sending,
  }
}

export function sumInFlight({ undecided, planned, queued, sending }: InFlight): number {
  return undecided + planned + queued + sending
}
