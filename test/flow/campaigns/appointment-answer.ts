import { type Stories, senior } from '../src/story.ts'
import { appointment } from './appointment-guide.ts'

const asks = (when: string) =>
  `"Ziekenhuis De Linde: komt u ${when}? Antwoord JA, ANDERS (een andere dag) of NEE. Of bel 088 000 00 00"`

export const appointmentAnswer: Stories = {
  campaign: 'appointment-answer',
  stories: {
    'three days before, and again three days before the new day': {
      given: senior,
      when: [
        appointment('booked', { at: '03-02 10:00', startsAt: '03-17 09:30', version: 1 }),
        appointment('moved', { at: '03-14 12:00', startsAt: '03-26 09:30', version: 2 }),
      ],
      outcome: [
        `03-14 10:00 sms coming delivered ${asks('dinsdag 17 maart 2026 om 09:30 uur')}`,
        `03-23 10:00 sms coming delivered ${asks('donderdag 26 maart 2026 om 09:30 uur')}`,
      ],
    },
  },
}
