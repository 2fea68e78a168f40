import type { Draft } from '../draft.ts'
import { hangsOnEntity } from '../moment.ts'
import type { Enrolment } from '../state.ts'
import type { MessageStep } from './message.ts'

/**
 * Keeps on the run that its step has planned nothing to anybody, since its moment had no data or had passed, or
 * nobody was to get it, where a newer version of the entity can change that.
 */
export function keepUnplanned(
  { message: { id, send } }: MessageStep,
  { draft, enrolment: before }: { draft: Draft; enrolment: Enrolment },
): void {
  if (before.entity === null || !send || !hangsOnEntity(send)) return
  const enrolment = draft.enrolments.get(before.enrolmentId) ?? before
  const { unplanned = [] } = enrolment
  if (unplanned.includes(id) || isPlanned(draft, enrolment, id)) return
  draft.enrolments.set(enrolment.enrolmentId, { ...enrolment, unplanned: [...unplanned, id] })
}

/** Whether the run planned it for this version of its entity, whatever became of that. */
function isPlanned(
  { intents }: Draft,
  { enrolmentId, entity }: Enrolment,
  messageId: string,
): boolean {
  return [...intents.values()].some(
    (intent) =>
      intent.enrolmentId === enrolmentId &&
      intent.messageId === messageId &&
      intent.entity?.version === entity?.version,
  )
}
