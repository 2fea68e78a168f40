import { dateEventType } from './coming-dates.ts'
import type { DecideContext } from './draft.ts'
import { addDuration } from './instant.ts'
import { campaignKey, type Enrolment, entryOf, isOpen, type PersonState } from './state.ts'

/**
 * The same person without the runs that nothing can touch any more: of a campaign that may be entered
 * every time, ended, hanging on no entity and no date, with no message that may still go out and no goal that may
 * still be reached. No rule of entry
 * asks for them, no merge compares them, and no newer version takes them along. A store need not
 * forget them, since it loads only what an event may touch; who keeps people in memory must, or a
 * person would cost more the longer they are with us (P8).
 *
 * Gives the same object when there is nothing to forget.
 */
export function withoutFinishedRuns(
  state: PersonState,
  { definition, now }: Pick<DecideContext, 'definition' | 'now'>,
): PersonState {
  const finished = [...state.enrolments.values()].filter((each) =>
    isForgettable(state, each, { definition, now }),
  )
  if (finished.length === 0) return state
  const ids = new Set(finished.map(({ enrolmentId }) => enrolmentId))
  const entries = new Map(state.entries)
  for (const { campaignId, entryKey } of finished) entries.delete(entryOf(campaignId, entryKey))
  return {
    ...state,
    enrolments: new Map([...state.enrolments].filter(([id]) => !ids.has(id))),
    intents: new Map([...state.intents].filter(([, { enrolmentId }]) => !ids.has(enrolmentId))),
    tasks: new Map([...state.tasks].filter(([, { enrolmentId }]) => !ids.has(enrolmentId))),
    entries,
  }
}

function isForgettable(
  { intents }: PersonState,
  { state, entity, campaignId, version, enrolmentId, enteredAt, goalAt, trigger }: Enrolment,
  { definition, now }: Pick<DecideContext, 'definition' | 'now'>,
): boolean {
  if (state === 'running' || entity !== null || trigger.type === dateEventType) return false
  const file = definition.campaigns.get(campaignKey(campaignId, version))?.file
  if (file?.entry !== 'every-time') return false
  if (file.goal && goalAt === null) {
    // What happened in time may be heard of a day late.
    const counts = addDuration(enteredAt, file.goal.within, definition.timeZone)
    if (addDuration(counts, 'P1D', definition.timeZone) >= now) return false
  }
  for (const intent of intents.values()) {
    if (intent.enrolmentId === enrolmentId && isOpen(intent)) return false
  }
  return true
}
