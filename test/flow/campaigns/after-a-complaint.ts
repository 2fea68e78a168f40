import { other, type Stories } from '../src/story.ts'

const answered = 'care.survey.answered.v1'
const complains = { type: answered, data: { recommends: 2, empathy: 1, complaint: true } }

export const afterAComplaint: Stories = {
  campaign: 'after-a-complaint',
  stories: {
    'somebody calls, and no message is sent': {
      given: other,
      when: [{ at: '03-10 11:00', ...complains }],
      outcome: [],
    },
    'a second complaint is one call': {
      given: other,
      when: [
        { at: '03-10 20:00', ...complains },
        { at: '03-10 22:00', ...complains },
      ],
      outcome: ['03-10 22:00 left exit_touchpoint'],
    },
    'a low mark is no complaint': {
      given: other,
      when: [{ at: '03-10 11:00', type: answered, data: { recommends: 2, empathy: 1 } }],
      outcome: ['03-10 11:00 not enrolled trigger_false'],
    },
  },
}
