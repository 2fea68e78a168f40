import { other, type Stories } from '../src/story.ts'

const operated = (at: string, operatedOn: string | null) => ({
  at,
  type: 'person.upserted.v1',
  data: { attributes: { operatedOn } },
})

export const yearAfterOperation: Stories = {
  campaign: 'year-after-operation',
  stories: {
    'a year after the operation somebody hears when to call': {
      given: other,
      when: [operated('03-02 09:00', '2025-03-12')],
      outcome: ['03-12 10:00 email year-after delivered "Hoe gaat het met u?"'],
    },
    'a corrected date moves it, and one that is taken back withdraws it': {
      given: other,
      when: [operated('03-02 09:00', '2025-03-12'), operated('03-04 09:00', null)],
      outcome: [],
    },
  },
}
