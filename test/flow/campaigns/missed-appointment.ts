import { caregiver, parent, type Stories, senior } from '../src/story.ts'
import { appointment } from './appointment-guide.ts'

const startsAt = '03-10 14:00'
const booked = appointment('booked', { at: '03-02 10:00', startsAt, version: 1 })
const missed = (at: string) => ({
  at,
  type: 'care.appointment.missed.v1',
  entity: booked.entity ?? '',
  version: 2,
  data: { startsAt: booked.data?.startsAt ?? '' },
})
const another = {
  ...appointment('booked', { at: '03-12 10:00', startsAt: '03-24 09:00', version: 1 }),
  entity: 'appointment/another',
}

const sms =
  '"Er kwam vast iets tussen. U bent welkom bij Ziekenhuis De Linde. Nieuwe afspraak: 088 000 00 00 of https://delinde.example.org/afspraak"'

export const missedAppointment: Stories = {
  campaign: 'missed-appointment',
  stories: {
    'the same afternoon, and once more a week later': {
      given: parent,
      when: [booked, missed('03-10 15:00')],
      outcome: [
        '03-10 16:00 app welcome-back delivered "Zullen wij een nieuwe afspraak maken?"',
        `03-17 15:00 sms once-more delivered ${sms}`,
      ],
    },
    'in the morning, when the desk is closed by then': {
      given: caregiver,
      when: [booked, missed('03-10 16:30')],
      outcome: [
        '03-11 09:00 email welcome-back delivered "Zullen wij een nieuwe afspraak maken?"',
        `03-19 10:00 sms once-more delivered ${sms}`,
      ],
    },
    'nothing more as soon as there is another appointment': {
      given: senior,
      when: [booked, missed('03-10 15:00'), another],
      outcome: [
        '03-10 16:00 app welcome-back delivered "Zullen wij een nieuwe afspraak maken?"',
        '03-12 10:00 left goal_reached',
      ],
    },
  },
}
