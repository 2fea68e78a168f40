import { templateFieldsOf } from '@wegwijs/campaign/catalogue'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Persona } from '@wegwijs/campaign/definition/personas'
import type { Touchpoint } from '@wegwijs/campaign/definition/touchpoints'
import {
  allowsSensitivity,
  type ChannelName,
  localeNames,
} from '@wegwijs/campaign/definition/words'
import { addDuration, type Instant } from '@wegwijs/campaign/instant'
import type { MessageStep } from '@wegwijs/campaign/steps/message'
import { allChannelsOf, cascadeOf, channelsNamedBy } from '@wegwijs/campaign/steps/message-channels'
import { templatesFor } from '@wegwijs/campaign/steps/message-template'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { CompiledTemplate, VariableUse } from '@wegwijs/template/template'
import { type Fault, faultAt, unknownName } from '../fault.ts'
import type { LoadedTemplate } from '../template-folder.ts'
import { casesOf, holdsIn } from './cases.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import { checkAnswersShown } from './questions.ts'
import { checkQuietMessages } from './quiet-messages.ts'
import type { Known } from './reachability.ts'
import { checkRecipientsOf, checkScopeBears, mayGoToOthers } from './recipients.ts'
import { triggerOf, whereOf } from './trigger.ts'
import { stepsOf } from './walk.ts'

type Message = MessageStep['message']
/** A message with one of its templates, whose name stands at `path`, and the personas who get that. */
type MessageAt = {
  campaign: Loaded<CampaignFile>
  message: Message
  template: string
  path: (string | number)[]
  templatePath: (string | number)[]
  personas: readonly Persona[]
}

/** Messages against the templates that they send, the channels that carry them, the people who get them. */
export function checkMessages(parts: Parts): { faults: Fault[]; warnings: Fault[] } {
  const messages = parts.campaigns.flatMap((campaign) => messagesOf(campaign, parts))
  const faults = messages.flatMap((at) => {
    const { template: id } = at
    const template = parts.templates.get(id)
    if (!template) {
      const complaint = unknownName('template', id, parts.templates.keys())
      return [about(at.campaign, at.templatePath, complaint)]
    }
    if (!template.compiled) return []
    return [
      ...checkChannels(at, template.compiled, parts),
      ...checkAnswersShown(at, template, channelsOf(at)).faults,
      ...checkScopeBears(at, template.compiled, parts),
    ]
  })
  const questions = messages.flatMap((at) => {
    const template = parts.templates.get(at.template)
    return template?.compiled ? checkAnswersShown(at, template, channelsOf(at)).warnings : []
  })
  const recipients = parts.campaigns.flatMap((campaign) => checkRecipientsOf(campaign, parts))
  const variables = parts.campaigns.flatMap((campaign) => checkVariables(campaign, parts))
  return {
    faults: [
      ...recipients,
      ...faults,
      ...parts.campaigns.flatMap((campaign) => checkPersonas(campaign, parts)),
      ...parts.campaigns.flatMap((campaign) => checkQuietMessages(campaign, parts)),
      ...variables.flatMap((found) => found.faults),
    ],
    warnings: [
      ...variables.flatMap((found) => found.warnings),
      ...questions,
      // A campaign that could not be read may be the one that sends it.
      ...(parts.everyCampaignIsRead ? unusedTemplates(parts.templates, messages) : []),
    ],
  }
}

function messagesOf(campaign: Loaded<CampaignFile>, parts: Parts): MessageAt[] {
  const audience = audienceOf(campaign.value, parts)
  return stepsOf(campaign.value.steps).flatMap(({ step, path: at }) => {
    const { message } = partsOf(step)
    if (!message) return []
    const path = [...at, ...Object.keys(step)]
    const named = templatesFor(message.template)
    // Somebody else who gets it may be of any persona.
    const receivers = mayGoToOthers({ campaign, message }, parts)
      ? (parts.personas?.value.personas ?? [])
      : audience
    return named.map(({ template, persona, path: within }) => ({
      campaign,
      message,
      template,
      path,
      templatePath: [...path, 'template', ...within],
      personas: receivers.filter(({ id }) =>
        persona === null ? !named.some((each) => each.persona === id) : id === persona,
      ),
    }))
  })
}

/** Whoever has a template of their own must be somebody, and somebody whom the campaign is for. */
function checkPersonas(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const known = parts.personas?.value.personas.map(({ id }) => id)
  if (!known) return []
  const audience = audienceOf(campaign.value, parts).map(({ id }) => id)
  return stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
    const { message } = partsOf(step)
    if (!message) return []
    return templatesFor(message.template).flatMap(({ template: found, persona, path: within }) => {
      const at = [...path, ...Object.keys(step), 'template', ...within]
      if (persona === null || audience.includes(persona)) return []
      if (known.includes(persona) && mayGoToOthers({ campaign, message }, parts)) return []
      if (!known.includes(persona))
        return [about(campaign, at, { ...unknownName('persona', persona, known), found })]
      const complaint = `the campaign is not for "${persona}", who would get this template`
      return [about(campaign, at, { message: complaint, found })]
    })
  })
}

