import { describe, expect, test } from 'vitest'
import { withNearest } from '../src/fault.ts'
import { tell } from './planted-folder.ts'

const touchpoints = ['care.visit.booked.v1', 'care.visit.moved.v1', 'care.visit.ended.v1']

describe('the nearest name', () => {
  test.each<[string, readonly string[], string]>([
    ['care.visit.bookd.v1', touchpoints, 'care.visit.booked.v1'],
    ['care.visit.booked.v2', touchpoints, 'care.visit.booked.v1'],
    ['survey-remnder', ['survey-reminder', 'survey'], 'survey-reminder'],
    ['urn:example:her', ['urn:example:ehr', 'urn:example:website'], 'urn:example:ehr'],
    ['fro', ['for', 'until'], 'for'],
    ['wiat', ['wait', 'branch'], 'wait'],
    ['NL', ['nl', 'en'], 'nl'],
    ['nurses', ['home-nurses', 'doctors'], 'home-nurses'],
    ['bool', ['boolean', 'text'], 'boolean'],
    ['event.room', ['entity.room', 'event.kind'], 'entity.room'],
  ])('of %s among %s is %s', (found, known, nearest) => {
    expect(withNearest(found, known)).toEqual({ nearest })
  })

  test.each<[string, readonly string[]]>([
    ['care.visit.cancelled.v1', touchpoints],
    ['care.visit.paid.v1', touchpoints],
    ['de', ['nl', 'en']],
    ['sms', ['app', 'email']],
    ['x', ['a', 'b']],
    ['news', ['care', 'service']],
    ['event.room', ['entity.room', 'person.room']],
  ])('of %s among %s is none: it is another word', (found, known) => {
    expect(withNearest(found, known)).toEqual({})
  })
})

const guide = 'campaigns/guide.yaml'

describe('where a name is known nothing else is offered for it:', () => {
  test('a key that is there already is not meant by another one', async () => {
    const { faults } = await tell({ [guide]: ['name: Guide\n', 'name: Guide\nnam: Guide\n'] })
    expect(faults).toEqual([`${guide}:3:1 unknown key "nam"`])
  })

  test('a field that holds no moment', async () => {
    const { faults } = await tell({
      [guide]: ['wait: { until: entity.startsAt', 'wait: { until: entity.room'],
    })
    expect(faults).toEqual([`${guide}:14:20 entity.room is a text, no moment`])
  })

  test('an id that is quite another than the name of the file', async () => {
    const { faults } = await tell({ [guide]: ['id: guide\n', 'id: reminder\n'] })
    expect(faults).toEqual([`${guide}:1:5 the id "reminder" is not the name of its file`])
  })
})
