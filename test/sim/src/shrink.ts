import { type Story, workerKinds } from './story.ts'

/**
 * Cuts a story short: leaves out one thing after the other, larger parts first, and keeps whatever
 * still fails in the same way. Ends when nothing more can be left out, or `isOver` says so.
 */
export async function shrink(
  story: Story,
  fails: (shorter: Story) => Promise<boolean>,
  isOver: () => boolean = () => false,
): Promise<Story> {
  let kept = story
  for (let cut = true; cut && !isOver(); ) {
    cut = false
    for (const shorter of shorterOnes(kept)) {
      if (isOver()) break
      if (!(await fails(shorter))) continue
      kept = shorter
      cut = true
      break
    }
  }
  return kept
}

function* shorterOnes(story: Story): Generator<Story> {
  const subjects = new Set(story.happenings.map(({ subject }) => subject))
  if (subjects.size > 1) {
    for (const subject of subjects) {
      yield { ...story, happenings: story.happenings.filter((each) => each.subject !== subject) }
    }
  }
  if (story.faults.length > 1) yield { ...story, faults: [] }
  for (const faults of withoutOne(story.faults)) yield { ...story, faults }
  for (const meetings of withoutOne(story.meetings)) yield { ...story, meetings }
  for (const happenings of withoutOne(story.happenings)) yield { ...story, happenings }
  for (const steps of withoutOne(story.steps)) yield { ...story, steps }
  for (const kind of workerKinds) {
    if (story.workers[kind] > 1) yield { ...story, workers: { ...story.workers, [kind]: 1 } }
  }
  if (story.roughness > 0) yield { ...story, roughness: 0 }
  if (story.haste > 0) yield { ...story, haste: 0 }
  if (story.leisure > 0) yield { ...story, leisure: 0 }
  if (story.folds) yield { ...story, folds: false }
  if (story.partitionsApart) yield { ...story, partitionsApart: false }
  for (const [index, happening] of story.happenings.entries()) {
    if (happening.times > 1) {
      yield { ...story, happenings: story.happenings.with(index, { ...happening, times: 1 }) }
    }
    if (happening.isDoubled) {
      const alone = { ...happening, isDoubled: false }
      yield { ...story, happenings: story.happenings.with(index, alone) }
    }
  }
}

function withoutOne<Item>(items: readonly Item[]): Item[][] {
  return items.map((_, index) => items.toSpliced(index, 1))
}
