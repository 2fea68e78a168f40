import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Loaded } from '../checks/parts.ts'
import type { Path } from '../yaml-source.ts'

/** Whether messages, tasks or answers of it may not be known, of which other files hear, or what starts it. */
export function hidesSteps({ invented = [] }: Loaded<CampaignFile>): boolean {
  return invented.some(
    (path) =>
      path[0] === 'trigger' || path[0] === 'class' || (path[0] === 'steps' && losesNames(path)),
  )
}

/** A step, its kind, what it holds, or its name; but not how long it waits or over what it is sent. */
function losesNames(path: Path): boolean {
  const [last, before] = [path.at(-1), path.at(-2)]
  return namedWithin.has(last) || typeof last === 'number' || typeof before === 'number'
}

const namedWithin = new Set<Path[number] | undefined>(['steps', 'id', 'outcomes', 'answers'])
