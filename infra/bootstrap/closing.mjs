/**
 * The closing line of a test run, which scripts read: what is wrong is never counted as nothing.
 *
 * @param {{ passed: number, failed: number, skipped: string[], errors: string[] } | null} tally
 *   what the reporter left; null when the runner was killed or could not start
 * @param {{ runnerCode: number, ci: boolean }} circumstances under CI a skipped test is a failure
 * @returns {{ line: string, failed: number }}
 */
export function closing(tally, { runnerCode, ci }) {
  if (tally === null) return { line: '0 passed, 1 failed', failed: 1 }
  const { passed, skipped, errors } = tally
  const counted = tally.failed + errors.length + (ci ? skipped.length : 0)
  const silentFailure = counted === 0 && (runnerCode !== 0 || passed === 0)
  const failed = silentFailure ? 1 : counted
  const rest = skipped.length > 0 && !ci ? `, ${skipped.length} skipped` : ''
  return { line: `${passed} passed, ${failed} failed${rest}`, failed }
}
