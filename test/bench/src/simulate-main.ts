import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { compileDraft } from '@wegwijs/dry-run/draft'
import { alwaysDelivered } from '@wegwijs/dry-run/outcome-model'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation } from '@wegwijs/dry-run/simulation'
import { Counting } from '@wegwijs/dry-run/summary'
import { formatEvent, parseEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { birthYear, hospital, source, touchpointsOf, touchpointType } from './hospital.ts'

/** What the simulation of so many events came to, in this process alone. */
export type SimulationFigures = {
  events: number
  messages: number
  /** On the core that it had. */
  cpuSeconds: number
  /** What the people hold in memory, everything else taken off; bytes, after a collection. */
  peopleBytes: number
}

/** What is simulated: so many people are told of first, then so many events are spread over them. */
export type SimulationLoad = {
  campaigns: number
  people: number
  events: number
  /** One event in so many asks for a message. */
  everyMatch: number
  /** Each event is read from its line of JSON, as from a file. */
  fromText: boolean
}

const beginsMs = Date.parse('2026-03-02T08:00:00.000Z')
/** All events come within two weeks, so whoever waits for fourteen days waits until the end. */
const spanMs = 13 * 86_400_000

const load = JSON.parse(process.argv[2] ?? '{}') as SimulationLoad
process.send?.(simulate(load))
process.disconnect?.()

function simulate({ campaigns, people, events, everyMatch, fromText }: SimulationLoad) {
  const bundle = hospital(campaigns)
  const definition = compileDraft(bundle)
  const counting = new Counting(definition)
  let messages = 0
  const simulation = new Simulation({
    definition,
    sending: sendingOf(bundle),
    outcomes: alwaysDelivered,
    onMessage: (message) => {
      messages += 1
      counting.message(message)
    },
    onDecision: (_, decision) => counting.decision(decision),
  })
  const before = heapBytes()
  for (let person = 0; person < people; person += 1) simulation.take(profileOf(person))
  const kinds = touchpointsOf(campaigns)
  const visit = (index: number): TouchpointEvent => ({
    id: `visit-${index}`,
    source,
    type: touchpointType(index % kinds),
    subject: `p${index % people}`,
    time: new Date(beginsMs + Math.floor((spanMs * index) / events)).toISOString(),
    data: {
      reference: `r${index}`,
      department: 'cardiology',
      firstVisit: index % everyMatch === 0,
    },
  })
  let cpuSeconds = 0
  // Some at a time: made beforehand, so that the making is not measured, and never all in memory.
  const atOnce = 10_000
  for (let from = 0; from < events; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, events - from) }, (_, at) =>
      visit(from + at),
    )
    const lines = fromText ? some.map((event) => JSON.stringify(formatEvent(event))) : []
    const began = process.cpuUsage()
    if (fromText) for (const line of lines) takeLine(simulation, line)
    else for (const event of some) simulation.take(event)
    const used = process.cpuUsage(began)
    // The first of them warm the process up.
    if (from > 0) cpuSeconds += (used.user + used.system) / 1e6
  }
  const figures: SimulationFigures = {
    events: Math.max(0, events - atOnce),
    messages,
    cpuSeconds,
    peopleBytes: heapBytes() - before,
  }
  // Asked for last, or the people would have been collected with everything else.
  if (simulation.tally.people !== people) throw new Error('somebody is missing')
  return figures
}

function takeLine(simulation: Simulation, line: string): void {
  const decoded = parseEvent(JSON.parse(line), line.length)
  if (decoded.event) simulation.take(decoded.event)
  else simulation.reject(decoded.rejection.errorClass)
}

function profileOf(person: number): TouchpointEvent {
  return {
    id: `profile-${person}`,
    source,
    type: 'person.upserted.v1',
    subject: `p${person}`,
    time: new Date(beginsMs).toISOString(),
    data: {
      givenName: 'Anna',
      birthYear: birthYear(person),
      locale: 'nl',
      contacts: { phone: '+447700900123', email: `p${person}@example.org` },
      test: true,
    },
  }
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
