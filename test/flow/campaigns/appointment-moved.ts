import { caregiver, parent, type Stories, senior } from '../src/story.ts'
import { appointment, cancelled } from './appointment-guide.ts'

const booked = appointment('booked', { at: '03-04 10:20', startsAt: '03-19 08:00', version: 1 })

export const appointmentMoved: Stories = {
  campaign: 'appointment-moved',
  stories: {
    'the new time, every time, over the channel that this person looks at first': {
      given: { ...parent, reach: ['email', 'phone'] },
      when: [
        booked,
        appointment('moved', { at: '03-10 09:00', startsAt: '03-26 10:00', version: 2 }),
        appointment('moved', { at: '03-12 09:00', startsAt: '04-01 10:00', version: 3 }),
      ],
      outcome: [
        '03-10 09:00 sms moved delivered "Uw afspraak bij Ziekenhuis De Linde is verzet: donderdag 26 maart 2026, 10:00 uur. Past dat niet? Bel 088 000 00 00."',
        '03-12 09:00 sms moved delivered "Uw afspraak bij Ziekenhuis De Linde is verzet: woensdag 1 april 2026, 10:00 uur. Past dat niet? Bel 088 000 00 00."',
      ],
    },
    'within two days, over everything that reaches them': {
      given: { ...senior, reach: ['email', 'phone'] },
      when: [
        booked,
        appointment('moved', { at: '03-17 09:00', startsAt: '03-18 10:00', version: 2 }),
      ],
      outcome: [
        '03-17 09:00 moved-close-by skipped no_usable_channel (app contact_missing)',
        '03-17 09:00 email moved-close-by delivered "Uw afspraak is verzet naar 18 maart 2026"',
        '03-17 09:00 sms moved-close-by delivered "Uw afspraak bij Ziekenhuis De Linde is verzet: woensdag 18 maart 2026, 10:00 uur. Past dat niet? Bel 088 000 00 00."',
      ],
    },
    'two moves in one breath: only the last one is told': {
      given: senior,
      when: [
        booked,
        appointment('moved', { at: '03-10 09:00', startsAt: '03-26 10:00', version: 2 }),
        appointment('moved', { at: '03-10 09:00', startsAt: '03-27 10:00', version: 3 }),
      ],
      outcome: [
        '03-10 09:00 moved cancelled entity_superseded',
        '03-10 09:00 moved cancelled exit_touchpoint',
        '03-10 09:00 left exit_touchpoint',
        '03-10 09:00 app moved delivered "Uw afspraak is verzet"',
      ],
    },
    'a time that has been superseded is not told': {
      given: caregiver,
      when: [
        booked,
        appointment('moved', { at: '03-10 09:00', startsAt: '03-27 10:00', version: 3 }),
        {
          ...appointment('moved', { at: '03-10 08:00', startsAt: '03-26 10:00', version: 2 }),
          late: '03-10 11:00',
        },
      ],
      outcome: [
        '03-10 09:00 email moved delivered "Uw afspraak is verzet naar 27 maart 2026"',
        '03-10 11:00 not enrolled entity_not_newer',
      ],
    },
    'moved and cancelled in one breath: only the cancelling is told': {
      given: senior,
      when: [
        booked,
        appointment('moved', { at: '03-10 09:00', startsAt: '03-26 10:00', version: 2 }),
        cancelled('03-10 09:00', '03-26 10:00', 3),
      ],
      outcome: [
        '03-10 09:00 moved cancelled entity_withdrawn',
        '03-10 09:00 left entity_withdrawn',
      ],
    },
  },
}
