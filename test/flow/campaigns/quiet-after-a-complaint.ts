import { other, type Stories } from '../src/story.ts'

const answered = 'care.survey.answered.v1'
const complains = { type: answered, data: { recommends: 2, complaint: true } }

export const quietAfterAComplaint: Stories = {
  campaign: 'quiet-after-a-complaint',
  stories: {
    'a new complaint begins it anew': {
      given: other,
      when: [
        { at: '03-10 11:00', ...complains },
        { at: '03-20 11:00', ...complains },
      ],
      outcome: ['03-20 11:00 left exit_touchpoint'],
    },
    'without a complaint there is none': {
      given: other,
      when: [{ at: '03-10 11:00', type: answered, data: { recommends: 2, complaint: false } }],
      outcome: ['03-10 11:00 not enrolled trigger_false'],
    },
  },
}
