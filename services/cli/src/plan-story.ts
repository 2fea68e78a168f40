import type { DefinitionPlan, PlannedCampaign } from '@wegwijs/store/definition-plan'
import type { PlannedMove } from '@wegwijs/store/published-moves'
import { countOf } from './definition-input.ts'
import { differenceLines, templateDifferenceLines } from './difference-story.ts'

/** A plan as people read it: what comes, what changes, what ends, and who is under way. */
export function planLines(plan: DefinitionPlan): string[] {
  if (planSummary(plan) === undefined) return []
  const { revision, unreadable, campaigns, shared } = plan
  const changing = campaigns.filter(({ change }) => change !== 'unchanged')
  const same = campaigns.length - changing.length
  return [
    revision === null
      ? 'Nothing has been applied yet.'
      : `Revision ${revision} is in force. Applying this would change:`,
    ...(unreadable === null ? [] : [`Nothing is decided by it: ${unreadable}.`]),
    '',
    ...changing.flatMap(campaignLines),
    ...(same > 0 ? [`= ${countOf(same, 'campaign')} without a change`] : []),
    ...(revision === null ? [] : shared).flatMap(({ part, differences }) => [
      // A version keeps its texts; everything else that campaigns share is one for all versions.
      `~ ${part === 'templates' ? 'templates' : `${part}.yaml, at once, also for who is under way`}`,
      ...(part === 'templates' ? templateDifferenceLines : differenceLines)(differences),
    ]),
  ]
}

/** `1 new, 2 changed, 1 ended`; undefined when nothing would change. */
export function planSummary({
  campaigns,
  shared,
  revision,
  unreadable,
}: DefinitionPlan): string | undefined {
  const counts = (['new', 'changed', 'ended'] as const).flatMap((change) => {
    const number = campaigns.filter((campaign) => campaign.change === change).length
    return number > 0 ? [`${countOf(number, 'campaign')} ${change}`] : []
  })
  const parts = revision === null ? [] : shared.map(({ part }) => part)
  const all = [
    ...counts,
    ...(parts.length > 0 ? [`changes in ${parts.join(', ')}`] : []),
    // Also where no part that is compared differs: applying it is what lets services decide again.
    ...(unreadable === null ? [] : ['what is in force can be read again']),
  ]
  return all.length > 0 ? all.join(', ') : undefined
}

function campaignLines(campaign: PlannedCampaign): string[] {
  const { id, change, from, to, differences, otherTexts, inFlight, through, move } = campaign
  const heading = {
    new: `+ campaign ${id}: starts as version ${to}`,
    changed:
      from === null
        ? `+ campaign ${id}: had ended, starts again as version ${to}`
        : `~ campaign ${id}: version ${from} becomes version ${to}`,
    ended: `- campaign ${id}: ends for new people`,
    unchanged: `= campaign ${id}`,
  }[change]
  const isSameText =
    change === 'changed' && from !== null && differences.length + otherTexts.length === 0
  return [
    heading,
    ...differenceLines(differences),
    ...otherTexts.map((template) => `    ~ its template "${template}" has other texts (below)`),
    ...(isSameText
      ? ['    ~ nothing that its author wrote: it is only stored in another form']
      : []),
    ...(move ? moveLines(move) : []),
    ...inFlight
      .filter(({ version }) => version !== move?.from)
      .map(
        ({ version, people }) =>
          `    ${peopleOf(people)} under way in version ${version}: to its end as they entered it`,
      ),
    ...through.flatMap((each) => throughLines(each, move)),
  ]
}

function moveLines({ from, steps }: PlannedMove): string[] {
  const people = steps.reduce((sum, each) => sum + each.people, 0)
  return [
    `    ${peopleOf(people)} under way in version ${from}: ${people === 1 ? 'goes' : 'go'} on in the new one`,
    ...steps.map((each) =>
      each.to === null
        ? `      ${peopleOf(each.people)} at "${each.from}": taken out`
        : `      ${peopleOf(each.people)} at "${each.from}": on at "${each.to}"`,
    ),
  ]
}

/** Runs are told, not people: somebody may be through for one appointment and for another. */
function throughLines(
  { version, runs, messages }: PlannedCampaign['through'][number],
  move: PlannedMove | null,
): string[] {
  const head = `    ${countOf(runs, 'run')} through version ${version}, with messages planned`
  if (version !== move?.from) return [`${head}: these go out as they were planned`]
  if (move.through === null) return [`${head}: taken out`]
  const onward = move.through === undefined ? 'over to' : 'on in'
  const at = move.through === undefined ? '' : `, at "${move.through}"`
  return [
    `${head}: ${runs === 1 ? 'goes' : 'go'} ${onward} the new one${at}`,
    ...messages.map(
      (each) =>
        `      "${each.message}" of ${countOf(each.runs, 'run')}: ${each.withdrawn ? 'withdrawn' : 'as it was planned'}`,
    ),
  ]
}

function peopleOf(number: number): string {
  return countOf(number, 'person').replace('persons', 'people')
}
