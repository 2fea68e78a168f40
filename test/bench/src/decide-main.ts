import { decideEvent } from '@wegwijs/campaign/decide'
import type { JourneyEvent, PersonState } from '@wegwijs/campaign/state'
import { compileDraft } from '@wegwijs/dry-run/draft'
import { People } from '@wegwijs/dry-run/people'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import { type NarrowState, narrowCore } from './bare/decide.ts'
import { birthYear, hospital, idSpace, source, touchpointsOf, touchpointType } from './hospital.ts'

/** Decisions per second of CPU, of each round, by the whole language and by the narrow core. */
export type DecideFigures = { whole: number[]; narrow: number[] }

export type DecideLoad = { campaigns: number; rounds: number; decisions: number }

const now = '2026-03-02T08:00:00.000Z'
/** As many people as there are personas, so that each campaign has somebody. */
const people = 10
/** One in so many asks for a message. */
const everyMatch = 3

if (process.argv[2]) {
  process.send?.(measureDecisions(JSON.parse(process.argv[2]) as DecideLoad))
  process.disconnect?.()
}

function measureDecisions({ campaigns, rounds, decisions }: DecideLoad): DecideFigures {
  const { whole, narrow, events } = coresOf(campaigns)
  const figures: DecideFigures = { whole: [], narrow: [] }
  const once = (decide: (index: number) => unknown): number => {
    const began = process.cpuUsage()
    for (let index = 0; index < decisions; index += 1) decide(index % events)
    const { user, system } = process.cpuUsage(began)
    return decisions / ((user + system) / 1e6)
  }
  // In turn, so that what else the machine does meets both; the first of each warms it up.
  for (let round = 0; round <= rounds; round += 1) {
    const [one, other] = [once(whole), once(narrow)]
    if (round === 0) continue
    figures.whole.push(one)
    figures.narrow.push(other)
  }
  return figures
}

/** Both cores on the same people, events and campaigns. */
export function coresOf(campaigns: number): {
  whole: (index: number) => ReturnType<typeof decideEvent>
  narrow: (index: number) => NarrowState
  events: number
} {
  const bundle = hospital(campaigns)
  const definition = compileDraft(bundle)
  const context = { definition, now, deriveId: derivedUuid }
  const decideNarrow = narrowCore(bundle, derivedUuid)
  const states = Array.from({ length: people }, (_, person) => stateOf(person))
  const events = Array.from({ length: Math.max(1_000, campaigns) }, (_, index) =>
    eventOf(index, campaigns),
  )
  const at = <Value>(values: readonly Value[], index: number): Value => {
    const value = values[index % values.length]
    if (value === undefined) throw new RangeError('there is none')
    return value
  }
  return {
    events: events.length,
    whole: (index) => decideEvent(at(states, index), at(events, index), context),
    narrow: (index) => decideNarrow(at(states, index), at(events, index), now),
  }
}

function stateOf(person: number): PersonState {
  const known = new People()
  const number = known.find({ idSpace, externalId: `p${person}` }) ?? 0
  const state = known.stateOf(number)
  const fields = { givenName: 'Anna', birthYear: birthYear(person) }
  return { ...state, person: { ...state.person, fields } }
}

function eventOf(index: number, campaigns: number): JourneyEvent {
  return {
    source,
    id: `visit-${index}`,
    subject: `p${index % people}`,
    type: touchpointType(Math.floor(index / people) % touchpointsOf(campaigns)),
    time: now,
    data: {
      reference: `r${index}`,
      department: 'cardiology',
      firstVisit: Math.floor(index / 7) % everyMatch === 0,
    },
    entity: null,
    traceparent: null,
  }
}
