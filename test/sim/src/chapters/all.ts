import { app } from './app.ts'
import { asks } from './asks.ts'
import { cascades } from './cascades.ts'
import type { Chapter } from './chapter.ts'
import { dates } from './dates.ts'
import { moves } from './moves.ts'
import { overAll } from './over-all.ts'
import { peace } from './peace.ts'
import { putAside } from './put-aside.ts'
import { reach } from './reach.ts'
import { recipients } from './recipients.ts'
import { sameReceiver } from './same-receiver.ts'
import { standIns } from './stand-ins.ts'
import { waits } from './waits.ts'

export const chapters = {
  recipients,
  reach,
  moves,
  asks,
  dates,
  'stand-ins': standIns,
  cascades,
  'over all': overAll,
  waits,
  'same receiver': sameReceiver,
  app,
  'put aside': putAside,
  peace,
} as const satisfies Readonly<Record<string, Chapter>>
export type ChapterName = keyof typeof chapters

/** Every situation of every chapter. */
export const situations = (Object.keys(chapters) as ChapterName[]).flatMap((chapter) =>
  chapters[chapter].situations.map(([name, make]) => ({ chapter, name, make })),
)
