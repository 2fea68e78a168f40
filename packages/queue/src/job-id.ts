import { fail } from '@wegwijs/runtime/failure'
import type { DeliveryJob } from './port.ts'

/**
 * Refuses ids that BullMQ would refuse, before anything is added: it splits its keys at ':' and
 * takes an id of digits for one of its own.
 *
 * @throws WegwijsError WEGWIJS_JOB_ID_INVALID
 */
export function checkJobIds(jobs: readonly DeliveryJob[]): void {
  for (const { jobId } of jobs) {
    if (jobId === '' || jobId.includes(':') || /^\d+$/.test(jobId)) {
      throw fail('WEGWIJS_JOB_ID_INVALID', { jobId })
    }
  }
}
