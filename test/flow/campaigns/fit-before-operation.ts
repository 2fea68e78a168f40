import { parent, type Stories, senior } from '../src/story.ts'

const putIn = {
  at: '03-04 11:00',
  type: 'person.enrolled.v1',
  data: { campaign: 'fit-before-operation' },
}

export const fitBeforeOperation: Stories = {
  campaign: 'fit-before-operation',
  stories: {
    'whom staff puts in hears how to begin, and how to go on': {
      given: senior,
      when: [putIn],
      outcome: [
        '03-04 11:00 app start delivered "Zo begint u sterker"',
        '03-16 10:00 app go-on delivered "Houd vol"',
      ],
    },
    'a child is not put in': {
      given: { ...parent, birthYear: 2012 },
      when: [putIn],
      outcome: ['03-04 11:00 not enrolled condition_false'],
    },
  },
}
