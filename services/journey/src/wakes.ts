import type { StateChange } from '@wegwijs/store/person-states'
import type { Wake } from '@wegwijs/store/wake'

/** Who has to hear of these changes: the release, when a message is due already. */
export function wakesOf(changes: readonly StateChange[], now: string): Wake[] {
  const due = changes.some(({ before, after }) =>
    [...after.intents.values()].some(
      (intent) => intent.dueAt <= now && !before.intents.has(intent.intentId),
    ),
  )
  return due ? ['intents'] : []
}
