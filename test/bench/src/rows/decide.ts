import { join } from 'node:path'
import type { DecideFigures, DecideLoad } from '../decide-main.ts'
import { ratios } from '../measure.ts'
import { startProcess } from '../processes.ts'
import type { Figure } from '../result.ts'
import type { Row } from '../row.ts'
import { median } from '../statistics.ts'
import type { World } from '../world.ts'

export const decide: Row = {
  name: 'decide',
  title:
    'Events decided per second of a core by the whole language, beside a core that knows little',
  measure: async (world) => {
    const counts = world.quick ? [10, 100] : [10, 100, 1_000, 10_000]
    const load = { rounds: world.quick ? 1 : 7, decisions: world.quick ? 2_000 : 30_000 }
    const figures: Figure[] = []
    const points: Record<keyof DecideFigures, { x: number; y: number }[]> = {
      whole: [],
      narrow: [],
    }
    const ofNarrow: number[] = []
    for (const campaigns of counts) {
      const measured = await decideOnce(world, { campaigns, ...load })
      for (const [core, values] of Object.entries(measured)) {
        figures.push({
          name: `${core}, ${campaigns} campaigns`,
          unit: 'events per second of a core',
          values,
        })
        points[core as keyof DecideFigures].push({ x: campaigns, y: 1e6 / median(values) })
      }
      ofNarrow.push(median(ratios(measured.whole, measured.narrow)))
    }
    return {
      figures,
      checks: [
        {
          name: 'share of the narrow core, by number of campaigns',
          values: ofNarrow,
          target: { atLeast: 0.8 },
        },
      ],
      cpu: [],
      memory: [],
      curve: {
        title: 'What deciding one event costs',
        x: 'live campaigns',
        y: 'microseconds of CPU',
        series: Object.entries(points).map(([name, own]) => ({ name, points: own })),
      },
      notes: [
        'Both decide the same events of the same people under the same campaigns, of which one event in three begins one, in turn in one process. The narrow core (bare/decide.ts) knows a touchpoint with a condition, an audience, one message and a wait.',
      ],
    }
  },
}

async function decideOnce(world: World, load: DecideLoad): Promise<DecideFigures> {
  world.signal.throwIfAborted()
  const child = startProcess({
    name: 'decide',
    program: 'test/bench/src/decide-main.ts',
    words: [JSON.stringify(load)],
    logFile: join(world.directory, 'decide.log'),
    profiles: world.profiles,
  })
  try {
    return await child.told<DecideFigures>(() => true, 300_000)
  } finally {
    await child.kill()
  }
}
