import { join } from 'node:path'
import type { Clock } from '@wegwijs/runtime/clock'
import { fileNames, type MetFault } from './accepted.ts'
import type { AnswerFault, AnswerMode, FaultChannel, Faults } from './faults.ts'
import { openJournal } from './journal.ts'

export type MetFaults = {
  /**
   * The fault that a message of this intent meets now. When it is one under which the message is not
   * simply accepted, it is on disk before it is answered so.
   */
  meet(channel: FaultChannel, intentId: string): Promise<AnswerFault | undefined>
  close(): Promise<void>
}

/** What the message itself does not notice. */
const accepting: ReadonlySet<AnswerMode> = new Set(['accept', 'slow'])

/** Which messages met which faults, in a directory that is there. */
export async function openMetFaults(
  directory: string,
  { faults, clock }: { faults: Pick<Faults, 'meet'>; clock: Pick<Clock, 'instant'> },
): Promise<MetFaults> {
  const journal = await openJournal<MetFault>(join(directory, fileNames.metFaults), () => undefined)
  return {
    async meet(channel, intentId) {
      const fault = faults.meet(channel, intentId)
      if (fault === undefined || accepting.has(fault.mode)) return fault
      await journal.append({ receivedAt: clock.instant(), channel, mode: fault.mode, intentId })
      return fault
    },
    close: journal.close,
  }
}
