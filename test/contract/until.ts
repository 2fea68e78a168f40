import { vi } from 'vitest'

/** Waits for a state; the test's own time limit ends it when that never comes. */
export async function until(state: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(state, { timeout: 55_000, interval: 10 })
}
