import { campaignFieldsOf, personFieldsOf, templateFieldsOf } from '@wegwijs/campaign/catalogue'
import { smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'

const bundle = smallHospital([
  {
    id: 'home',
    name: 'Home',
    journey: 'stay',
    class: 'care',
    trigger: { touchpoint: 'care.discharge.completed.v1' },
    steps: [{ message: { id: 'hello', template: 'hello' } }],
  },
])
const [home] = bundle.campaigns
if (!home) throw new Error('there is one')

test('what is known of everybody has a label in each language', () => {
  const fields = personFieldsOf(bundle)
  expect(fields.get('person.age')).toMatchObject({
    label: { nl: 'leeftijd', en: 'age' },
    unit: { nl: 'jaar', en: 'years' },
  })
  const unlabelled = [...templateFieldsOf(bundle, home)].filter(
    ([name, { label }]) => label === undefined && /^(person|organisation|journey)\./.test(name),
  )
  expect(unlabelled.map(([name]) => name)).toEqual([
    'person.hasCarer',
    'person.operationOn',
    'person.bornOn',
  ])
})

test('personas and phases are called what their files call them', () => {
  const fields = campaignFieldsOf(bundle, home)
  expect(fields.get('person.persona')).toMatchObject({
    values: ['senior', 'everybody'],
    valueLabels: { senior: { nl: 'Senior', en: 'Senior' } },
  })
  expect(fields.get('journey.stay.phase')).toMatchObject({
    label: { en: 'phase of "Stay"' },
    valueLabels: { recovery: { en: 'Recovery' } },
    sensitivity: 'health',
  })
})

test('without personas nobody says which there are', () => {
  const { personas: _, ...rest } = bundle
  expect(personFieldsOf(rest).get('person.persona')?.values).toBeUndefined()
})
