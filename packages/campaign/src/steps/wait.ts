import { z } from 'zod'
import { momentSchema } from '../moment.ts'

/** Goes on at a later moment. A moment that has passed, or whose data is missing, does not wait. */
export const waitStepSchema = z.strictObject({ wait: momentSchema })
export type WaitStep = z.infer<typeof waitStepSchema>
