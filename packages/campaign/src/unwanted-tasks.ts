import type { DecideContext, Draft } from './draft.ts'
import { hearTask } from './enrolments.ts'
import { campaignKey } from './state.ts'
import { refusalOfTask } from './task-contact.ts'
import { settleSaid, withdrawTask } from './tasks.ts'

/**
 * Takes back what teams were to do for somebody who does not want it any more, or is younger than was known (P3):
 * their runs go on at once, as when nobody does it in time. What somebody has said of it by then counts.
 */
export function takeBackUnwanted(draft: Draft, context: DecideContext): void {
  for (const task of [...draft.tasks.values()]) {
    const { taskId, enrolmentId, campaignId, version } = task
    const enrolment = draft.enrolments.get(enrolmentId)
    const campaign = context.definition.campaigns.get(campaignKey(campaignId, version))
    if (!enrolment || !campaign || draft.tasks.get(taskId)?.state !== 'open') continue
    const reason = refusalOfTask(draft, context, { class: campaign.file.class, dueAt: task.dueAt })
    if (!reason) continue
    // What follows in a version that cannot be read nobody knows; the no holds all the same.
    if (campaign.unclear || !settleSaid(draft, task)) withdrawTask(draft, enrolment, task, reason)
    if (!campaign.unclear) hearTask(draft, taskId, context)
  }
}
