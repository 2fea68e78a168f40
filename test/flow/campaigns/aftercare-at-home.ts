import { caregiver, other, parent, type Stories, senior, website } from '../src/story.ts'

const home = { type: 'care.discharge.completed.v1', data: { destination: 'home' } }
const withdrawn = 'consent.withdrawn.v1'

export const aftercareAtHome: Stories = {
  campaign: 'aftercare-at-home',
  stories: {
    'three hours after going home, and on the first working day after two days': {
      given: senior,
      when: [{ at: '03-06 11:00', ...home }],
      outcome: [
        '03-06 14:00 app home-again delivered "Fijn dat u weer thuis bent"',
        '03-09 10:00 app tips delivered "Elke dag een stapje verder"',
      ],
    },
    'Easter Monday is no working day, and ten is ten in summer time': {
      given: { ...other, locale: 'en' },
      when: [{ at: '04-02 15:00', ...home }],
      outcome: [
        '04-02 18:00 email home-again delivered "Home again: the first days"',
        '04-07 10:00 email tips delivered "A little further every day"',
      ],
    },
    'the family hears how to help': {
      given: caregiver,
      when: [{ at: '03-06 11:00', ...home }],
      outcome: [
        '03-06 14:00 email caring delivered "Uw naaste is weer thuis: zo helpt u, en zo houdt u het vol"',
      ],
    },
    'back in the emergency room before the evening: not sent': {
      given: senior,
      when: [
        { at: '03-06 11:00', ...home },
        { at: '03-06 13:30', type: 'care.emergency.returned.v1' },
      ],
      outcome: [
        '03-06 13:30 home-again cancelled exit_touchpoint',
        '03-06 13:30 left exit_touchpoint',
      ],
    },
    'back after the first message: no tips': {
      given: senior,
      when: [
        { at: '03-06 11:00', ...home },
        { at: '03-08 03:00', type: 'care.emergency.returned.v1' },
      ],
      outcome: [
        '03-06 14:00 app home-again delivered "Fijn dat u weer thuis bent"',
        '03-08 03:00 left exit_touchpoint',
      ],
    },
    'who has died gets nothing that was planned': {
      given: senior,
      when: [
        { at: '03-06 11:00', ...home },
        { at: '03-06 12:00', type: 'person.deceased.v1' },
      ],
      outcome: [
        '03-06 12:00 home-again cancelled person_deceased',
        '03-06 12:00 left person_deceased',
      ],
    },
    'a no to everything holds for care, too': {
      given: other,
      when: [
        { at: '03-06 11:00', ...home },
        { at: '03-06 12:00', type: withdrawn, data: { purpose: 'all', origin: 'person' } },
      ],
      outcome: [
        '03-06 14:00 home-again skipped consent_withdrawn',
        '03-09 10:00 tips skipped consent_withdrawn',
      ],
    },
    'a no by SMS leaves e-mail, a no to marketing leaves care': {
      given: { ...parent, reach: ['email', 'phone'] },
      when: [
        { at: '03-06 11:00', ...home },
        {
          at: '03-06 12:00',
          type: withdrawn,
          data: { purpose: 'care', channel: 'email', origin: 'person' },
        },
        { at: '03-06 12:00', type: withdrawn, data: { purpose: 'marketing', origin: 'person' } },
      ],
      outcome: [
        '03-06 14:00 sms home-again delivered "Goedendag. Ziekenhuis De Linde heeft informatie voor u klaargezet: https://delinde.example.org/thuis Vragen of twijfel? Bel 088 000 00 00, dag en nacht."',
        '03-09 10:00 tips skipped no_usable_channel (app contact_missing, email consent_withdrawn)',
      ],
    },
    'a yes after the no holds, an imported one does not': {
      given: other,
      when: [
        { at: '03-05 11:00', type: withdrawn, data: { purpose: 'care', origin: 'person' } },
        { at: '03-06 11:00', ...home },
        {
          at: '03-06 12:00',
          type: 'consent.granted.v1',
          data: { purpose: 'care', origin: 'import' },
        },
        {
          at: '03-07 12:00',
          type: 'consent.granted.v1',
          data: { purpose: 'care', origin: 'person' },
        },
      ],
      outcome: [
        '03-06 14:00 home-again skipped consent_withdrawn',
        '03-09 10:00 email tips delivered "Elke dag een stapje verder"',
      ],
    },
    'the address that is known at the moment of sending is used': {
      given: { ...other, reach: ['phone'] },
      when: [
        { at: '03-06 11:00', ...home },
        {
          at: '03-06 12:00',
          type: 'person.upserted.v1',
          data: { contacts: { email: 'new@example.org', phone: null }, locale: 'en' },
        },
      ],
      outcome: [
        '03-06 14:00 email home-again delivered "Home again: the first days"',
        '03-09 10:00 email tips delivered "A little further every day"',
      ],
    },
    'somewhere else than home needs no tips for home': {
      given: senior,
      when: [{ at: '03-06 11:00', ...home, data: { destination: 'rehabilitation' } }],
      outcome: ['03-06 11:00 not enrolled trigger_false'],
    },
    'a discharge that we hear of two days later starts nothing': {
      given: senior,
      when: [{ at: '03-06 11:00', late: '03-08 11:30', ...home }],
      outcome: ['03-08 11:30 not enrolled event_too_old'],
    },
    'told twice is told once': {
      given: senior,
      when: [
        { at: '03-06 11:00', id: 'told-twice', ...home },
        { at: '03-06 11:00', late: '03-06 16:00', id: 'told-twice', ...home },
      ],
      outcome: [
        '03-06 14:00 app home-again delivered "Fijn dat u weer thuis bent"',
        '03-09 10:00 app tips delivered "Elke dag een stapje verder"',
      ],
    },
    'two records of one person are one person, who gets one message': {
      given: senior,
      when: [
        { at: '03-06 11:00', ...home },
        { at: '03-06 11:01', subject: 'second-record', ...home },
        {
          at: '03-06 12:00',
          type: 'person.merged.v1',
          data: { idSpace: 'ehr', externalId: 'second-record' },
        },
      ],
      outcome: [
        '03-06 14:00 app home-again delivered "Fijn dat u weer thuis bent"',
        '03-09 10:00 app tips delivered "Elke dag een stapje verder"',
        '03-06 12:00 home-again cancelled merged_duplicate',
        '03-06 12:00 left merged_duplicate',
      ],
    },
    'what the visitor of the website said counts for the patient they are': {
      given: other,
      when: [
        {
          at: '03-05 10:00',
          type: withdrawn,
          source: website,
          subject: 'a-visitor',
          data: { purpose: 'care', origin: 'person' },
        },
        {
          at: '03-05 11:00',
          type: 'person.merged.v1',
          data: { idSpace: 'website', externalId: 'a-visitor' },
        },
        { at: '03-06 11:00', ...home },
      ],
      outcome: [
        '03-06 14:00 home-again skipped consent_withdrawn',
        '03-09 10:00 tips skipped consent_withdrawn',
      ],
    },
  },
}
