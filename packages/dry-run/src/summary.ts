import type { ChannelName } from '@wegwijs/campaign/definition/words'
import type { Decision } from '@wegwijs/campaign/draft'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import type { IntentState } from '@wegwijs/campaign/state'
import type { SimulatedMessage } from './simulation.ts'

/** How many messages there were of one kind. */
export type MessageCount = {
  campaign: string
  version: number
  step: string
  channel: ChannelName
  persona: string | null
  outcome: IntentState
  reason: string | null
  count: number
}

/** How often a campaign let somebody in, did not, or let them go. */
export type RunCount = {
  campaign: string
  version: number | null
  what: 'entered' | 'refused' | 'ended'
  reason: string
  count: number
}

export type SimulationSummary = {
  messages: MessageCount[]
  runs: RunCount[]
  /** The local day on which most messages were handed over; null when none was. */
  busiestDay: { day: string; count: number } | null
}

const endReasons = new Set<ReasonCode>([
  'completed',
  'exit_touchpoint',
  'goal_reached',
  'held_out',
  'entity_withdrawn',
  'date_moved',
  'merged_duplicate',
  'person_deceased',
])

/** Counts, and keeps nothing of anybody. */
export class Counting {
  readonly #messages = new Map<string, MessageCount>()
  readonly #runs = new Map<string, RunCount>()
  readonly #days = new Map<string, number>()
  readonly #dayOf: (instant: string) => string

  /** `timeZone` says which day it is, IANA. */
  constructor(timeZone: string) {
    this.#dayOf = createDays(timeZone)
  }

  message({ intent, channel, persona, at, rendered }: SimulatedMessage): void {
    add(this.#messages, {
      campaign: intent.campaignId,
      version: intent.version,
      step: intent.messageId,
      channel,
      persona,
      outcome: intent.state,
      reason: intent.reason,
    })
    if (rendered === null) return
    const day = this.#dayOf(at)
    this.#days.set(day, (this.#days.get(day) ?? 0) + 1)
  }

  decision({ campaignId, version, enrolmentId, intentId, reason }: Decision): void {
    if (campaignId === null || intentId !== null) return
    const of = { campaign: campaignId, version, reason }
    if (enrolmentId === null) add(this.#runs, { ...of, what: 'refused' })
    else if (reason === 'enrolled') add(this.#runs, { ...of, what: 'entered' })
    else if (endReasons.has(reason)) add(this.#runs, { ...of, what: 'ended' })
  }

  get summary(): SimulationSummary {
    const [busiest] = [...this.#days].sort(
      ([day, count], [other, than]) => than - count || (day < other ? -1 : 1),
    )
    return {
      messages: sorted(this.#messages),
      runs: sorted(this.#runs),
      busiestDay: busiest === undefined ? null : { day: busiest[0], count: busiest[1] },
    }
  }
}

function add<Kind extends { count: number }>(
  counts: Map<string, Kind>,
  kind: Omit<Kind, 'count'>,
): void {
  // No id, code or name holds a line break.
  const key = Object.values(kind).join('\n')
  const known = counts.get(key)
  if (known) known.count += 1
  else counts.set(key, { ...kind, count: 1 } as Kind)
}

function sorted<Kind>(counts: ReadonlyMap<string, Kind>): Kind[] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind)
}

/** `YYYY-MM-DD` of an instant in a zone, remembered by the quarter: no zone begins its day within one. */
function createDays(timeZone: string): (instant: string) => string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone })
  const known = new Map<string, string>()
  return (instant) => {
    const quarter = `${instant.slice(0, 14)}${Math.floor(Number(instant.slice(14, 16)) / 15)}`
    const day = known.get(quarter) ?? format.format(Date.parse(instant))
    if (known.size > 10_000) known.clear()
    known.set(quarter, day)
    return day
  }
}