function checkChannels(at: MessageAt, template: CompiledTemplate, parts: Parts): Fault[] {
  const { message, campaign, path, templatePath } = at
  const complete = channelsInEveryLanguage(template)
  const faults: Fault[] = []
  channelsNamedBy(message)?.forEach((channel, index) => {
    const list = Array.isArray(message.channels) ? [] : Object.keys(message.channels ?? {})
    const where = [...path, 'channels', ...list.slice(0, 1), index]
    if (parts.channels && parts.channels.value[channel] === undefined)
      faults.push(
        about(campaign, where, {
          message: `channels.yaml has no channel "${channel}"`,
          found: channel,
        }),
      )
    else if (template.channels[channel] === undefined)
      faults.push(
        about(campaign, where, {
          message: `the template "${template.id}" has no content for "${channel}"`,
          found: channel,
        }),
      )
  })
  const unreached = whoseChannelsFail(at, complete, template)
  if (unreached !== undefined)
    faults.push(
      about(campaign, templatePath, {
        message: `the template "${template.id}" has nothing in every language (${localeNames.join(', ')}) ${unreached}`,
        found: template.id,
      }),
    )
  return [...faults, ...checkCascade(at, parts), ...checkBearing(at, template, parts)]
}

/** What comes when the message is not worth having any more never comes. */
function checkCascade({ message, campaign, path }: MessageAt, parts: Parts): Fault[] {
  const cascade = cascadeOf(message)
  const expires = message.expires ?? parts.policies?.value.classes[campaign.value.class].expires
  if (!cascade || expires === undefined) return []
  const end = addDuration(start, expires, 'UTC')
  let at = start
  for (const [index, channel] of cascade.cascade.entries()) {
    if (at >= end) {
      const fault = {
        message: `the message is worth sending for ${expires}, and with ${cascade.after} for each channel before it "${channel}" never comes`,
        found: channel,
      }
      return [about(campaign, [...path, 'channels', 'cascade', index], fault)]
    }
    at = addDuration(at, cascade.after, 'UTC')
  }
  return []
}

/** Any moment will do: only the time between two is looked at. */
const start: Instant = '2026-01-01T00:00:00.000Z'

/**
 * For whom no channel has content in both languages, or over which one where it goes over all; undefined when
 * everybody can be reached.
 */
function whoseChannelsFail(
  { message, personas }: MessageAt,
  complete: ReadonlySet<ChannelName>,
  template: CompiledTemplate,
): string | undefined {
  const named = channelsNamedBy(message)
  const missing = named?.filter((channel) => !complete.has(channel)) ?? []
  if (allChannelsOf(message)) {
    // Of one for which there is nothing at all that is told already.
    const half = missing.filter((channel) => template.channels[channel] !== undefined)
    return half.length === 0 ? undefined : `for ${half.join(', ')}`
  }
  if (named) return missing.length < named.length ? undefined : `for ${named.join(', ')}`
  const persona = personas.find(
    ({ channels }) => !channels.some((channel) => complete.has(channel)),
  )
  return persona && `for ${persona.channels.join(', ')}, the channels of "${persona.id}"`
}

function channelsInEveryLanguage(template: CompiledTemplate): ReadonlySet<ChannelName> {
  const names = Object.keys(template.channels) as ChannelName[]
  return new Set(
    names.filter((name) =>
      localeNames.every((locale) => template.channels[name]?.content[locale] !== undefined),
    ),
  )
}

/** Those over which it may go, in no order. */
function channelsOf({ message, personas }: MessageAt): ChannelName[] {
  return [...(channelsNamedBy(message) ?? new Set(personas.flatMap((persona) => persona.channels)))]
}

/** What a channel may bear is said in channels.yaml; a template declares what it tells. */
function checkBearing(at: MessageAt, template: CompiledTemplate, parts: Parts): Fault[] {
  const { campaign, templatePath } = at
  return channelsOf(at).flatMap((channel) => {
    const limit = parts.channels?.value[channel]?.sensitivity
    const declared = template.channels[channel]?.sensitivity
    if (limit === undefined || declared === undefined || allowsSensitivity(limit, declared))
      return []
    const message = `the template "${template.id}" is ${declared}, and "${channel}" bears at most ${limit}`
    return [about(campaign, templatePath, { message, found: template.id })]
  })
}

function audienceOf({ audience }: CampaignFile, { personas }: Parts): readonly Persona[] {
  const all = personas?.value.personas ?? []
  return audience.personas ? all.filter(({ id }) => audience.personas?.includes(id)) : all
}

type Verdict = { faults: Fault[]; warnings: Fault[] }

/** Every variable of every template that a campaign uses: known there, and no more telling than declared. */
function checkVariables(campaign: Loaded<CampaignFile>, parts: Parts): Verdict {
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
      template.uses.flatMap((use) => complaintAboutUse(use, fields, { template, campaign })),
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
        .concat(template.uses.flatMap((use) => warningOfHealth(use, fields))),
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

function complaintAboutUse(
  use: VariableUse,
  fields: ReadonlyMap<string, Field>,
  { template, campaign }: { template: LoadedTemplate; campaign: Loaded<CampaignFile> },
): Fault[] {
  const field = fields.get(use.path)
  if (!field) {
    const kind = `variable in campaign "${campaign.value.id}"`
    const { message: _, ...complaint } = unknownName(kind, use.path, fields.keys())
    const message = `unknown variable "${use.path}" in campaign "${campaign.value.id}"`
    return [faultAt(use.file, use, { message, ...complaint })]
  }
  const declared = template.compiled?.channels[use.channel]?.sensitivity
  if (declared === undefined || allowsSensitivity(declared, field.sensitivity)) return []
  const message = `${use.path} is ${field.sensitivity}, and the ${use.channel} of "${template.id}" is declared ${declared}`
  return [faultAt(use.file, use, { message, found: use.path })]
}

function unusedTemplates(
  templates: ReadonlyMap<string, LoadedTemplate>,
  messages: readonly MessageAt[],
): Fault[] {
  const used = new Set(messages.map(({ template }) => template))
  return [...templates.keys()]
    .filter((id) => !used.has(id))
    .map((id) =>
      faultAt(
        `templates/${id}/template.yaml`,
        { line: 1, column: 1 },
        { message: `no campaign sends the template "${id}"` },
      ),
    )
}
