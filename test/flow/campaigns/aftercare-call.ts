import { other, type Stories, senior } from '../src/story.ts'

const home = { type: 'care.discharge.completed.v1', data: { destination: 'home' } }

export const aftercareCall: Stories = {
  campaign: 'aftercare-call',
  stories: {
    'the morning after, one question': {
      given: senior,
      when: [{ at: '03-06 11:00', ...home }],
      outcome: ['03-07 10:00 app at-home delivered "Hoe gaat het thuis?"'],
    },
    'by SMS, and nothing for who is back with us before': {
      given: { ...other, locale: 'en', reach: ['phone'] },
      when: [
        { at: '03-06 11:00', ...home },
        { at: '03-07 09:00', type: 'care.emergency.returned.v1' },
      ],
      outcome: ['03-07 09:00 left exit_touchpoint'],
    },
  },
}
