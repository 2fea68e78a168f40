import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Persona } from '@wegwijs/campaign/definition/personas'
import type { MessageStep } from '@wegwijs/campaign/steps/message'
import { templatesFor } from '@wegwijs/campaign/steps/message-template'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Loaded, Parts } from './parts.ts'
import { mayGoToOthers } from './recipients.ts'
import { stepsOf } from './walk.ts'

type Message = MessageStep['message']

/** A message with one of its templates, whose name stands at `path`, and the personas who get that. */
export type MessageAt = {
  campaign: Loaded<CampaignFile>
  message: Message
  template: string
  path: (string | number)[]
  templatePath: (string | number)[]
  personas: readonly Persona[]
}

export function messagesOf(campaign: Loaded<CampaignFile>, parts: Parts): MessageAt[] {
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

export function audienceOf({ audience }: CampaignFile, { personas }: Parts): readonly Persona[] {
  const all = personas?.value.personas ?? []
  return audience.personas ? all.filter(({ id }) => audience.personas?.includes(id)) : all
}
