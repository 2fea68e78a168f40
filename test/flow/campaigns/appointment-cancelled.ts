import { other, type Stories, senior } from '../src/story.ts'
import { appointment, cancelled } from './appointment-guide.ts'

const booked = appointment('booked', { at: '03-04 10:20', startsAt: '03-19 08:00', version: 1 })

export const appointmentCancelled: Stories = {
  campaign: 'appointment-cancelled',
  stories: {
    'at once, with the time that no longer holds': {
      given: { ...other, reach: ['phone'] },
      when: [booked, cancelled('03-12 09:00', '03-19 08:00', 2)],
      outcome: [
        '03-12 09:00 sms cancelled delivered "Uw afspraak bij Ziekenhuis De Linde op 19 maart 2026 om 08:00 uur gaat niet door. Een nieuwe maken? Bel 088 000 00 00."',
      ],
    },
    'told twice, by two versions, is cancelled once': {
      given: { ...other, locale: 'en' },
      when: [
        booked,
        cancelled('03-12 09:00', '03-19 08:00', 2),
        cancelled('03-12 10:00', '03-19 08:00', 3),
      ],
      outcome: [
        '03-12 09:00 email cancelled delivered "Your appointment on 19 March 2026 is cancelled"',
        '03-12 10:00 not enrolled already_entered',
      ],
    },
    'a no to service messages holds': {
      given: senior,
      when: [
        booked,
        {
          at: '03-05 09:00',
          type: 'consent.withdrawn.v1',
          data: { purpose: 'service', origin: 'person' },
        },
        cancelled('03-12 09:00', '03-19 08:00', 2),
      ],
      outcome: ['03-12 09:00 cancelled skipped consent_withdrawn'],
    },
  },
}
