import { expect, test } from 'vitest'
import { coresOf } from './src/decide-main.ts'

test('the narrow core decides what Wegwijs decides, to the last id and reason', () => {
  const { whole, narrow, events } = coresOf(30)
  const reasons = new Set<string>()
  for (let index = 0; index < events; index += 1) {
    const [one, other] = [whole(index), narrow(index)]
    const decided = one.decisions.map(({ campaignId, reason, detail }) => ({
      campaignId,
      reason,
      detail,
    }))
    expect(other.decisions).toEqual(decided)
    for (const kind of ['enrolments', 'intents', 'timers'] as const)
      expect([...other[kind].keys()]).toEqual([...one.state[kind].keys()])
    for (const { reason } of decided) reasons.add(reason)
  }
  expect([...reasons].toSorted()).toEqual([
    'completed',
    'enrolled',
    'message_planned',
    'trigger_false',
    'waiting',
  ])
})
