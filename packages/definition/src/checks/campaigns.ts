import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { type Complaint, type Fault, unknownName, withNearest } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { checkAskedTooEarly } from './asked-too-early.ts'
import { checkFields, conditionsOf, fieldsOf, momentsOf } from './campaign-fields.ts'
import { checkHealthFlow } from './health-flow.ts'
import { checkMarketingPersonas, checkMarketingTouchpoints } from './marketing.ts'
import { checkMove } from './move.ts'
import { neverSentIn } from './never-sent.ts'
import { toldByEachVersionIn } from './newest-version.ts'
import { outlastedIn } from './outlasted.ts'
import { about, type Loaded, type Parts, repeated } from './parts.ts'
import { isImpossible, type Known, unreachedIn } from './reachability.ts'
import { checkEmit, checkSet } from './said-by-campaigns.ts'
import { neverMissing } from './template-variables.ts'
import { hasEntity, triggerOf } from './trigger.ts'
import { askedForFalseIn } from './true-or-missing.ts'
import { unheardIn } from './unheard.ts'
import { untoldIn } from './untold.ts'
import { stepsOf } from './walk.ts'
import { leftOutYearsIn } from './yearly.ts'

/** `campaigns/*.yaml` against everything that they name, templates excepted. */
export function checkCampaigns(parts: Parts): Fault[] {
  return parts.campaigns.flatMap((campaign) => [
    ...checkId(campaign),
    ...checkNames(campaign, parts),
    ...checkStepIds(campaign),
    ...checkMove(campaign),
    ...checkEntity(campaign, parts),
    ...checkHoldOut(campaign),
    ...checkAskedTooEarly(campaign),
    ...ofKnownTrigger(campaign, parts, [
      ...checkFields(campaign, parts),
      ...checkSteps(campaign, parts),
    ]),
    ...checkMarketingPersonas(campaign, parts),
    ...checkMarketingTouchpoints(campaign, parts),
    ...checkHealthFlow(campaign, parts),
  ])
}

/** What comes with a trigger that nobody knows may well be there. */
function ofKnownTrigger(campaign: Loaded<CampaignFile>, parts: Parts, faults: Fault[]): Fault[] {
  if (triggerOf(campaign, parts) !== undefined) return faults
  return faults.filter(({ found = '' }) => !/^(event|entity)\./.test(found))
}

/** What steps set and tell, against what they may. */
function checkSteps(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const fields = fieldsOf(campaign, parts)
  if (!fields) return []
  return stepsOf(campaign.value.steps).flatMap(({ step, path }) => [
    ...checkSet(campaign, step, { path, fields, parts }),
    ...checkEmit(campaign, step, { path, fields, parts }),
  ])
}

/** Consent, caps and queue of whoever is in a campaign hang on its class, so it never changes. */
export function checkClasses(
  { campaigns }: Parts,
  published: ReadonlyMap<string, string>,
): Fault[] {
  return campaigns.flatMap((campaign) => {
    const before = published.get(campaign.value.id)
    const { class: found } = campaign.value
    if (before === undefined || before === found) return []
    const message = `"${campaign.value.id}" was published as "${before}", and the class of a campaign never changes: a campaign of another class needs another id`
    return [about(campaign, ['class'], { message, found })]
  })
}

function checkId(campaign: Loaded<CampaignFile>): Fault[] {
  const { id } = campaign.value
  const name = /([^/]+)\.yaml$/.exec(campaign.source.file)?.[1]
  if (name === undefined || name === id) return []
  const message = `the id "${id}" is not the name of its file`
  return [about(campaign, ['id'], { message, found: id, ...withNearest(id, [name]) })]
}

