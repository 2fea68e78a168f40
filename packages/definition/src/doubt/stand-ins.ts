import type { Loaded } from '../checks/parts.ts'
import type { Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'

/** What is found in a file by itself, but for what is about its stand-ins. */
export function withoutStandIns(
  faults: readonly Fault[],
  { invented = [] }: Loaded<unknown>,
): Fault[] {
  return faults.filter((fault) => !isOfStandIn(fault, invented))
}

/** About what nobody wrote, or about how it goes together with what stands beside it. */
export function isOfStandIn({ path, unknown }: Fault, invented: readonly Path[]): boolean {
  if (!path) return false
  if (invented.some((each) => isWithin(path, each))) return true
  const beside = path.slice(0, -1)
  return (
    unknown === undefined &&
    beside.length > 0 &&
    invented.some((each) => isWithin(each, beside) && !isCalled(each))
  )
}

function isWithin(path: Path, above: Path): boolean {
  return above.every((part, index) => path[index] === part)
}

/** What somebody or something is called, and who reads the file. */
function isCalled(path: Path): boolean {
  return path.some((key) => key === 'name' || key === 'description' || key === 'label')
}

/** What no other file is held against. */
const ownBusiness = new Set<Path[number]>([
  ...['name', 'description', 'label', 'tone', 'when', 'starts', 'provider'],
  ...['organisation', 'timeZone', 'holidays', 'closedDays', 'budgets', 'holdOut'],
  ...['lane', 'consent', 'tracking', 'unknownOutcome'],
])

/** Under these its author gives names, and may call a field `name`. */
const holdersOfNames = new Set<Path[number] | undefined>(['data', 'person', 'campaigns'])

/** What was invented in a file of the root, and what other files are held against. */
export function heardOf(loaded: Loaded<unknown> | undefined): readonly Path[] {
  return (loaded?.invented ?? []).filter(
    (path) =>
      !path.some(
        (key, at) =>
          (ownBusiness.has(key) || (key === 'from' && at === 1)) &&
          !holdersOfNames.has(path[at - 1]),
      ),
  )
}
