import { caregiver, other, type Stories, senior, website } from '../src/story.ts'

const home = { type: 'care.discharge.completed.v1', data: { destination: 'home' } }

export const experienceSurvey: Stories = {
  campaign: 'experience-survey',
  stories: {
    'after a week at home, and one reminder': {
      given: senior,
      when: [{ at: '03-02 10:00', ...home }],
      outcome: [
        '03-09 10:00 app invitation delivered "Hoe was het bij ons?"',
        '03-16 10:00 app reminder delivered "Wij horen het nog graag van u"',
      ],
    },
    'silence as soon as the answer is in': {
      given: other,
      when: [
        { at: '03-02 10:00', ...home },
        { at: '03-10 21:00', type: 'care.survey.answered.v1', data: { recommends: 9 } },
      ],
      outcome: [
        '03-09 10:00 email invitation delivered "Hoe was het bij ons? Vijf vragen"',
        '03-10 21:00 left goal_reached',
      ],
    },
    'an answer on the website counts for the patient who gave it': {
      given: other,
      when: [
        {
          at: '03-01 13:00',
          type: 'person.identified.v1',
          data: { idSpace: 'website', externalId: 'survey-visitor' },
        },
        { at: '03-02 10:00', ...home },
        {
          at: '03-10 21:00',
          type: 'care.survey.answered.v1',
          source: website,
          subject: 'survey-visitor',
          data: { recommends: 7 },
        },
      ],
      outcome: [
        '03-09 10:00 email invitation delivered "Hoe was het bij ons? Vijf vragen"',
        '03-10 21:00 left goal_reached',
      ],
    },
    'who answered of late is not asked again': {
      given: other,
      when: [
        { at: '03-01 13:00', type: 'care.survey.answered.v1', data: { recommends: 9 } },
        { at: '03-02 10:00', ...home },
      ],
      outcome: ['03-02 10:00 not enrolled condition_false'],
    },
    'silence to who is back with us': {
      given: senior,
      when: [
        { at: '03-02 10:00', ...home },
        { at: '03-07 10:00', type: 'care.emergency.returned.v1' },
      ],
      outcome: ['03-07 10:00 left exit_touchpoint'],
    },
    'who has only a telephone is asked once': {
      given: { ...other, reach: ['phone'], locale: 'en' },
      when: [{ at: '03-02 10:00', ...home }],
      outcome: [
        '03-09 10:00 sms invitation delivered "Ziekenhuis De Linde would like to hear from you. Five questions, three minutes: https://delinde.example.org/en/experience Rather talk? 088 000 00 00."',
        '03-16 10:00 reminder skipped no_usable_channel (app contact_missing, email contact_missing)',
      ],
    },
    'who was never invited is not reminded': {
      given: { ...other, reach: [] },
      when: [{ at: '03-02 10:00', ...home }],
      outcome: [
        '03-09 10:00 invitation skipped no_usable_channel (email contact_missing, sms contact_missing, app contact_missing)',
      ],
    },
    'a family member cannot answer for the patient': {
      given: caregiver,
      when: [{ at: '03-02 10:00', ...home }],
      outcome: ['03-02 10:00 not enrolled persona_not_in_audience'],
    },
  },
}
