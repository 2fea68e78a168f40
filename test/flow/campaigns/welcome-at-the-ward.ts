import { caregiver, other, parent, type Stories, senior } from '../src/story.ts'

const admitted = 'care.admission.started.v1'

export const welcomeAtTheWard: Stories = {
  campaign: 'welcome-at-the-ward',
  stories: {
    'in the app at once, and before the round of the next morning': {
      given: senior,
      when: [{ at: '03-02 14:05', type: admitted, data: { department: 'Cardiologie' } }],
      outcome: [
        '03-02 14:05 app welcome delivered "Welkom bij ons"',
        '03-03 08:30 app questions delivered "Drie goede vragen voor uw arts"',
      ],
    },
    'by e-mail and in English to who reads that': {
      given: { ...other, locale: 'en' },
      when: [{ at: '03-02 23:40', type: admitted }],
      outcome: [
        '03-02 23:40 email welcome delivered "Welcome: this is how your day will go"',
        '03-03 08:30 email questions delivered "Three questions that are always good"',
      ],
    },
    'admitted after midnight, the questions come the same morning': {
      given: parent,
      when: [{ at: '03-03 00:20', type: admitted }],
      outcome: [
        '03-03 00:20 app welcome delivered "Welkom bij ons"',
        '03-03 08:30 app questions delivered "Drie goede vragen voor uw arts"',
      ],
    },
    'the family gets words of its own, and no questions for the doctor': {
      given: caregiver,
      when: [{ at: '03-02 14:05', type: admitted }],
      outcome: ['03-02 14:05 email welcome delivered "Uw naaste is bij ons: wat u nu kunt doen"'],
    },
    'by SMS when that is all there is, and then no second message': {
      given: { ...other, reach: ['phone'] },
      when: [{ at: '03-02 14:05', type: admitted }],
      outcome: [
        '03-02 14:05 sms welcome delivered "Goedendag. Ziekenhuis De Linde heeft informatie voor u klaargezet: https://delinde.example.org/verblijf Vragen? Bel 088 000 00 00, dag en nacht."',
        '03-03 08:30 questions skipped no_usable_channel (app contact_missing, email contact_missing)',
      ],
    },
    'who cannot be reached is not reached, and not asked again the next morning': {
      given: { ...other, reach: [] },
      when: [{ at: '03-02 14:05', type: admitted }],
      outcome: [
        '03-02 14:05 welcome skipped no_usable_channel (email contact_missing, sms contact_missing, app contact_missing)',
      ],
    },
    'nothing more once they have gone home': {
      given: senior,
      when: [
        { at: '03-02 14:05', type: admitted },
        {
          at: '03-02 21:00',
          type: 'care.discharge.completed.v1',
          data: { destination: 'nursing-home' },
        },
      ],
      outcome: [
        '03-02 14:05 app welcome delivered "Welkom bij ons"',
        '03-02 21:00 left exit_touchpoint',
      ],
    },
    'nothing more once they lie in intensive care': {
      given: senior,
      when: [
        { at: '03-02 14:05', type: admitted },
        { at: '03-03 04:00', type: 'care.intensive-care.started.v1' },
      ],
      outcome: [
        '03-02 14:05 app welcome delivered "Welkom bij ons"',
        '03-03 04:00 left exit_touchpoint',
      ],
    },
    'nothing more to who has died': {
      given: senior,
      when: [
        { at: '03-02 14:05', type: admitted },
        { at: '03-03 04:00', type: 'person.deceased.v1' },
      ],
      outcome: [
        '03-02 14:05 app welcome delivered "Welkom bij ons"',
        '03-03 04:00 left person_deceased',
      ],
    },
    'nobody is welcomed half a day late': {
      given: senior,
      when: [{ at: '03-02 06:00', late: '03-02 19:30', type: admitted }],
      outcome: ['03-02 19:30 not enrolled event_too_old'],
    },
    'a second admission of the same stay is no second welcome, one of the next stay is': {
      given: senior,
      when: [
        { at: '03-02 13:00', type: 'care.emergency.registered.v1' },
        { at: '03-02 14:05', type: admitted },
        { at: '03-03 16:00', type: admitted },
        { at: '03-20 09:00', type: 'care.emergency.returned.v1' },
        { at: '03-20 10:00', type: admitted },
      ],
      outcome: [
        '03-02 14:05 app welcome delivered "Welkom bij ons"',
        '03-03 08:30 app questions delivered "Drie goede vragen voor uw arts"',
        '03-03 16:00 not enrolled already_entered',
        '03-20 10:00 app welcome delivered "Welkom bij ons"',
        '03-21 08:30 app questions delivered "Drie goede vragen voor uw arts"',
      ],
    },
  },
}