function checkNames(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const { journey, trigger, exit, goal, audience } = campaign.value
  const faults: Fault[] = []
  const check = (kind: string, name: string, known: readonly string[] | undefined, path: Path) => {
    if (known && !known.includes(name))
      faults.push(about(campaign, path, unknownName(kind, name, known)))
  }
  const journeys = parts.journeys?.value.journeys.map(({ id }) => id)
  const types = parts.touchpoints?.value.touchpoints.map(({ type }) => type)
  const personas = parts.personas?.value.personas.map(({ id }) => id)
  const teams = parts.policies && (parts.policies.value.teams ?? []).map(({ id }) => id)
  const messages = stepsOf(campaign.value.steps).flatMap(
    ({ step }) => partsOf(step).message?.id ?? [],
  )
  check('journey', journey, journeys, ['journey'])
  const { touchpoint: start } = triggerPartsOf(trigger)
  if (start) check('touchpoint', start.type, types, ['trigger', ...start.path])
  exit.forEach(({ touchpoint }, index) => {
    check('touchpoint', touchpoint, types, ['exit', index, 'touchpoint'])
  })
  if (goal) check('touchpoint', goal.touchpoint, types, ['goal', 'touchpoint'])
  for (const { step, path } of stepsOf(campaign.value.steps)) {
    for (const { type, path: within } of partsOf(step).touchpoints ?? [])
      check('touchpoint', type, types, [...path, ...within])
    const { team } = partsOf(step)
    if (team) check('team', team.name, teams, [...path, ...team.path])
    for (const { id, path: within } of partsOf(step).messages ?? [])
      check('message', id, messages, [...path, ...within])
  }
  audience.personas?.forEach((persona, index) => {
    check('persona', persona, personas, ['audience', 'personas', index])
  })
  return faults
}

function checkStepIds(campaign: Loaded<CampaignFile>): Fault[] {
  return repeated(
    campaign,
    'id',
    stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
      const { id } = partsOf(step)
      return id ? [{ name: id.name, path: [...path, ...id.path] }] : []
    }),
  )
}

/** Everything that hangs on an entity needs a trigger that brings one. */
function checkEntity(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const trigger = triggerOf(campaign, parts)
  if (trigger === undefined || hasEntity(campaign, parts)) return []
  const without = trigger ? `${trigger.type} has none` : 'a trigger of this kind has none'
  const lacking = (what: string): Complaint => ({
    message: `${what} needs an entity, and ${without}`,
    found: what,
  })
  return [
    ...(campaign.value.entry === 'once-per-entity'
      ? [about(campaign, ['entry'], lacking('once-per-entity'))]
      : []),
    ...momentsOf(campaign.value)
      .filter(({ field }) => field.startsWith('entity.'))
      .map(({ field, path }) => about(campaign, path, lacking(field))),
  ]
}

/** What experience warns of in the conditions and waits of a campaign that has no faults of these. */
export function warnOfCampaigns(parts: Parts): Fault[] {
  return parts.campaigns.flatMap((campaign) => {
    if (campaign.invented) return []
    const fields = fieldsOf(campaign, parts)
    const trigger = triggerOf(campaign, parts)
    if (!fields || trigger === undefined || !parts.policies) return []
    if (checkFields(campaign, parts).length > 0) return []
    const known = { fields, neverMissing: neverMissing(trigger) }
    const { expires } = parts.policies.value.classes[campaign.value.class]
    return [
      ...impossibleIn(campaign, parts, known),
      ...unreachedIn(campaign, known),
      ...unheardIn(campaign, parts),
      ...outlastedIn(campaign, expires, known),
      ...neverSentIn(campaign),
      ...askedForFalseIn(campaign),
      ...leftOutYearsIn(campaign),
      ...toldByEachVersionIn(campaign, trigger),
      ...untoldIn(campaign, parts),
    ]
  })
}

/** Conditions that let nobody in, or nobody out; arms of a branch are looked at together. */
function impossibleIn(campaign: Loaded<CampaignFile>, parts: Parts, known: Known): Fault[] {
  return conditionsOf(campaign.value)
    .filter(({ path }) => path.at(-1) === 'where' || path.at(-1) === 'becomes')
    .filter(({ condition, about: type }) => {
      const fields = type === null ? undefined : fieldsOf(campaign, parts, type)
      return isImpossible(condition, fields ? { fields, neverMissing: new Set() } : known)
    })
    .map(({ path }) =>
      about(campaign, path, { message: 'this never holds: it contradicts itself' }),
    )
}

/** What belongs to the care itself is kept from nobody, however much could be learnt from it. */
function checkHoldOut(campaign: Loaded<CampaignFile>): Fault[] {
  if (campaign.value.class !== 'care' || campaign.value.holdOut === undefined) return []
  const message = 'care is kept from nobody: only service, marketing and research have a hold-out'
  return [about(campaign, ['holdOut'], { message, found: String(campaign.value.holdOut) })]
}
