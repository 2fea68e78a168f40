import { join } from 'node:path'
import { startProcess } from '../processes.ts'
import type { Figure } from '../result.ts'
import type { Row } from '../row.ts'
import type { SimulationFigures, SimulationLoad } from '../simulate-main.ts'
import type { World } from '../world.ts'

const campaigns = 100
/** In examples/hospital one event in three leads to a message. */
const usualMatch = 3
/** A million people take minutes. */
const LONGEST_MS = 600_000

export const simulate: Row = {
  name: 'simulate',
  title: 'Events simulated on one core, 100 live campaigns, and what people hold in memory',
  measure: async (world) => {
    const rounds = world.quick ? 1 : 3
    const events = world.quick ? 12_000 : 60_000
    const people = world.quick ? 1_000 : 20_000
    const usual = { campaigns, people, events, everyMatch: usualMatch, fromText: false }
    const loads = {
      'a message for one event in three': usual,
      'a message for one in ten': { ...usual, everyMatch: 10 },
      'a message for every event': { ...usual, everyMatch: 1 },
      'one in three, read from a file': { ...usual, fromText: true },
    }
    const figures: Figure[] = []
    for (const [name, load] of Object.entries(loads)) {
      const values: number[] = []
      for (let round = 0; round < rounds; round += 1) {
        const { events: counted, cpuSeconds } = await simulateOnce(world, load)
        values.push(counted / cpuSeconds)
      }
      figures.push({ name, unit: 'events per second of a core', values })
    }
    const many = world.quick ? 5_000 : 1_000_000
    const held = await simulateOnce(world, { ...usual, people: many, events: many + 20_000 })
    const perPerson = held.peopleBytes / many
    return {
      figures: [
        ...figures,
        { name: 'a person in memory', unit: 'bytes', values: [perPerson] },
        { name: `${many} people in memory`, unit: 'GB', values: [held.peopleBytes / 1e9] },
      ],
      checks: [
        {
          name: 'events per second of a core',
          values: figures[0]?.values ?? [],
          target: { atLeast: 20_000 },
        },
      ],
      cpu: [],
      memory: [],
      notes: [
        `${events} events of ${people} people within two weeks, ${rounds} rounds, each in a process of its own; by seconds of its CPU, rendering and counting among them.`,
        `Memory of ${many} people, each with a profile and a visit, a third of whose campaigns wait for two weeks.`,
      ],
    }
  },
}

async function simulateOnce(world: World, load: SimulationLoad): Promise<SimulationFigures> {
  world.signal.throwIfAborted()
  const child = startProcess({
    name: 'simulation',
    program: 'test/bench/src/simulate-main.ts',
    words: [JSON.stringify(load)],
    logFile: join(world.directory, 'simulation.log'),
    profiles: world.profiles,
  })
  try {
    return await child.told<SimulationFigures>(() => true, LONGEST_MS)
  } finally {
    await child.kill()
  }
}
