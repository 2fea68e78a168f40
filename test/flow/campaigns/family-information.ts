import { caregiver, type Stories, senior } from '../src/story.ts'

const intensiveCare = 'care.intensive-care.started.v1'

export const familyInformation: Stories = {
  campaign: 'family-information',
  stories: {
    'two hours later, and a day after that the question how they are themselves': {
      given: caregiver,
      when: [{ at: '03-02 20:00', type: intensiveCare }],
      outcome: [
        '03-02 22:00 email information delivered "Na ons telefoontje: wat u mag vragen en wanneer u mag komen"',
        '03-04 11:00 email strength delivered "En hoe gaat het met u?"',
      ],
    },
    'in English, by telephone': {
      given: { ...caregiver, locale: 'en', reach: ['phone'] },
      when: [{ at: '03-02 08:00', type: intensiveCare }],
      outcome: [
        '03-02 10:00 sms information delivered "Ziekenhuis De Linde has information for you. We called you or will do so soon. You may always call us: 088 000 00 00."',
        '03-03 11:00 sms strength delivered "And how are you? Ziekenhuis De Linde thinks of those who care, too: https://delinde.example.org/en/family Need to talk? Call 088 000 00 00."',
      ],
    },
    'back on the ward within two hours: not sent': {
      given: caregiver,
      when: [
        { at: '03-02 20:00', type: intensiveCare },
        { at: '03-02 21:30', type: 'care.admission.started.v1' },
      ],
      outcome: [
        '03-02 21:30 information cancelled exit_touchpoint',
        '03-02 21:30 left exit_touchpoint',
      ],
    },
    'the patient has died: the family gets no message that was written for another day': {
      given: caregiver,
      when: [
        { at: '03-02 20:00', type: intensiveCare },
        { at: '03-03 02:00', type: 'person.deceased.v1' },
      ],
      outcome: [
        '03-02 22:00 email information delivered "Na ons telefoontje: wat u mag vragen en wanneer u mag komen"',
        '03-03 02:00 left person_deceased',
      ],
    },
    'not to patients': {
      given: senior,
      when: [{ at: '03-02 20:00', type: intensiveCare }],
      outcome: ['03-02 20:00 not enrolled persona_not_in_audience'],
    },
    'not when we hear of it half a day later': {
      given: caregiver,
      when: [{ at: '03-02 20:00', late: '03-03 08:30', type: intensiveCare }],
      outcome: ['03-03 08:30 not enrolled event_too_old'],
    },
  },
}
