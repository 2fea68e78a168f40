/**
 * Stops overtake: while a batch of the urgent topic is at work, batches of the other wait. Two
 * batches never harm each other (rows are locked); this is only about who goes first.
 */
export type UrgentFirst = {
  urgent<Result>(work: () => Promise<Result>): Promise<Result>
  normal<Result>(work: () => Promise<Result>): Promise<Result>
}

export function createUrgentFirst(): UrgentFirst {
  let urgentWork: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return {
    urgent: async (work) => {
      waiting += 1
      const done = work().finally(() => {
        waiting -= 1
      })
      // Without a value: each would hold the one before it, and so all of them for ever.
      urgentWork = Promise.allSettled([urgentWork, done]).then(() => undefined)
      return done
    },
    normal: async (work) => {
      while (waiting > 0) await urgentWork
      return work()
    },
  }
}
