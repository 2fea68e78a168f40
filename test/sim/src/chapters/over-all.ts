import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith, sayingBySms } from '../clinic.ts'
import type { Situation } from '../story.ts'
import type { Chapter } from './chapter.ts'
import { comes, judgeInPlace } from './stand-ins.ts'

/** A message by e-mail and by SMS, and another one when nobody says within an hour that either arrived. */
export const overAll: Chapter = {
  published: sayingBySms(
    hospitalWith({
      campaigns: [
        {
          id: 'urgent',
          entry: 'every-time',
          trigger: { touchpoint: 'care.survey.answered.v1' },
          steps: [
            { message: { id: 'first', template: 'first', channels: { all: ['email', 'sms'] } } },
            {
              waitFor: {
                message: 'first',
                status: ['delivered'],
                within: 'PT1H',
                otherwise: [{ message: { id: 'second', template: 'second', channels: ['sms'] } }],
              },
            },
          ],
        },
      ],
      templates: { first: eventFields, second: eventFields },
    }),
    { first: 'beside' },
  ),
  situations: [['one message comes in the place of another over all channels', ofOneChannel]],
  judge: (seen) =>
    seen
      .all(/^care\.survey/)
      .filter(({ readAt }) => readAt < Infinity)
      .flatMap((about) =>
        judgeInPlace(about, seen, { firsts: ['first', 'beside'], second: 'second' }),
      ),
}

/** A worker has both of them still; or it is known of one what became of it, and of the other not. */
function ofOneChannel(chance: Chance): Situation {
  if (chance.is(0.3, 'both')) return comes(chance)
  const situation = comes(chance, 'of beside')
  const isWritten = { who: 'delivery', what: 'with written as' }
  return {
    ...situation,
    meetings: (situation.meetings ?? []).map((meeting) =>
      meeting.who === 'calendar' ? { ...meeting, until: [isWritten, ...meeting.until] } : meeting,
    ),
    roughness: chance.pick([0, 0, 0.5], 'rough'),
    silent: chance.is(0.7, 'without reports'),
  }
}
