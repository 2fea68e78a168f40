import type { StateChange } from '@wegwijs/store/save-states'
import type { Wake } from '@wegwijs/store/wake'

/** Who has to hear of these changes: the release of messages that are due, the relay of outcomes. */
export function wakesOf(changes: readonly StateChange[], now: string): Wake[] {
  let due = false
  let told = false
  for (const { before, after } of changes) {
    for (const intent of after.intents.values()) {
      const known = before.intents.get(intent.intentId)
      if (known === undefined) due ||= intent.dueAt <= now
      else told ||= known !== intent
    }
  }
  return [...(due ? (['intents'] as const) : []), ...(told ? (['outbox'] as const) : [])]
}
