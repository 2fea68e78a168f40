import { other, type Stories, senior } from '../src/story.ts'

const profile = (at: string, usesPortal: boolean) => ({
  at,
  type: 'person.upserted.v1',
  data: { attributes: { usesPortal }, contacts: { app: 'theirs' } },
})

export const portalWelcome: Stories = {
  campaign: 'portal-welcome',
  stories: {
    'who opens the app for the first time is welcomed, once': {
      given: other,
      when: [
        profile('03-04 10:00', true),
        profile('03-05 10:00', false),
        profile('03-06 10:00', true),
      ],
      outcome: [
        '03-01 12:00 not enrolled attribute_otherwise',
        '03-04 10:10 app welcome delivered "Welkom"',
        '03-05 10:00 not enrolled already_entered',
        '03-06 10:00 not enrolled already_entered',
      ],
    },
    'who was at home in it already is not': {
      given: senior,
      when: [profile('03-04 10:00', true)],
      outcome: ['03-01 12:00 not enrolled attribute_otherwise'],
    },
  },
}
