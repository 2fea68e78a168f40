import type { Clock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'

/**
 * What PostgreSQL answers, or WEGWIJS_DATABASE_UNAVAILABLE after `deadlineMs`: a server that is
 * paused, or a line that is cut without a word, gives neither an answer nor an error.
 */
export async function withinDeadline<Result>(
  answer: Promise<Result>,
  deadlineMs: number,
  clock: Clock,
): Promise<Result> {
  const over = new AbortController()
  const late = clock.sleep(deadlineMs, over.signal).then(() => {
    throw fail('WEGWIJS_DATABASE_UNAVAILABLE', { reason: 'no answer in time' })
  })
  late.catch(() => {})
  // When it is late its own end is nobody's any more, and must not count as an error of nobody's.
  answer.catch(() => {})
  try {
    return await Promise.race([answer, late])
  } finally {
    over.abort()
  }
}
