import { eventFields, hospitalWith, sayingBySms } from '../clinic.ts'
import type { Chapter } from './chapter.ts'
import { comes, judgeInPlace } from './stand-ins.ts'

/** A message by e-mail, and the same by SMS when nobody says within an hour that it arrived. */
export const cascades: Chapter = {
  published: sayingBySms(
    hospitalWith({
      campaigns: [
        {
          id: 'urgent',
          entry: 'every-time',
          trigger: { touchpoint: 'care.survey.answered.v1' },
          steps: [
            {
              message: {
                id: 'first',
                template: 'first',
                channels: { cascade: ['email', 'sms'], after: 'PT1H' },
              },
            },
          ],
        },
      ],
      templates: { first: eventFields },
    }),
    { first: 'second' },
  ),
  situations: [['a message comes over one channel in the place of another', comes]],
  judge: (seen) =>
    seen
      .all(/^care\.survey/)
      .filter(({ readAt }) => readAt < Infinity)
      .flatMap((about) =>
        judgeInPlace(about, seen, { firsts: ['first'], second: 'second', getsTheHour: true }),
      ),
}
