import type { PersonState } from './state.ts'

/** A person of whom nothing is known but their id. */
export function newPerson(personId: string): PersonState {
  return {
    person: {
      personId,
      fields: {},
      contacts: {},
      locale: null,
      timeZone: null,
      persona: null,
      assignedPersona: null,
      journeys: {},
      happened: {},
      deceasedAt: null,
      profileAt: null,
      test: false,
    },
    entities: new Map(),
    consents: new Map(),
    relations: new Map(),
    enrolments: new Map(),
    timers: new Map(),
    intents: new Map(),
    tasks: new Map(),
    entries: new Map(),
  }
}
