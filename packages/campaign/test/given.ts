import { type CompiledDefinition, compileDefinition } from '@wegwijs/campaign/compile'
import type { CampaignVersion } from '@wegwijs/campaign/compiled-campaign'
import { decideEvent, decideTimer } from '@wegwijs/campaign/decide'
import type { DecideContext, Decision } from '@wegwijs/campaign/draft'
import { newPerson } from '@wegwijs/campaign/new-person'
import type { Enrolment, Intent, JourneyEvent, PersonState, Timer } from '@wegwijs/campaign/state'
import { smallHospital } from '@wegwijs/test-support/small-hospital'

/** A definition with these campaigns, each in version 1 and live. */
export function definitionOf(campaigns: Parameters<typeof smallHospital>[0]): CompiledDefinition {
  const bundle = smallHospital(campaigns)
  const versions = bundle.campaigns.map(
    (file): CampaignVersion => ({
      id: file.id,
      version: 1,
      live: true,
      file,
      templates: { hello: 'hello-1', later: 'later-1' },
    }),
  )
  return compileDefinition(1, bundle, versions)
}

export function nobody(personId = 'person-1'): PersonState {
  const state = newPerson(personId)
  return { ...state, person: { ...state.person, test: true } }
}

/** One person and a calendar: events and timers are decided in turn, with the state carried on. */
export function person(
  first: CompiledDefinition,
  start = '2026-03-02T09:00:00.000Z',
  subject = 'p1',
  otherOf?: DecideContext['otherOf'],
) {
  let state = nobody(subject === 'p1' ? undefined : subject)
  let now = start
  let definition = first
  let count = 0
  let decisions: Decision[] = []
  const context = () => ({
    definition,
    now,
    deriveId: (...parts: string[]) => parts.join('|'),
    ...(otherOf && { otherOf }),
  })
  return {
    get state(): PersonState {
      return state
    },
    set state(next: PersonState) {
      state = next
    },
    context,
    /** Another definition is in force from now on. */
    use(next: CompiledDefinition): void {
      definition = next
    },
    /** Reasons of everything decided by the last call. */
    get reasons(): string[] {
      return decisions.map((decision) => decision.reason)
    },
    get decisions(): Decision[] {
      return decisions
    },
    intents: (): Intent[] => [...state.intents.values()],
    timers: (): Timer[] => [...state.timers.values()],
    enrolments: (): Enrolment[] => [...state.enrolments.values()],
    happens(type: string, over: Partial<JourneyEvent> = {}): string {
      count += 1
      const event: JourneyEvent = {
        source: 'urn:test:ehr',
        id: `e${count}`,
        subject,
        type,
        time: now,
        data: {},
        entity: null,
        traceparent: null,
        ...over,
      }
      const decided = decideEvent(state, event, context())
      state = decided.state
      decisions = decided.decisions
      return decided.outcome
    },
    /** Lets business time come to `instant`; timers that are due then fire in their order. */
    comes(instant: string): void {
      decisions = []
      now = instant
      for (;;) {
        const due = [...state.timers.values()]
          .filter((timer) => timer.dueAt <= now)
          .sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1))[0]
        if (!due) return
        const decided = decideTimer(state, due, context())
        state = decided.state
        decisions.push(...decided.decisions)
      }
    },
    /** What others do to a message: the release, a worker, a provider. */
    message(intentId: string, change: Partial<Intent>): void {
      const intent = state.intents.get(intentId)
      if (!intent) throw new RangeError(`no message ${intentId}`)
      state = { ...state, intents: new Map(state.intents).set(intentId, { ...intent, ...change }) }
    },
  }
}
