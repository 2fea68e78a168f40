import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { comesNotBefore, hangsOnEntity } from '@wegwijs/campaign/moment'
import { kindOf, partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import type { Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { about, type Loaded } from './parts.ts'
import { stepsOf } from './walk.ts'

/**
 * Messages that have expired when they come: `until` names a moment for which their own `send`, or a wait before
 * them, waits first. Of a wait of any other length nothing is certain, since that hangs on the data.
 *
 * Who is taken along from an older version may come behind a wait at which they never were: of them nothing is
 * certain either.
 */
export function neverSentIn(campaign: Loaded<CampaignFile>): Fault[] {
  const steps = { steps: campaign.value.steps, path: ['steps'] }
  return neverSentInSteps(campaign, { ...steps, past: new Map() })
}

/**
 * Moments that have passed for whoever comes there, with whether something else has been waited for since: until
 * then the wait itself follows what changes.
 */
type Past = ReadonlyMap<string, { mayHaveChanged: boolean }>
type Stretch = { steps: readonly Step[]; path: Path; past: Past }

function neverSentInSteps(
  campaign: Loaded<CampaignFile>,
  { steps, path, past: before }: Stretch,
): Fault[] {
  let past = before
  return steps.flatMap((step, index) => {
    const at = [...path, index]
    const own = neverSent(campaign, { step, path: at }, past)
    if (kindOf(step).waits && !campaign.value.move) past = afterWait(step, past)
    const arms = partsOf(step).arms ?? []
    const inside = arms.flatMap((arm) =>
      neverSentInSteps(campaign, { steps: arm.steps, path: [...at, ...arm.path], past }),
    )
    const hasWaited = arms.some((arm) =>
      stepsOf(arm.steps).some(({ step: each }) => kindOf(each).waits),
    )
    if (hasWaited) past = changed(past)
    return [...own, ...inside]
  })
}

function afterWait(step: Step, before: Past): Past {
  const { pause } = partsOf(step)
  const isPast = pause && 'until' in pause && comesNotBefore(pause)
  return new Map([
    ...changed(before),
    ...(isPast ? [[pause.until, { mayHaveChanged: false }] as const] : []),
  ])
}

function changed(past: Past): Past {
  return new Map([...past.keys()].map((field) => [field, { mayHaveChanged: true }]))
}

function neverSent(
  campaign: Loaded<CampaignFile>,
  { step, path }: { step: Step; path: Path },
  past: Past,
): Fault[] {
  const { message } = partsOf(step)
  if (!message?.until) return []
  const { id, send, until: found } = message
  const isDueBehind = send && 'until' in send && send.until === found && comesNotBefore(send)
  const waited = past.get(found)
  if (!isDueBehind && !waited) return []
  const why = isDueBehind ? 'is due then or later' : 'comes behind a wait until then or later'
  // Passed, one whose own moment hangs on the entity is planned when that moves.
  const mayYetGo = waited?.mayHaveChanged || (send && hangsOnEntity(send))
  const unless = !isDueBehind && mayYetGo ? `, unless ${found} changes after that wait` : ''
  const complaint = `"${id}" is worth sending until ${found} and ${why}: it never goes out${unless}`
  return [about(campaign, [...path, ...Object.keys(step), 'until'], { message: complaint, found })]
}
