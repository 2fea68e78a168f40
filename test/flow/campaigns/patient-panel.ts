import { caregiver, type Happening, other, type Stories, senior } from '../src/story.ts'

const home = { type: 'care.discharge.completed.v1', data: { destination: 'home' } }
const complains = { type: 'care.survey.answered.v1', data: { recommends: 2, complaint: true } }

function consent(
  at: string,
  kind: 'granted' | 'withdrawn',
  data: Happening['data'] = {},
): Happening {
  return {
    at,
    type: `consent.${kind}.v1`,
    data: { purpose: 'marketing', origin: 'person', ...data },
  }
}

export const patientPanel: Stories = {
  campaign: 'patient-panel',
  stories: {
    'three weeks at home, to who said yes beforehand': {
      given: senior,
      when: [consent('03-01 13:00', 'granted'), { at: '03-02 12:00', ...home }],
      outcome: ['03-24 10:30 email invitation delivered "Denkt u met ons mee?"'],
    },
    'in the app to who said yes to that alone': {
      given: senior,
      when: [consent('03-01 13:00', 'granted', { channel: 'app' }), { at: '03-02 12:00', ...home }],
      outcome: ['03-24 10:30 app invitation delivered "Denkt u met ons mee?"'],
    },
    'not to who never said yes': {
      given: senior,
      when: [{ at: '03-02 12:00', ...home }],
      outcome: ['03-24 10:30 invitation skipped consent_missing'],
    },
    'not to who has changed their mind': {
      given: senior,
      when: [
        consent('03-01 13:00', 'granted'),
        { at: '03-02 12:00', ...home },
        consent('03-23 22:00', 'withdrawn'),
      ],
      outcome: ['03-24 10:30 invitation skipped consent_withdrawn'],
    },
    'a yes by telephone alone is none for this': {
      given: senior,
      when: [consent('03-01 13:00', 'granted', { channel: 'sms' }), { at: '03-02 12:00', ...home }],
      outcome: ['03-24 10:30 invitation skipped consent_missing'],
    },
    'once in a lifetime': {
      given: { ...other, locale: 'en' },
      when: [
        consent('03-01 13:00', 'granted'),
        { at: '03-02 12:00', ...home },
        { at: '04-14 12:00', type: 'care.emergency.returned.v1' },
        { at: '04-16 12:00', ...home },
      ],
      outcome: [
        '03-24 10:30 email invitation delivered "Will you think along with us?"',
        '04-16 12:00 not enrolled condition_false',
      ],
    },
    'not while somebody is back with us': {
      given: senior,
      when: [
        consent('03-01 13:00', 'granted'),
        { at: '03-02 12:00', ...home },
        { at: '03-20 12:00', type: 'care.emergency.returned.v1' },
      ],
      outcome: ['03-20 12:00 left exit_touchpoint'],
    },
    'not to who has a complaint while it waits': {
      given: senior,
      when: [
        consent('03-01 13:00', 'granted'),
        { at: '03-02 12:00', ...home },
        { at: '03-20 19:00', ...complains },
      ],
      outcome: ['03-20 19:00 left exit_touchpoint'],
    },
    'not in the 90 days after a complaint': {
      given: senior,
      when: [
        consent('03-01 13:00', 'granted'),
        { at: '03-01 19:00', ...complains },
        { at: '03-02 12:00', ...home },
      ],
      outcome: ['03-02 12:00 not enrolled condition_false'],
    },
    'not to children': {
      given: { ...other, birthYear: 2010 },
      when: [{ at: '03-02 12:00', ...home }],
      outcome: ['03-02 12:00 not enrolled condition_false'],
    },
    'not to family': {
      given: caregiver,
      when: [{ at: '03-02 12:00', ...home }],
      outcome: ['03-02 12:00 not enrolled persona_not_in_audience'],
    },
  },
}
