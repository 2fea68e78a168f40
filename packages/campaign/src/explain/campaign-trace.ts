import type { CompiledCampaign } from '../compiled-campaign.ts'
import { type DecideContext, type Draft, draftOf, stateOf } from '../draft.ts'
import { campaignOf } from '../enrolments.ts'
import { askedOf, heldOutBy, refusalOf } from '../entry.ts'
import { isGoalOf } from '../exits.ts'
import { factsOf } from '../facts.ts'
import type { ReasonCode } from '../reasons.ts'
import { isOfAnotherEntity, type JourneyEvent, type Person } from '../state.ts'
import { kindOf, partsOf } from '../steps/registry.ts'
import type { StepRun } from '../steps/step-run.ts'
import { triggerPartsOf } from '../triggers/registry.ts'
import { type ConditionTrace, traceOf } from './condition-trace.ts'
import type { LabelledTrace } from './words.ts'

/** Whether an event starts a campaign, with all that is asked on the way, also what comes behind a no. */
export type StartTrace = {
  readonly campaignId: string
  readonly version: number
  /** What it comes to, in the terms of a decision. */
  readonly verdict: ReasonCode
  readonly type: { readonly waitsFor: readonly string[]; readonly holds: boolean }
  /** `wanted` null: of all personas. */
  readonly persona: {
    readonly is: string | null
    readonly wanted: readonly string[] | null
    readonly holds: boolean
  }
  /** The conditions of the trigger and of the audience; null where there is none. */
  readonly trigger: ConditionTrace | null
  readonly audience: ConditionTrace | null
}

/** `isByDate`: its date has come, and there is no event. */
export type StartAsked = {
  draft: Draft
  event: JourneyEvent
  before: Person
  isByDate?: boolean
}

/**
 * Asks a campaign about an event, as the way in asks it, also one that no index would have led there.
 * `draft` is the person when campaigns are asked, `before` when the event came. Performs nothing.
 */
export function traceStart(
  { draft, event, before, isByDate = false }: StartAsked,
  campaign: CompiledCampaign,
  context: DecideContext,
): StartTrace {
  const { id: campaignId, version, file } = campaign
  const { types: own, where, becomes } = triggerPartsOf(file.trigger)
  const types = becomes?.types ?? own
  const type = { waitsFor: types, holds: isByDate || types.includes(event.type) }
  const wanted = file.audience.personas ?? null
  const is = draft.person.persona
  const persona = { is, wanted, holds: wanted === null || wanted.includes(is ?? '') }
  const asked = askedOf(draft, event, context, before)
  const { facts } = asked
  const held = () =>
    campaign.trigger.holds?.(askedOf({ ...draft, person: before }, event, context).facts) ?? false
  const verdict = (): ReasonCode => {
    if (!type.holds) return 'trigger_other_touchpoint'
    if (becomes && !campaign.trigger.holds?.(facts)) return 'trigger_false'
    // It begins when that begins to hold, and not while it goes on.
    if (becomes && !isByDate && held()) return 'trigger_other_touchpoint'
    if (!persona.holds) return 'persona_not_in_audience'
    const refusal = refusalOf(draft, asked, campaign, context)
    if (refusal === false) return 'trigger_other_touchpoint'
    if (refusal) return refusal.reason
    return heldOutBy(draft, campaign, context) ?? 'enrolled'
  }
  return {
    campaignId,
    version,
    verdict: verdict(),
    type,
    persona,
    // Of an event of another type the condition would ask for what it does not have.
    trigger: where && type.holds ? traceOf(where.condition, facts) : null,
    audience: file.audience.where ? traceOf(file.audience.where, facts) : null,
  }
}

/** What a run came to with a touchpoint that may end it, or for which it waits. */
export type TouchpointTrace = {
  readonly campaignId: string
  readonly enrolmentId: string
  readonly role: 'goal' | 'exit' | 'wait'
  /** It is about another appointment or stay than the run, and only its own counts. */
  readonly isOfAnother: boolean
  /** Its `where`; null where there is none. */
  readonly trace: ConditionTrace | null
  /** Whether it counts. */
  readonly holds: boolean
}

/** Asks every run of a person what a touchpoint is to it. Performs nothing. */
export function traceTouchpoint(
  draft: Draft,
  event: JourneyEvent,
  context: DecideContext,
): TouchpointTrace[] {
  return [...draft.enrolments.values()].flatMap((enrolment) => {
    const { campaignId, enrolmentId, state } = enrolment
    const campaign = campaignOf(enrolment, context)
    const facts = factsOf(draft, context, enrolment, event)
    const isAnother = isOfAnotherEntity(enrolment, event)
    const { goal, exit } = campaign.file
    const told = (
      role: TouchpointTrace['role'],
      asks: Pick<(typeof exit)[number], 'where' | 'entity'>,
    ): TouchpointTrace => {
      const isOfAnother = isAnother && asks.entity !== 'any'
      const trace = asks.where ? traceOf(asks.where, facts) : null
      return {
        campaignId,
        enrolmentId,
        role,
        isOfAnother,
        trace,
        holds: !isOfAnother && (trace?.holds ?? true),
      }
    }
    const goals =
      goal?.touchpoint === event.type
        ? [{ ...told('goal', goal), holds: isGoalOf(draft, enrolment, event, context) }]
        : []
    if (state !== 'running') return goals
    const exits = exit.filter(({ touchpoint }) => touchpoint === event.type)
    const waits = waitsOf({ draft, context, campaign, enrolment }, event)
    return [...goals, ...exits.map((each) => told('exit', each)), ...waits]
  })
}

/** What the step at which somebody waits makes of the event: asked on a copy, so that nothing goes on. */
function waitsOf(run: Omit<StepRun, 'node'>, event: JourneyEvent): TouchpointTrace[] {
  const { draft, context, campaign, enrolment } = run
  const node = campaign.nodes.get(enrolment.step ?? '')
  if (!node) return []
  const { touchpoints = [], conditions = [] } = partsOf(node.step)
  if (!touchpoints.some(({ type }) => type === event.type)) return []
  const copy = draftOf(stateOf(draft))
  const onward = kindOf(node.step).onTouchpoint?.(node.step, event, { ...run, draft: copy, node })
  const holds = onward !== null && onward !== undefined
  const facts = factsOf(draft, context, enrolment, event)
  const where = conditions.find(({ about }) => about === event.type)
  const trace = where ? traceOf(where.condition, facts) : null
  const isOfAnother = !holds && isOfAnotherEntity(enrolment, event)
  const { campaignId, enrolmentId } = enrolment
  return [{ campaignId, enrolmentId, role: 'wait', isOfAnother, trace, holds }]
}

/** The conditions of the arms of a step that is about to be taken, each with what it sees. */
export function traceStep({ draft, context, enrolment, node }: StepRun): LabelledTrace[] {
  const facts = factsOf(draft, context, enrolment)
  return (partsOf(node.step).arms ?? []).flatMap(({ label, when }) =>
    when ? [{ label, trace: traceOf(when.condition, facts) }] : [],
  )
}
