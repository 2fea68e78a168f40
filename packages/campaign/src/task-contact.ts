import { ageAt, wordsByAge } from './addressees.ts'
import type { CampaignClass } from './definition/words.ts'
import type { DecideContext, Draft } from './draft.ts'
import { timeZoneOf } from './facts.ts'
import type { Instant } from './instant.ts'
import { refusalByConsent } from './last-check.ts'

/**
 * Why a team is not given something to do for the person, such as a call, which is a contact like a message
 * (P3): null when it may be. Who is too young to be written to is not called either for what asks for a consent;
 * about a child in our care a team calls whom it calls about children.
 */
export function refusalOfTask(
  draft: Draft,
  context: DecideContext,
  { class: own, dueAt }: { class: CampaignClass; dueAt: Instant },
) {
  const { ages, classes } = context.definition
  const age = ageAt(draft.person, dueAt, timeZoneOf(draft, context))
  const isTooYoung = !wordsByAge(ages, age).includes('person')
  if (isTooYoung && classes[own].consent === 'required') return 'recipient_by_age'
  return refusalOfCall(draft, context, own)
}

/** What the person themselves says of it. Over no channel of ours: a no or a yes for one counts for nothing. */
function refusalOfCall(
  { consents }: Pick<Draft, 'consents'>,
  { definition: { classes } }: Pick<DecideContext, 'definition'>,
  own: CampaignClass,
) {
  const needsConsent = classes[own].consent === 'required'
  return refusalByConsent(consents.kept(), { class: own, channels: [] }, { needsConsent })
}
