import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { templatesFor } from '@wegwijs/campaign/steps/message-template'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { type Fault, faultAt, unknownName } from '../fault.ts'
import type { LoadedTemplate } from '../template-folder.ts'
import { audienceOf, type MessageAt, messagesOf } from './message-templates.ts'
import { about, aboutKey, type Loaded, type Parts } from './parts.ts'
import { checkAnswersShown } from './questions.ts'
import { checkQuietMessages } from './quiet-messages.ts'
import { checkRecipientsOf, checkScopeBears, mayGoToOthers, parentsOfAnyAge } from './recipients.ts'
import { lettersInValues } from './sms-letters.ts'
import { channelsOf, checkChannels } from './template-channels.ts'
import { checkVariables } from './template-variables.ts'
import { stepsOf } from './walk.ts'

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
      ...lettersInValues(parts),
      ...parts.campaigns.flatMap((campaign) => parentsOfAnyAge(campaign, parts)),
      // A campaign that could not be read may be the one that sends it.
      ...(parts.everyCampaignIsRead ? unusedTemplates(parts.templates, messages) : []),
    ],
  }
}

/** Whoever has a template of their own must be somebody, and somebody whom the campaign is for. */
function checkPersonas(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const known = parts.personas?.value.personas.map(({ id }) => id)
  if (!known) return []
  const audience = audienceOf(campaign.value, parts).map(({ id }) => id)
  return stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
    const { message } = partsOf(step)
    if (!message) return []
    return templatesFor(message.template).flatMap(({ persona, path: within }) => {
      const at = [...path, ...Object.keys(step), 'template', ...within]
      if (persona === null || audience.includes(persona)) return []
      if (known.includes(persona) && mayGoToOthers({ campaign, message }, parts)) return []
      if (!known.includes(persona))
        return [aboutKey(campaign, at, unknownName('persona', persona, known))]
      const complaint = `the campaign is not for "${persona}", who would get this template`
      return [aboutKey(campaign, at, { message: complaint, found: persona })]
    })
  })
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
