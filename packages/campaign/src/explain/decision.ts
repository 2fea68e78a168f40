import type { CompiledCampaign } from '../compiled-campaign.ts'
import type { LocaleName } from '../definition/words.ts'
import type { Decision } from '../draft.ts'
import type { Instant } from '../instant.ts'
import { isHeldOut } from '../reasons.ts'
import { kindOf, partsOf } from '../steps/registry.ts'
import type { Step } from '../steps/step.ts'
import { triggerKindOf } from '../triggers/registry.ts'
import type { ConditionTrace } from './condition-trace.ts'
import type { InEachLanguage, LabelledTrace, Words } from './words.ts'

/** A decision with what is needed to tell of it. */
export type Telling = {
  readonly at: Instant
  readonly decision: Pick<Decision, 'reason' | 'detail' | 'enrolmentId' | 'intentId' | 'campaignId'>
  /** The version that decided; undefined when it is not known any more. */
  readonly campaign: CompiledCampaign | undefined
  /** The id, within its campaign, of the message that the decision is about. */
  readonly messageId: string | null
  /** The conditions of its step, with what they saw. */
  readonly traces: readonly LabelledTrace[]
  /** The condition that refused, with what it saw. */
  readonly refusedBy: ConditionTrace | null
}

/**
 * What a decision meant for somebody, to follow a moment: "Op 13 maart 2026 om 10:00 …", or "Daarop …".
 * The kind of its step tells it, where it is of one.
 */
export function tellDecision(telling: Telling, locale: LocaleName, words: Words): string {
  const { decision, campaign, messageId, traces } = telling
  const { reason, detail, intentId, campaignId, enrolmentId } = decision
  const name = `"${campaign?.file.name ?? campaignId}"`
  const speech = speeches[locale]
  // Its step has the name that its author gives it, and the person has not done it.
  if (reason === 'moved_to_version' && typeof detail?.to === 'number')
    return typeof detail.step === 'string'
      ? speech.moved(name, detail.to, detail.step)
      : speech.movedThrough(name, detail.to)
  const step = campaign && stepOf(campaign, telling)
  if (step) {
    const told = { at: telling.at, reason, detail, isOfMessage: intentId !== null, traces }
    return kindOf(step).explanation[locale](step, told, words)
  }
  const why = words.reason(reason)
  if (campaignId === null) return speech.noted(why)
  if (intentId !== null) return speech.message(messageId ?? intentId, why)
  if (reason === 'enrolled') return speech.began(name)
  if (reason === 'completed') return speech.completed(name)
  if (reason === 'goal_reached') return speech.goal(name)
  if (reason === 'entity_after_all' || reason === 'date_after_all') return speech.goesOn(name, why)
  if (reason === 'version_unreadable') return speech.unclear(name, why)
  const because = telling.refusedBy ? speech.because(words.because(telling.refusedBy)) : ''
  if (enrolmentId === null || isHeldOut(reason)) return `${speech.refused(name, why)}${because}`
  return speech.ended(name, why)
}

/** The step that the detail of a decision names. */
function stepOf(campaign: CompiledCampaign, { decision, messageId }: Telling): Step | undefined {
  const { step, message } = decision.detail ?? {}
  if (typeof step === 'string') return campaign.nodes.get(step)?.step
  const id = typeof message === 'string' ? message : messageId
  if (id === null || decision.reason.endsWith('_by_staff')) return undefined
  return [...campaign.nodes.values()].find(({ step: each }) => partsOf(each).id?.name === id)?.step
}

/** What a campaign waits for, to follow its name. */
export function tellTrigger(
  { file: { trigger } }: CompiledCampaign,
  locale: LocaleName,
  words: Words,
): string {
  return triggerKindOf(trigger).explanation[locale](trigger, words)
}

/** `Op 13 maart 2026 om 10:00`, to begin a sentence. */
export function tellWhen(at: Instant, locale: LocaleName, words: Words): string {
  return `${locale === 'nl' ? 'Op' : 'On'} ${words.moment(at)}`
}

type Speech = Readonly<{
  noted: (why: string) => string
  message: (id: string, why: string) => string
  began: (campaign: string) => string
  completed: (campaign: string) => string
  goal: (campaign: string) => string
  goesOn: (campaign: string, why: string) => string
  moved: (campaign: string, version: number, step: string) => string
  movedThrough: (campaign: string, version: number) => string
  refused: (campaign: string, why: string) => string
  ended: (campaign: string, why: string) => string
  unclear: (campaign: string, why: string) => string
  because: (what: string) => string
}>

const speeches: InEachLanguage<Speech> = {
  nl: {
    noted: (why) => `is vastgelegd: ${why}`,
    message: (id, why) => `veranderde het bericht "${id}": ${why}`,
    began: (campaign) => `begon de campagne ${campaign} voor deze persoon`,
    completed: (campaign) => `waren alle stappen van de campagne ${campaign} doorlopen`,
    goal: (campaign) => `werd bereikt waar de campagne ${campaign} voor bedoeld is`,
    goesOn: (campaign, why) => `ging de campagne ${campaign} weer verder: ${why}`,
    moved: (campaign, version, step) =>
      `ging de campagne ${campaign} voor deze persoon verder in versie ${version}, bij stap "${step}"`,
    movedThrough: (campaign, version) =>
      `ging wat van de campagne ${campaign} voor deze persoon nog was ingepland over naar versie ${version}`,
    refused: (campaign, why) => `begon de campagne ${campaign} niet: ${why}`,
    ended: (campaign, why) => `eindigde de campagne ${campaign}: ${why}`,
    unclear: (campaign, why) =>
      `was niet duidelijk wat dit voor de campagne ${campaign} betekent: ${why}`,
    because: (what) => `, want ${what}`,
  },
  en: {
    noted: (why) => `it was noted: ${why}`,
    message: (id, why) => `the message "${id}" changed: ${why}`,
    began: (campaign) => `the campaign ${campaign} began for the person`,
    completed: (campaign) => `all steps of the campaign ${campaign} had been gone through`,
    goal: (campaign) => `what the campaign ${campaign} is for was reached`,
    goesOn: (campaign, why) => `the campaign ${campaign} went on again: ${why}`,
    moved: (campaign, version, step) =>
      `the campaign ${campaign} went on for the person in version ${version}, at step "${step}"`,
    movedThrough: (campaign, version) =>
      `what was still planned of the campaign ${campaign} for the person went over to version ${version}`,
    refused: (campaign, why) => `the campaign ${campaign} did not begin: ${why}`,
    ended: (campaign, why) => `the campaign ${campaign} ended: ${why}`,
    unclear: (campaign, why) => `it was not clear what this is to the campaign ${campaign}: ${why}`,
    because: (what) => `, because ${what}`,
  },
}
