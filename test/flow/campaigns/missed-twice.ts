import { other, type Stories } from '../src/story.ts'

const missed = (at: string, name: string) => ({
  at,
  type: 'care.appointment.missed.v1',
  entity: `appointment/${name}`,
  version: 1,
  data: { startsAt: '2026-03-02T09:00:00Z' },
})

export const missedTwice: Stories = {
  campaign: 'missed-twice',
  stories: {
    'no message, and whoever comes after all is left in peace': {
      given: other,
      when: [
        missed('03-04 11:00', 'first'),
        missed('03-11 11:00', 'second'),
        {
          at: '03-12 09:00',
          type: 'care.appointment.kept.v1',
          entity: 'appointment/third',
          version: 1,
          data: { startsAt: '2026-03-12T08:00:00Z' },
        },
      ],
      outcome: [
        '03-04 11:00 not enrolled trigger_other_touchpoint',
        '03-12 09:00 left goal_reached',
      ],
    },
  },
}
