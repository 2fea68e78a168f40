import { expect, test } from 'vitest'
import { outcomeLines } from '../src/outcome-report.ts'

test.each([
  [0, 'nobody entered', '0 times'],
  [1, '1 time entered', '1 time'],
  [1_200, '1,200 times entered', '1,200 times'],
])('of %i who entered it tells in words', (times, entered, inArm) => {
  const count = { times, reached: 0, open: 0 }
  const none = { times: 0, reached: 0, open: 0 }
  const lines = outcomeLines({
    campaign: 'guide',
    name: 'Guide',
    version: 1,
    isLive: true,
    unread: null,
    goal: null,
    entered: count,
    heldOut: { ofCampaign: none, ofAll: none },
    splits: [{ split: 'tone', arms: [{ arm: 'warm', ...count }] }],
  })
  expect(lines).toContain(`  ${entered}`)
  expect(lines).toContain(`    warm: ${inArm}`)
})
