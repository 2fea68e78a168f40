import { systemClock } from '@wegwijs/runtime/clock'
import { expect, inject, onTestFinished, test } from 'vitest'
import { openSimulatedDatabase, type SimulatedDatabase } from './src/ground.ts'
import { playAndJudge } from './src/judged.ts'
import { storyOf } from './src/stories.ts'
import { tell } from './src/tell.ts'

async function open(name: string): Promise<SimulatedDatabase> {
  const database = await openSimulatedDatabase(inject('servers').databaseUrl, name)
  onTestFinished(database.close)
  return database
}

const seeds = 40

// P1, P2, P3, P6
test('keeps every promise over stories of all kinds', async () => {
  const database = await open('stories')
  const beganMs = systemClock.monotonicMs()
  for (let seed = 1; seed <= seeds; seed += 1) {
    const judged = await playAndJudge(storyOf(seed), database)
    const told = tell(judged, `npm run test:sim -- --seed ${seed}`)
    expect(judged.violations, told).toEqual([])
  }
  const minutes = (systemClock.monotonicMs() - beganMs) / 60_000
  process.stdout.write(`simulation: ${Math.round(seeds / minutes)} seeds a minute\n`)
})

test('tells the same story again', async () => {
  const database = await open('again')
  for (const seed of [2, 5, 9]) {
    const first = await playAndJudge(storyOf(seed), database)
    const second = await playAndJudge(storyOf(seed), database)
    expect(second.outcome.entries).toEqual(first.outcome.entries)
    expect(second.outcome.ending).toEqual(first.outcome.ending)
  }
})
