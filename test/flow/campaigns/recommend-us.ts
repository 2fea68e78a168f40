import { caregiver, type Happening, other, type Stories, senior } from '../src/story.ts'

const agrees: Happening = {
  at: '03-01 13:00',
  type: 'consent.granted.v1',
  data: { purpose: 'marketing', origin: 'person' },
}
const answers = (at: string, recommends: number, complaint = false): Happening => ({
  at,
  type: 'care.survey.answered.v1',
  data: { recommends, complaint },
})

export const recommendUs: Stories = {
  campaign: 'recommend-us',
  stories: {
    'a few days after a nine, to who said yes beforehand': {
      given: senior,
      when: [agrees, answers('03-10 11:00', 9)],
      outcome: ['03-13 10:30 email invitation delivered "Vertelt u het verder?"'],
    },
    'in English to who reads that': {
      given: { ...other, locale: 'en' },
      when: [agrees, answers('03-10 11:00', 10)],
      outcome: ['03-13 10:30 email invitation delivered "Will you tell others?"'],
    },
    'not to who never said yes': {
      given: senior,
      when: [answers('03-10 11:00', 9)],
      outcome: ['03-13 10:30 invitation skipped consent_missing'],
    },
    'not after an eight': {
      given: senior,
      when: [agrees, answers('03-10 11:00', 8)],
      outcome: ['03-10 11:00 not enrolled trigger_false'],
    },
    'withdrawn at once when there is a complaint': {
      given: senior,
      when: [agrees, answers('03-10 11:00', 9), answers('03-12 20:00', 2, true)],
      outcome: [
        '03-12 20:00 invitation cancelled exit_touchpoint',
        '03-12 20:00 left exit_touchpoint',
        '03-12 20:00 not enrolled already_entered',
      ],
    },
    'not in the 90 days after a complaint, and then again': {
      given: other,
      when: [
        agrees,
        answers('03-10 11:00', 2, true),
        answers('06-05 12:00', 9),
        answers('06-09 12:00', 9),
      ],
      outcome: [
        '03-10 11:00 not enrolled trigger_false',
        '06-05 12:00 not enrolled condition_false',
        '06-12 10:30 email invitation delivered "Vertelt u het verder?"',
      ],
    },
    'not to family': {
      given: caregiver,
      when: [agrees, answers('03-10 11:00', 10)],
      outcome: ['03-10 11:00 not enrolled persona_not_in_audience'],
    },
  },
}
