import { z } from 'zod'
import { identifierSchema } from './words.ts'

/** The id of a step, or where it stands: `3`, or `3.1.2` for the second step of the first arm of the third. */
const stepNameSchema = z
  .string()
  .regex(
    /^([a-z][a-z0-9]*(-[a-z0-9]+)*|[1-9][0-9]*(\.[1-9][0-9]*\.[1-9][0-9]*)*)$/,
    'expected the id of a step, or its place such as "3" or "3.1.2"',
  )
  .meta({ title: 'step' })

export const moveSchema = z
  .strictObject({
    from: z.int32().min(1).describe('The version whose people are moved.'),
    steps: z
      .record(stepNameSchema, stepNameSchema)
      .default({})
      .describe(
        'From the step of that version at which somebody waits to the one of this version at which they go on; `end` takes them out. A step is named by its id, or by its place: `3`, or `3.1.2` for the second step of the first arm of the third. A step that has the same id and kind in both, or stands in both as it is, need not be named. `end` names where those are who are through, and have a message planned that has not gone out: without it they take no step of this version.',
      ),
    withdraw: z
      .array(identifierSchema)
      .default([])
      .describe(
        'Messages of that version that have not gone out and are taken back; any other stays as it was planned, if this version has a message of that id.',
      ),
  })
  .meta({
    id: 'move',
    title: 'Moving people',
    description:
      'Takes the people who are in an older version along to this one when it is published; without it they stay on theirs.',
  })
