import { type Happening, referrer, type Stories, senior } from '../src/story.ts'

const crm = 'urn:example:delinde:crm'

/** Whom our files of patients know, under the id by which the contact centre knows them. */
const knownAs = (externalId: string): Happening => ({
  at: '03-01 12:30',
  type: 'person.identified.v1',
  data: { idSpace: 'crm', externalId },
})

const edition = (subject: string, at: string, headline: string): Happening => ({
  at,
  type: 'news.edition.published.v1',
  source: crm,
  subject,
  data: { headline, page: '2026-2' },
})
const agrees: Happening = {
  at: '03-01 13:00',
  type: 'consent.granted.v1',
  data: { purpose: 'marketing', origin: 'person' },
}

export const newsForReferrers: Stories = {
  campaign: 'news-for-referrers',
  stories: {
    'on Tuesday at noon, to who asked for it': {
      given: referrer,
      when: [knownAs('asked'), agrees, edition('asked', '03-06 16:00', 'Spreekuur op zaterdag')],
      outcome: ['03-10 12:00 email news delivered "Voor uw praktijk: Spreekuur op zaterdag"'],
    },
    'at once, within the hour in which it is read': {
      given: referrer,
      when: [knownAs('noon'), agrees, edition('noon', '03-10 12:20', 'Spreekuur op zaterdag')],
      outcome: ['03-10 12:20 email news delivered "Voor uw praktijk: Spreekuur op zaterdag"'],
    },
    'not to who never asked': {
      given: referrer,
      when: [knownAs('silent'), edition('silent', '03-06 16:00', 'Spreekuur op zaterdag')],
      outcome: ['03-10 12:00 news skipped consent_missing'],
    },
    'not to patients': {
      given: senior,
      when: [
        knownAs('patient'),
        agrees,
        edition('patient', '03-06 16:00', 'Spreekuur op zaterdag'),
      ],
      outcome: ['03-06 16:00 not enrolled persona_not_in_audience'],
    },
    'withdrawn when the family doctor has a complaint as a patient': {
      given: referrer,
      when: [
        knownAs('complains'),
        agrees,
        edition('complains', '03-06 16:00', 'Zaterdag'),
        {
          at: '03-08 19:00',
          type: 'care.survey.answered.v1',
          data: { recommends: 2, complaint: true },
        },
      ],
      outcome: ['03-08 19:00 news cancelled exit_touchpoint', '03-08 19:00 left exit_touchpoint'],
    },
    'one of two in a week': {
      given: referrer,
      when: [
        knownAs('twice'),
        agrees,
        edition('twice', '03-09 09:00', 'Zaterdag'),
        edition('twice', '03-11 09:00', 'Parkeren'),
      ],
      outcome: [
        '03-10 12:00 email news delivered "Voor uw praktijk: Zaterdag"',
        '03-11 09:00 not enrolled at_once',
      ],
    },
  },
}
