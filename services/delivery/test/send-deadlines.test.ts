import { manualClock } from '@wegwijs/runtime/clock'
import { expect, it } from 'vitest'
import { SendDeadlines } from '../src/send-deadlines.ts'

const never = new AbortController().signal

function running() {
  const clock = manualClock()
  const deadlines = new SendDeadlines(clock, 10_000)
  let given: AbortSignal | undefined
  const gate = Promise.withResolvers<string>()
  const start = (signal = never) =>
    deadlines.run(
      (bounded) => {
        given = bounded
        return gate.promise
      },
      { signal, otherwise: 'no end' },
    )
  return { clock, deadlines, gate, start, aborted: () => given?.aborted }
}

it('gives what the send gave, and then watches nothing', async () => {
  const { clock, gate, start, aborted } = running()
  const sending = start()
  gate.resolve('sent')
  expect(await sending).toBe('sent')
  await clock.advance(60_000)
  expect([aborted(), clock.sleeping()]).toEqual([false, 0])
})

it('aborts a send at its deadline, and takes its last words', async () => {
  const { clock, gate, start, aborted } = running()
  const sending = start()
  await clock.advance(9_999)
  expect(aborted()).toBe(false)
  await clock.advance(1_001)
  expect(aborted()).toBe(true)
  gate.resolve('aborted')
  expect(await sending).toBe('aborted')
})

it('gives up a send that does not end even then, within the time it promises', async () => {
  const { clock, deadlines, start } = running()
  const sending = start()
  await clock.advance(deadlines.longestMs)
  expect(await sending).toBe('no end')
})

it('aborts with the signal of the caller', () => {
  const caller = new AbortController()
  const { start, aborted } = running()
  void start(caller.signal)
  caller.abort()
  expect(aborted()).toBe(true)
})
