import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { type ChannelName, localeNames } from '@wegwijs/campaign/definition/words'
import type { MessageStep } from '@wegwijs/campaign/steps/message'
import type { VariableUse } from '@wegwijs/template/template'
import { type Fault, faultAt } from '../fault.ts'
import type { LoadedTemplate } from '../template-folder.ts'
import type { Path } from '../yaml-source.ts'
import { about, type Loaded } from './parts.ts'

type QuestionAt = {
  campaign: Loaded<CampaignFile>
  message: MessageStep['message']
  path: Path
}

/**
 * A question against its template: each content in which it may go out has to show how it is answered, and
 * a word only where somebody can write back. What only a message shows that asks nothing is a fault, too.
 */
export function checkAnswersShown(
  at: QuestionAt,
  template: LoadedTemplate,
  channels: readonly ChannelName[],
): { faults: Fault[]; warnings: Fault[] } {
  const { question } = at.message
  if (!question) return { faults: foreignUses(at, template), warnings: [] }
  const contents = channels.flatMap((channel) =>
    localeNames
      .filter((locale) => template.compiled?.channels[channel]?.content[locale])
      .map((locale) => ({ channel, locale })),
  )
  const answers = question.answers.map(({ answer }) => answer)
  const lacking = contents.flatMap(({ channel, locale }) => {
    const uses = template.uses.filter((use) => use.channel === channel && use.locale === locale)
    const missing = answersNotShown(answers, uses)
    if (missing.length === 0) return []
    const isNone = missing.length === answers.length
    const what = isNone ? 'shows no answer' : `does not show ${missing.join(', ')}`
    const path = [...at.path, 'template']
    const message = `the ${channel} of "${template.id}" in "${locale}" ${what}: nobody can give it; expected {{answers.${missing[0]}.url}}${channel === 'sms' ? ` or {{answers.${missing[0]}.word}}` : ''}`
    return [{ isNone, fault: about(at.campaign, path, { message, found: template.id }) }]
  })
  return {
    faults: [
      ...lacking.filter(({ isNone }) => isNone).map(({ fault }) => fault),
      ...wordsNobodyCanSend(template),
    ],
    warnings: lacking.filter(({ isNone }) => !isNone).map(({ fault }) => fault),
  }
}

function answersNotShown(answers: readonly string[], uses: readonly VariableUse[]): string[] {
  const paths = new Set(uses.map(({ path }) => path))
  if (paths.has('question.url')) return []
  return answers.filter(
    (answer) => !paths.has(`answers.${answer}.url`) && !paths.has(`answers.${answer}.word`),
  )
}

/** What somebody writes back to an e-mail comes to us from nowhere. */
function wordsNobodyCanSend({ uses }: LoadedTemplate): Fault[] {
  return uses
    .filter(({ path, channel }) => channel !== 'sms' && /^answers\..*\.word$/.test(path))
    .map((use) => {
      const message = `${use.path} is only heard in answer to an SMS, and this is the ${use.channel}`
      return faultAt(use.file, use, { message, found: use.path })
    })
}

function foreignUses({ message }: QuestionAt, { uses }: LoadedTemplate): Fault[] {
  return uses
    .filter(({ path }) => /^(answers|question)\./.test(path))
    .map((use) =>
      faultAt(use.file, use, {
        message: `${use.path} is there in a question only, and "${message.id}" asks nothing`,
        found: use.path,
      }),
    )
}
