import type { Chance } from './chance.ts'
import { arrival, consent, type Draft } from './drafts.ts'
import type { Fault, Meeting, Situation } from './story.ts'

const survey: Draft = { type: 'care.survey.answered.v1', data: {}, times: 1 }
const atBoth = { by: 'http', times: 1, isDoubled: true } as const
const publisher = 'ehr about p1'
const gives = { who: 'delivery', what: 'gives' }
const checks = { who: 'delivery', what: 'with named as' }

/** A publisher that hears nothing asks the other gateway, too, and one of the two dies on the way. */
export function twoGateways(chance: Chance): Situation {
  const said = chance.pick(['a stop', 'a stop', 'a stop', 'of somebody new', 'a survey'], 'what')
  const drafts: Readonly<Record<string, readonly Draft[]>> = {
    'a stop': [arrival('p1', 0), survey, { ...stopOf(chance), ...atBoth }],
    'of somebody new': [{ ...stopOf(chance), ...atBoth }, arrival('p1', 0), survey],
    'a survey': [arrival('p1', 0), { ...survey, ...atBoth }, survey],
  }
  return {
    drafts: drafts[said] ?? [],
    workers: { journey: 1, scheduler: 1, delivery: 1, gateway: 2 },
    faults: chance.is(0.7, 'dies')
      ? [dies(chance, said === 'a survey' ? 'publishes' : 'commit')]
      : [],
    meetings: said === 'a stop' ? whileItIsClaimed() : [],
  }
}

function stopOf(chance: Chance): Draft {
  return chance.is(0.3, 'death')
    ? { type: 'person.deceased.v1', data: {} }
    : consent('withdrawn', chance.pick(['all', 'service'], 'purpose'), 0)
}

/** Before it has kept the event, or when it has, and before it could say so. */
function dies(chance: Chance, on: string): Fault {
  const kind = chance.pick(['kill before', 'kill after'] as const, 'kind')
  return { slot: `gateway-${1 + chance.whole(2, 'which one')}`, at: 1, on, kind }
}

/** One gateway has written it and not committed when the other one is asked the same. */
function whileItIsClaimed(): Meeting[] {
  const isAnswered = { who: publisher, what: 'is answered: p1-2 is kept' }
  const says = { who: publisher, what: 'says p1-2 ', until: [{ ...checks, isStanding: true }] }
  return [
    says,
    // It comes there twice: once for each gateway.
    says,
    { ...checks, until: [isAnswered] },
    { who: 'gateway', what: 'commit', until: [isAnswered, gives] },
  ]
}
