import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { ChannelName } from '@wegwijs/campaign/definition/words'
import type { Decision } from '@wegwijs/campaign/draft'
import { isHeldOut, type ReasonCode } from '@wegwijs/campaign/reasons'
import type { IntentState } from '@wegwijs/campaign/state'
import type { SimulatedMessage } from './simulation.ts'
import { placesOf, type StepCount, stepCountedBy } from './step-counts.ts'

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

/**
 * How often a campaign let somebody in, did not, or let them go. `held out` are those who get nothing, so
 * that the effect can be measured; `reached` and `reached held out` how often what it is for happened, to
 * those who had entered and to those who were held out, whether or not it ended a run.
 */
export type RunCount = {
  campaign: string
  version: number | null
  what: 'entered' | 'refused' | 'ended' | 'held out' | 'reached' | 'reached held out'
  reason: string
  count: number
}

export type SimulationSummary = {
  messages: MessageCount[]
  runs: RunCount[]
  /** What steps came to that send nothing. */
  steps: StepCount[]
  /** The local day on which most messages were handed over; null when none was. */
  busiestDay: { day: string; count: number } | null
}

/** Also what bounced: a provider had it. */
const handedOver = new Set<IntentState>(['sent', 'delivered', 'bounced'])

const endReasons = new Set<ReasonCode>([
  'completed',
  'exit_touchpoint',
  'goal_reached',
  'entity_withdrawn',
  'date_moved',
  'merged_duplicate',
  'person_deceased',
])

function whatOf({ enrolmentId, reason, detail }: Decision): RunCount['what'][] {
  if (enrolmentId === null) return ['refused']
  if (reason === 'enrolled') return ['entered']
  if (isHeldOut(reason)) return ['held out']
  if (reason !== 'goal_reached') return endReasons.has(reason) ? ['ended'] : []
  if (isHeldOut(detail?.after)) return ['reached held out']
  // Who had left before is not let go by it.
  return detail?.after === undefined ? ['reached', 'ended'] : ['reached']
}

/** Counts, and keeps nothing of anybody. */
export class Counting {
  readonly #messages = new Map<string, MessageCount>()
  readonly #runs = new Map<string, RunCount>()
  readonly #steps = new Map<string, StepCount>()
  readonly #days = new Map<string, number>()
  readonly #dayOf: (instant: string) => string
  readonly #placeOf: ReturnType<typeof placesOf>

  constructor(definition: Pick<CompiledDefinition, 'campaigns' | 'timeZone'>) {
    this.#dayOf = createDays(definition.timeZone)
    this.#placeOf = placesOf(definition)
  }

  message({ intent, channel, persona, at }: SimulatedMessage): void {
    add(this.#messages, {
      campaign: intent.campaignId,
      version: intent.version,
      step: intent.messageId,
      channel,
      persona,
      outcome: intent.state,
      reason: intent.reason,
    })
    if (!handedOver.has(intent.state)) return
    const day = this.#dayOf(at)
    this.#days.set(day, (this.#days.get(day) ?? 0) + 1)
  }

  decision(decision: Decision): void {
    const { campaignId, version, intentId, reason } = decision
    if (campaignId === null || intentId !== null) return
    for (const what of whatOf(decision))
      add(this.#runs, {
        campaign: campaignId,
        version,
        // Of those who got nothing it matters of what: of this campaign, or of all of its class.
        reason: what === 'reached held out' ? String(decision.detail?.after) : reason,
        what,
      })
    const counted = stepCountedBy(decision, this.#placeOf)
    if (counted) add(this.#steps, counted)
  }

  get summary(): SimulationSummary {
    const [busiest] = [...this.#days].sort(
      ([day, count], [other, than]) => than - count || (day < other ? -1 : 1),
    )
    return {
      messages: sorted(this.#messages),
      runs: sorted(this.#runs),
      steps: sorted(this.#steps),
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
