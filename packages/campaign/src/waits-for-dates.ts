import type { DecideContext, Draft } from './draft.ts'
import { goOn, runAt } from './enrolments.ts'
import { partsOfField } from './facts.ts'
import type { Person } from './state.ts'

/*
 * Waits that count from a date of the person. Such a wait is nothing but where a run stands: another date
 * moves its moment, and nothing that was planned, queued or sent is touched. So only runs that stand at such
 * a wait are looked at; of all others a new date says nothing.
 */

/** The dates of the person (`person.expectedOn`) that come at another moment than they did `before`. */
export function changedDates(
  before: Person,
  person: Person,
  { definition }: DecideContext,
): ReadonlySet<string> {
  const { fields } = definition.datesInWaits
  // Where clocks show another time, each comes at another moment.
  if (fields.size === 0 || before.timeZone !== person.timeZone) return fields
  return new Set(
    [...fields].filter((field) => {
      const { name } = partsOfField(field)
      return before.fields[name] !== person.fields[name]
    }),
  )
}

/**
 * Lets whoever waits for one of these dates wait until the moment that it gives now, or go on at once when
 * that has passed. Of a date that was taken away the last one that was known holds: going on at once would
 * tell them what is meant for a day that nobody knows any more.
 */
export function waitForNewDates(
  draft: Draft,
  dates: ReadonlySet<string>,
  context: DecideContext,
): void {
  if (dates.size === 0 || draft.person.deceasedAt !== null) return
  for (const enrolment of [...draft.enrolments.values()]) {
    if (enrolment.state !== 'running' || enrolment.step === null) continue
    const run = runAt(draft, enrolment, enrolment.step, context)
    const date = run.node.kind.dateOfPerson?.(run.node.step, run)
    if (!date || date.moment === null || !dates.has(date.field)) continue
    const isAsBefore = [...draft.timers.values()].some(
      (timer) => timer.enrolmentId === enrolment.enrolmentId && timer.dueAt === date.moment,
    )
    if (!isAsBefore) goOn(draft, enrolment, enrolment.step, context)
  }
}
