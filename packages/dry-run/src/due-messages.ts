import type { Instant } from '@wegwijs/campaign/instant'
import type { Intent } from '@wegwijs/campaign/state'
import type { PersonNumber } from './people.ts'

/** A message that is due: about whom, who gets it (null when nobody is known), what it was planned for at first. */
export type DueMessage = {
  readonly person: PersonNumber
  readonly receiver: PersonNumber | null
  readonly intent: Pick<Intent, 'intentId' | 'campaignId' | 'expiresAt'>
  readonly plannedFor: Instant
  readonly dueAt: Instant
}

/**
 * Takes the messages of one instant in turn, as claims of a rehearsal do (`isAnyBefore` of
 * packages/store/src/contact-budgets.ts): to one receiver what was due first, of one moment the lower id. `send`
 * tells when one is due again, since its channel did not take it; or that it waits for another one to the same
 * receiver (`behind`), and comes when that has had its turn. Null when neither. Receivers share nothing.
 */
export function sendInTurn(
  messages: readonly DueMessage[],
  send: (message: DueMessage) => Instant | 'behind' | null,
): void {
  const ofReceiver = ({ person, receiver }: DueMessage) => receiver ?? `nobody, of ${person}`
  for (const left of Map.groupBy(messages, ofReceiver).values()) {
    left.sort(inOrderOfDue)
    const behind: DueMessage[] = []
    for (let message = left.shift(); message; message = left.shift()) {
      const again = send(message)
      if (again === 'behind') {
        behind.push(message)
        continue
      }
      if (again !== null) left.push({ ...message, dueAt: again })
      // Whom it kept waiting may look again.
      left.push(...behind.splice(0))
      left.sort(inOrderOfDue)
    }
  }
}

function inOrderOfDue(one: DueMessage, other: DueMessage): number {
  return one.dueAt + one.intent.intentId < other.dueAt + other.intent.intentId ? -1 : 1
}
