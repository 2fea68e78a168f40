import { classesForThePersonAlone, isByAge, scopeOf, wordsOf } from '@wegwijs/campaign/addressees'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import {
  allowsSensitivity,
  type ChannelName,
  relationScopes,
  type Sensitivity,
  scopeBears,
} from '@wegwijs/campaign/definition/words'
import type { MessageStep } from '@wegwijs/campaign/steps/message'
import { channelsNamedBy } from '@wegwijs/campaign/steps/message-channels'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { CompiledTemplate } from '@wegwijs/template/template'
import type { Fault } from '../fault.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import { stepsOf } from './walk.ts'

type MessageAt = {
  campaign: Loaded<CampaignFile>
  message: MessageStep['message']
  path: (string | number)[]
}

/** Who each message of a campaign goes to. */
export function checkRecipientsOf(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  return stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
    const { message } = partsOf(step)
    return message
      ? checkRecipients({ campaign, message, path: [...path, ...Object.keys(step)] }, parts)
      : []
  })
}

/** Somebody whom its class allows, and by rules that are there. */
function checkRecipients(at: MessageAt, parts: Parts): Fault[] {
  const { campaign, message, path } = at
  const { class: own } = campaign.value
  const faults: Fault[] = []
  const { to = 'person' } = message
  const named = [to].flat().map((word, index) => {
    const place = Array.isArray(to) ? [index] : []
    return { word, at: [...path, 'to', ...place] }
  })
  for (const { word, at: place } of named) {
    if (word === 'person' || word === 'by-age' || !classesForThePersonAlone.has(own)) continue
    const complaint = `${own} is asked of the person alone, and this message goes to a ${word}`
    faults.push(about(campaign, place, { message: complaint, found: word }))
  }
  const ages = parts.policies?.value.ages
  if (message.to === 'by-age' && parts.policies && ages === undefined) {
    const complaint = 'policies.yaml has no rules of age ("ages")'
    faults.push(about(campaign, [...path, 'to'], { message: complaint, found: 'by-age' }))
  }
  if (message.scope !== undefined && parts.policies && !mayGoToOthers(at, parts)) {
    const complaint = 'it goes to the person alone, who may hear of everything: leave "scope" out'
    faults.push(about(campaign, [...path, 'scope'], { message: complaint, found: message.scope }))
  }
  return faults
}

/** A parent who is named hears of somebody of any age: where rules of age say who is told, that is seldom meant. */
export function parentsOfAnyAge(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  if (parts.policies?.value.ages === undefined) return []
  return stepsOf(campaign.value.steps).flatMap(({ step, path }) => {
    const to = partsOf(step).message?.to
    if (to === undefined || ![to].flat().includes('parent')) return []
    const within = Array.isArray(to) ? [to.indexOf('parent')] : []
    const message =
      'a parent who is named gets it however old the person is: without "to", or with "by-age", the rules of age say who is told'
    return [
      about(campaign, [...path, ...Object.keys(step), 'to', ...within], {
        message,
        found: 'parent',
      }),
    ]
  })
}

/** Whether somebody else than the person may get it, of somebody of any age. */
export function mayGoToOthers(
  { campaign, message }: Pick<MessageAt, 'campaign' | 'message'>,
  parts: Parts,
): boolean {
  if (classesForThePersonAlone.has(campaign.value.class)) return false
  return wordsOf(message, parts.policies?.value.ages ?? []).some((word) => word !== 'person')
}

/** What its author may have meant: only a `message` says whom it goes to. */
function orElse(sensitivity: Sensitivity, path: readonly (string | number)[]): string {
  if (!path.includes('message')) return ''
  const wider = relationScopes.filter((scope) => allowsSensitivity(scopeBears[scope], sensitivity))
  return `: expected ${wider.map((scope) => `"scope: ${scope}"`).join(' or ')}, or "to: person"`
}

/** What a relation lets somebody else hear of bears no more than that: of health only `care` does. */
export function checkScopeBears(
  at: Omit<MessageAt, 'path'> & { templatePath: (string | number)[] },
  template: CompiledTemplate,
  parts: Parts,
): Fault[] {
  if (!mayGoToOthers(at, parts)) return []
  const { campaign, message, templatePath } = at
  const scope = scopeOf(message, campaign.value.class)
  const channels = channelsNamedBy(message) ?? (Object.keys(template.channels) as ChannelName[])
  const declared = channels.flatMap((channel) => template.channels[channel]?.sensitivity ?? [])
  const tooMuch = declared.find((each) => !allowsSensitivity(scopeBears[scope], each))
  if (tooMuch === undefined) return []
  const who = isByAge(message, parts.policies?.value.ages ?? [])
    ? 'by the rules of age it goes to somebody else'
    : 'it goes to somebody else'
  const complaint = `the template "${template.id}" is ${tooMuch}, and ${who}, who by the scope "${scope}" may hear of what is ${scopeBears[scope]} at most${orElse(tooMuch, templatePath)}`
  return [about(campaign, templatePath, { message: complaint, found: template.id })]
}
