import { defaultConcurrency } from '@wegwijs/delivery/concurrency'

const { email, sms } = defaultConcurrency

/** All that can be on its way to the two providers at once: the slots of the lanes in use. */
export const deliverySlots = [email, sms].reduce(
  (sum, { transactional, standard }) => sum + transactional + standard,
  0,
)
