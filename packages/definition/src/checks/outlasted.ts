import { leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { addDuration, type Instant } from '@wegwijs/campaign/instant'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import type { AwaitedMessage, StepArm } from '@wegwijs/campaign/steps/step-kind'
import type { Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { casesOf, holdsIn } from './cases.ts'
import { about, type Loaded } from './parts.ts'
import type { Known } from './reachability.ts'

/**
 * Waits that are longer than a message is worth sending, where its status is asked after and
 * something happens for whom it did not reach: they are left alone in between.
 */
export function outlastedIn(
  campaign: Loaded<CampaignFile>,
  classExpires: string,
  known: Known,
): Fault[] {
  const found: Fault[] = []
  const watch = { campaign, classExpires, known, found }
  follow(watch, campaign.value.steps, ['steps'], { now: start, alive: new Map() })
  return found
}

type Watch = {
  campaign: Loaded<CampaignFile>
  classExpires: string
  known: Known
  found: Fault[]
}

/** What is known on the way: how late it is at the earliest, and which messages may still go out. */
type Way = { now: Instant; alive: ReadonlyMap<string, Life> }
type Life = { until: Instant; lasts: string; outlastedBy?: { path: Path; wait: string } }

/** Any moment will do: only the time between two is looked at. */
const start: Instant = '2026-01-01T00:00:00.000Z'

function follow(watch: Watch, steps: readonly Step[], path: Path, before: Way): void {
  let way = before
  steps.forEach((step, index) => {
    const at = [...path, index]
    const { message, pause, messages: awaited = [], arms = [] } = partsOf(step)
    if (message) way = withMessage(watch, message, way)
    else if (pause && 'for' in pause && pause.for)
      way = afterWait(pause.for, [...at, ...Object.keys(step), 'for'], way)
    else lookAtBranch(watch, arms, way)
    for (const each of awaited) lookAtAwaited(watch, each, at, way)
    for (const arm of arms) follow(watch, arm.steps, [...at, ...arm.path], way)
  })
}

/** A receipt may come a day after the last moment of sending; to wait longer is to wait for nothing. */
const receiptsComeWithin = 'P1D'

function lookAtAwaited(
  { campaign, found }: Watch,
  { id, within }: AwaitedMessage,
  at: Path,
  { now, alive }: Way,
): void {
  const life = alive.get(id)
  const last = life && addDuration(life.until, receiptsComeWithin, 'UTC')
  if (!within || !last || addDuration(now, within.duration, 'UTC') <= last) return
  const message = `"${id}" is worth sending for ${life.lasts}, and this waits ${within.duration} for what becomes of it: whom it did not reach hears nothing until then`
  found.push(about(campaign, [...at, ...within.path], { message, found: within.duration }))
}

type Message = NonNullable<ReturnType<typeof partsOf>['message']>

function withMessage({ classExpires }: Watch, message: Message, { now, alive }: Way): Way {
  const { send, id } = message
  // When it is sent depends on the calendar or on the data: then nothing can be said.
  if (send && ('until' in send || send.at || send.between || send.on !== 'any-day'))
    return { now, alive }
  const lasts = message.expires ?? classExpires
  const due = send?.for ? addDuration(now, send.for, 'UTC') : now
  const until = addDuration(due, lasts, 'UTC')
  return { now, alive: new Map(alive).set(id, { until, lasts }) }
}

function afterWait(wait: string, path: Path, { now, alive }: Way): Way {
  const then = addDuration(now, wait, 'UTC')
  const outlasted = [...alive].map(([id, life]): [string, Life] =>
    now <= life.until && life.until < then
      ? [id, { ...life, outlastedBy: { path, wait } }]
      : [id, life],
  )
  return { now: then, alive: new Map(outlasted) }
}

function lookAtBranch(
  { campaign, known, found }: Watch,
  steps: readonly StepArm[],
  { alive }: Way,
): void {
  const arms = steps.map(({ when }) => when?.condition ?? null)
  const conditions = arms.filter((arm) => arm !== null)
  const asked = new Set(conditions.flatMap((arm) => leavesOf(arm)).map(({ leaf }) => leaf.field))
  for (const [id, { outlastedBy, lasts }] of alive) {
    const field = `enrolment.${id}.status`
    if (!outlastedBy || !asked.has(field)) continue
    const expired = casesOf(conditions, known.fields, known.neverMissing)?.filter(
      (one) => one.get(field) === 'expired',
    )
    if (!expired?.some((one) => arms.some((arm) => arm === null || holdsIn(arm, one)))) continue
    const { path, wait } = outlastedBy
    const message = `"${id}" is worth sending for ${lasts}, and this waits ${wait}: whom it did not reach hears nothing until then`
    found.push(about(campaign, path, { message, found: wait }))
  }
}
