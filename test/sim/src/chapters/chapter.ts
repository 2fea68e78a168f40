import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Chance } from '../chance.ts'
import type { Ending } from '../history.ts'
import type { Sight } from '../sight.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'

/**
 * One thing that campaigns can say, with a small definition of its own: what is published, the
 * situations in which much hangs on order, and what is promised of it, told again in words of its own.
 * What holds of every event and every record is judged by the model, here as everywhere.
 */
export type Chapter = {
  readonly published: DefinitionBundle
  /** What staff publish in the middle of a story, by name. */
  readonly later?: Readonly<Record<string, DefinitionBundle>>
  readonly situations: readonly (readonly [name: string, make: (chance: Chance) => Situation])[]
  judge(seen: Sight, ending: Ending): Violation[]
}
