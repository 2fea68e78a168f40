import { templateFieldsOf } from '@wegwijs/campaign/catalogue'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Touchpoint } from '@wegwijs/campaign/definition/touchpoints'
import { allowsSensitivity } from '@wegwijs/campaign/definition/words'
import type { VariableUse } from '@wegwijs/template/template'
import { type Fault, faultAt, unknownName } from '../fault.ts'
import type { LoadedTemplate } from '../template-folder.ts'
import { casesOf, holdsIn } from './cases.ts'
import { checkMarketingText } from './marketing.ts'
import { messagesOf } from './message-templates.ts'
import { warningOfOldVersion } from './newest-version.ts'
import type { Loaded, Parts } from './parts.ts'
import type { Known } from './reachability.ts'
import { triggerOf, whereOf } from './trigger.ts'

type Verdict = { faults: Fault[]; warnings: Fault[] }

/** Every variable of every template that a campaign uses: known there, and no more telling than declared. */
export function checkVariables(campaign: Loaded<CampaignFile>, parts: Parts): Verdict {
  const { touchpoints, attributes, journeys } = parts
  const trigger = triggerOf(campaign, parts)
  if (!touchpoints || !attributes || !journeys || trigger === undefined)
    return { faults: [], warnings: [] }
  const fields = templateFieldsOf(
    { touchpoints: touchpoints.value, attributes: attributes.value, journeys: journeys.value },
    campaign.value,
  )
  const lacking = fieldsThatSomeLack(campaign.value, {
    fields,
    neverMissing: neverMissing(trigger),
  })
  const ids = new Set(messagesOf(campaign, parts).map(({ template }) => template))
  const templates = [...ids].flatMap((id) => parts.templates.get(id) ?? [])
  return {
    faults: templates.flatMap((template) =>
      template.uses.flatMap((use) => complaintAboutUse(use, fields, { template, campaign, parts })),
    ),
    warnings: templates.flatMap((template) =>
      template.uses
        .filter((use) => !use.optional && lacking.has(use.path))
        .map((use) =>
          faultAt(use.file, use, {
            message: `not everybody has ${use.path}: without an {{#if ${use.path}}} around it, they get no message`,
            found: use.path,
          }),
        )
        .concat(template.uses.flatMap((use) => warningOfHealth(use, fields)))
        .concat(template.uses.flatMap((use) => warningOfOldVersion(use, fields)))
        .concat(bracesTooFew(template, fields)),
    ),
  }
}

/** What everybody in a campaign that this touchpoint starts has, whoever they are; null: another kind does. */
export function neverMissing(trigger: Touchpoint | null): ReadonlySet<string> {
  return new Set([
    ...['person.persona', 'person.locale', 'recipient.as', 'organisation.name'],
    ...['organisation.phone', 'organisation.website'],
    ...Object.entries(trigger?.data ?? {}).flatMap(([name, field]) =>
      field.required ? [`event.${name}`, `entity.${name}`] : [],
    ),
  ])
}

/** A field that the trigger or the audience asks after is there for whoever it let in. */
function fieldsThatSomeLack(file: CampaignFile, known: Known): Set<string> {
  const conditions = [whereOf(file), file.audience.where].filter((where) => where !== undefined)
  const cases = casesOf(conditions, known.fields, known.neverMissing)
  const inside = cases?.filter((one) => conditions.every((where) => holdsIn(where, one))) ?? []
  const isThere = (field: string) =>
    known.neverMissing.has(field) ||
    isOfQuestion(field) ||
    (inside.length > 0 && inside.every((one) => one.has(field)))
  return new Set([...known.fields.keys()].filter((field) => !isThere(field)))
}

/** What a question says of itself goes with it. */
function isOfQuestion(field: string): boolean {
  return field.startsWith('question.') || field.startsWith('answers.')
}

/** channels.yaml may let health travel by SMS; a telephone shows it to whoever sits beside it. */
function warningOfHealth(use: VariableUse, fields: ReadonlyMap<string, Field>): Fault[] {
  if (use.channel !== 'sms' || fields.get(use.path)?.sensitivity !== 'health') return []
  const message = `${use.path} tells about somebody's health, and an SMS lights up on a locked screen`
  return [faultAt(use.file, use, { message, found: use.path })]
}

/** What stands between single braces goes out as it stands; as a name of a variable it was to be filled in. */
function bracesTooFew(
  { singleBraces }: LoadedTemplate,
  fields: ReadonlyMap<string, Field>,
): Fault[] {
  return singleBraces
    .filter(({ path }) => fields.has(path))
    .map(({ file, path, text: found, ...position }) => {
      const message = `"${found}" goes out as it stands: a variable has two braces on each side, {${found}}`
      return faultAt(file, position, { message, found })
    })
}

function complaintAboutUse(
  use: VariableUse,
  fields: ReadonlyMap<string, Field>,
  {
    template,
    campaign,
    parts,
  }: { template: LoadedTemplate; campaign: Loaded<CampaignFile>; parts: Parts },
): Fault[] {
  const field = fields.get(use.path)
  if (!field) {
    const kind = `variable in campaign "${campaign.value.id}"`
    const { message: _, ...complaint } = unknownName(kind, use.path, fields.keys())
    const message = `unknown variable "${use.path}" in campaign "${campaign.value.id}"`
    return [faultAt(use.file, use, { message, ...complaint })]
  }
  const ofHealth = checkMarketingText(use, field, { campaign, parts })
  if (ofHealth.length > 0) return ofHealth
  const declared = template.compiled?.channels[use.channel]?.sensitivity
  if (declared === undefined || allowsSensitivity(declared, field.sensitivity)) return []
  const message = `${use.path} is ${field.sensitivity}, and the ${use.channel} of "${template.id}" is declared ${declared}`
  return [faultAt(use.file, use, { message, found: use.path })]
}
