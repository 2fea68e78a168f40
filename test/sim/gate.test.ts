import { expect, test } from 'vitest'
import { Gate, newLife } from './src/gate.ts'

const nobodyWaits = async () => new Set<number>()

test('holds every operation until it is let through, and says what came of it', async () => {
  const gate = new Gate(nobodyWaits)
  const life = newLife('worker')
  const done: string[] = []
  void gate.pass(life, 'first', () => 1).then((one) => done.push(`first ${one}`))
  void gate.pass(life, 'second', () => 2).then((two) => done.push(`second ${two}`))
  await gate.quiet()
  expect(gate.standing().map(({ label, nth }) => `${nth} ${label}`)).toEqual([
    '1 first',
    '2 second',
  ])
  const [, second] = gate.standing()
  if (second) gate.release(second)
  await gate.quiet()
  expect(done).toEqual(['second 2'])
})

test('is not quiet before what was let through has been carried out and answered', async () => {
  const gate = new Gate(nobodyWaits)
  const life = newLife('worker')
  const done: string[] = []
  const { promise, resolve } = Promise.withResolvers<string>()
  const work = async () => {
    done.push(await gate.pass(life, 'asks', () => promise))
    await gate.pass(life, 'goes on', () => undefined)
  }
  void work()
  const [asks] = gate.standing()
  if (asks) gate.release(asks)
  setImmediate(() => resolve('answer'))
  await gate.quiet()
  expect(done).toEqual(['answer'])
  expect(gate.standing().map(({ label }) => label)).toEqual(['goes on'])
})

test('goes on with others while a statement waits for a lock, and comes back to it', async () => {
  const locked = new Set([7])
  const gate = new Gate(async (backends) => new Set(backends.filter((each) => locked.has(each))))
  const life = newLife('worker')
  const { promise, resolve } = Promise.withResolvers<void>()
  void gate.pass(life, 'waits', () => promise, { backend: () => 7, behind: '' })
  const [waits] = gate.standing()
  if (waits) gate.release(waits)
  await gate.quiet()
  expect(gate.waiting).toBe(1)
  locked.clear()
  setImmediate(resolve)
  await gate.untilUnlocked()
  await gate.quiet()
  expect(gate.waiting).toBe(0)
})

test('lets nobody wake up before its time, and nothing of a life happen after its end', async () => {
  const gate = new Gate(nobodyWaits)
  const [one, other] = [newLife('one'), newLife('other')]
  const awake: string[] = []
  const sleep = (life: typeof one) =>
    gate
      .clockOf(life, { beginsMs: 5, epochMs: 0 })
      .sleep(1_000)
      .then(() => awake.push(life.slot))
  void sleep(one)
  void sleep(other)
  void gate.pass(other, 'does something', () => awake.push('did something'))
  gate.end(other)
  gate.advanceTo(999)
  expect(gate.standing()).toEqual([])
  expect(gate.nextDueMs(() => true)).toBe(1_000)
  gate.advanceTo(1_000)
  for (const operation of gate.standing()) gate.release(operation)
  await gate.quiet()
  expect(awake).toEqual(['one'])
})

test('carries out what nobody hears of, and nothing of a life that has ended since', async () => {
  const gate = new Gate(nobodyWaits)
  const [one, other] = [newLife('one'), newLife('other')]
  const done: string[] = []
  const lost = gate.pass(one, 'commits', () => done.push('committed'))
  const said = lost.catch((error: unknown) => done.push(String(error)))
  void gate.pass(other, 'writes', () => done.push('wrote'))
  const [commits, writes] = gate.standing()
  gate.end(other)
  if (commits) gate.release(commits, { lost: new Error('gone') })
  if (writes) gate.release(writes)
  await said
  await gate.quiet()
  expect(done).toEqual(['committed', 'Error: gone'])
})
