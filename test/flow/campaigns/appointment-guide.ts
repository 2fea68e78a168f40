import {
  caregiver,
  type Happening,
  instantOf,
  other,
  parent,
  type Stories,
  senior,
} from '../src/story.ts'

type Told = { at: string; startsAt: string; version: number; kind?: 'operation' | 'check-up' }

/** An appointment of which a version is told; times are local. */
export function appointment(
  type: 'booked' | 'moved',
  { at, startsAt, version, kind = 'operation' }: Told,
): Happening {
  return {
    at,
    type: `care.appointment.${type}.v1`,
    entity: 'appointment/A-1',
    version,
    data: {
      startsAt: instantOf(startsAt),
      kind,
      location: 'Route 40',
      department: 'Orthopedie',
    },
  }
}

export function cancelled(at: string, startsAt: string, version: number): Happening {
  return {
    at,
    type: 'care.appointment.cancelled.v1',
    entity: 'appointment/A-1',
    version,
    data: { startsAt: instantOf(startsAt), reason: 'by-patient' },
  }
}

export const appointmentGuide: Stories = {
  campaign: 'appointment-guide',
  stories: {
    'confirmed at once, and all of it on the evening before the operation': {
      given: { ...senior, reach: ['email', 'phone'] },
      when: [appointment('booked', { at: '03-04 10:20', startsAt: '03-19 08:00', version: 1 })],
      outcome: [
        '03-04 10:20 email confirmed delivered "Uw afspraak op 19 maart 2026 staat vast"',
        '03-18 18:00 email evening-before delivered "Tot donderdag om 08:00 uur: alles op een rij"',
      ],
    },
    'over the change to summer time the hour stays the hour': {
      given: { ...other, locale: 'en' },
      when: [
        appointment('booked', {
          at: '03-20 10:20',
          startsAt: '03-30 09:15',
          version: 1,
          kind: 'check-up',
        }),
      ],
      outcome: [
        '03-20 10:20 email confirmed delivered "Your appointment on 30 March 2026 is confirmed"',
        '03-29 18:00 email reminder delivered "See you on Monday at 09:15"',
      ],
    },
    'before a check-up one reminder, where this person looks first': {
      given: parent,
      when: [
        appointment('booked', {
          at: '03-04 10:20',
          startsAt: '03-19 13:30',
          version: 1,
          kind: 'check-up',
        }),
      ],
      outcome: [
        '03-04 10:20 app confirmed delivered "Uw afspraak staat vast"',
        '03-18 18:00 app reminder delivered "Tot donderdag om 13:30 uur"',
      ],
    },
    'booked for tomorrow: both at once': {
      given: caregiver,
      when: [appointment('booked', { at: '03-18 20:00', startsAt: '03-19 08:00', version: 1 })],
      outcome: [
        '03-18 20:00 email confirmed delivered "Uw afspraak op 19 maart 2026 staat vast"',
        '03-18 20:00 email evening-before delivered "Tot donderdag om 08:00 uur: alles op een rij"',
      ],
    },
    'moved, the evening message moves along': {
      given: senior,
      when: [
        appointment('booked', { at: '03-04 10:20', startsAt: '03-19 08:00', version: 1 }),
        appointment('moved', { at: '03-10 09:00', startsAt: '03-26 10:00', version: 2 }),
      ],
      outcome: [
        '03-04 10:20 app confirmed delivered "Uw afspraak staat vast"',
        '03-10 09:00 evening-before cancelled entity_superseded',
        '03-25 18:00 app evening-before delivered "Tot donderdag om 10:00 uur"',
      ],
    },
    'an older version that comes after a newer one changes nothing': {
      given: senior,
      when: [
        appointment('booked', { at: '03-04 10:20', startsAt: '03-19 08:00', version: 1 }),
        appointment('moved', { at: '03-10 09:05', startsAt: '03-27 10:00', version: 3 }),
        {
          ...appointment('moved', { at: '03-10 09:00', startsAt: '03-26 10:00', version: 2 }),
          late: '03-11 09:00',
        },
      ],
      outcome: [
        '03-04 10:20 app confirmed delivered "Uw afspraak staat vast"',
        '03-10 09:05 evening-before cancelled entity_superseded',
        '03-26 18:00 app evening-before delivered "Tot vrijdag om 10:00 uur"',
      ],
    },
    'cancelled, the evening message is not sent': {
      given: senior,
      when: [
        appointment('booked', { at: '03-04 10:20', startsAt: '03-19 08:00', version: 1 }),
        cancelled('03-12 09:00', '03-19 08:00', 2),
      ],
      outcome: [
        '03-04 10:20 app confirmed delivered "Uw afspraak staat vast"',
        '03-12 09:00 evening-before cancelled entity_withdrawn',
        '03-12 09:00 left entity_withdrawn',
      ],
    },
    'told only after it was: nothing to say any more': {
      given: senior,
      when: [
        {
          ...appointment('booked', { at: '03-19 07:30', startsAt: '03-19 08:00', version: 1 }),
          late: '03-19 12:00',
        },
      ],
      outcome: [],
    },
  },
}
