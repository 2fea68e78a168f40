import { compileDefinition } from '@wegwijs/campaign/compile'
import type { CampaignVersion } from '@wegwijs/campaign/compiled-campaign'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'

test('a campaign reaches as far as its live version says, and what has ended as far as its newest', () => {
  const reaches = [
    ['live', 1, 10, true],
    ['live', 2, 20, false],
    ['ended', 2, 40, false],
    ['ended', 1, 30, false],
  ] as const
  const bundle = smallHospital([])
  const versions = reaches.map(([id, version, most, live]): CampaignVersion => {
    const [file] = smallHospital([campaign({ id, reach: { most, per: 'P1D' } })]).campaigns
    if (!file) throw new RangeError('a hospital without its campaign')
    return { id, version, live, file, templates: {} }
  })
  expect([...compileDefinition(1, bundle, versions).reach]).toEqual([
    ['live', { most: 10, per: 'P1D' }],
    ['ended', { most: 40, per: 'P1D' }],
  ])
})
