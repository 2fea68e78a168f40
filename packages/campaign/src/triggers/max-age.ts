import { positiveDurationSchema } from '../definition/words.ts'

/** Of every kind of trigger. */
export const maxAgeSchema = positiveDurationSchema
  .default('P1D')
  .describe('An event older than this changes what we know, but starts nothing.')
