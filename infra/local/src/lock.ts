import { lock } from 'proper-lockfile'

// The holder touches the lock every five seconds; one that has not been touched for this long
// belonged to a process that was killed.
const STALE_MS = 15_000
const RETRY_MS = 200
// Longer than the slowest first start (downloads included) on a slow line.
const WAIT_MS = 15 * 60_000

/**
 * Runs `work` while no other process holds the same lock: two `up` at once would each start servers
 * on the same data.
 *
 * @param path of the lock; its folder must exist
 */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const release = await lock(path, {
    realpath: false,
    stale: STALE_MS,
    lockfilePath: path,
    retries: { retries: WAIT_MS / RETRY_MS, factor: 1, minTimeout: RETRY_MS, maxTimeout: RETRY_MS },
  })
  try {
    return await work()
  } finally {
    await release()
  }
}
