import { expect, test } from 'vitest'
import { Counting } from '../src/summary.ts'

const decision = (reason: string, detail: { after: string } | null = null) =>
  ({
    ...{ campaignId: 'panel', version: 1, enrolmentId: 'e', intentId: null },
    ...{ reason, detail },
  }) as Parameters<Counting['decision']>[0]

test('what a campaign is for is counted of those who get it beside those who are held out', () => {
  const counting = new Counting({ timeZone: 'Europe/Amsterdam', campaigns: new Map() })
  const told = [
    ...['enrolled', 'enrolled', 'enrolled', 'held_out', 'held_out'].map((each) => decision(each)),
    decision('held_out_of_all'),
    // While it ran, after it had run through, and of somebody who got nothing.
    decision('goal_reached'),
    decision('goal_reached', { after: 'completed' }),
    decision('goal_reached', { after: 'held_out' }),
    decision('goal_reached', { after: 'held_out_of_all' }),
  ]
  for (const each of told) counting.decision(each)
  const { runs } = counting.summary
  expect(runs.map(({ what, reason, count }) => `${count} ${what} (${reason})`).sort()).toEqual([
    '1 ended (goal_reached)',
    '1 held out (held_out_of_all)',
    '1 reached held out (held_out)',
    '1 reached held out (held_out_of_all)',
    '2 held out (held_out)',
    '2 reached (goal_reached)',
    '3 entered (enrolled)',
  ])
})
