import type { Specification, SpecificationsFile } from '@wegwijs/campaign/definition/specification'
import type { Question } from '@wegwijs/campaign/state'
import { answerBy } from '@wegwijs/campaign/steps/ask'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { type Fault, unknownName } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { about, aboutKey, type Loaded, type Parts } from './parts.ts'
import { stepsOf } from './walk.ts'

type Looked = { loaded: Loaded<SpecificationsFile>; parts: Parts }

/** What somebody answers must be an answer of the question, or of some question of the campaign. */
export function checkToldAnswer(
  looked: Looked,
  { told, to }: { told: string; to: string | undefined },
  { path, key, isWord }: { path: Path; key: string; isWord: boolean },
): Fault[] {
  const asked = questionsOf(looked, to)
  if (asked === undefined) return []
  if (asked.length === 0) {
    const where = to === undefined ? 'the campaign asks nothing' : `"${to}" asks nothing`
    const at = to === undefined ? key : 'to'
    return [aboutKey(looked.loaded, [...path, at], { message: where, found: to ?? told })]
  }
  const names = asked.flatMap(({ answers }) => answers.map(({ answer }) => answer))
  const isMeant = names.includes(told) || (isWord && asked.some((each) => answerBy(told, each)))
  return isMeant ? [] : [about(looked.loaded, [...path, key], unknownName('answer', told, names))]
}

/** That a provider tells of an answer does not say which one. */
export function checkGivenAnswers(
  looked: Looked,
  given: Specification['given'],
  path: Path,
): Fault[] {
  return Object.entries(given['provider tells'] ?? {}).flatMap(([name, word]) => {
    if (word !== 'answered' || !questionsOf(looked, name)?.length) return []
    const message = `"${name}" asks something: what is answered stands in "when", as "they answer"`
    return [about(looked.loaded, [...path, 'provider tells', name], { message, found: word })]
  })
}

/** Undefined when the campaign could not be read. */
function questionsOf({ loaded, parts }: Looked, name: string | undefined): Question[] | undefined {
  const [message, id = loaded.value.campaign] = (name ?? '').split('/').reverse()
  const campaign = parts.campaigns.find(({ value }) => value.id === id)
  if (!campaign) return undefined
  return stepsOf(campaign.value.steps).flatMap(({ step }) => {
    const { message: sent } = partsOf(step)
    const isMeant = sent?.question && (name === undefined || sent.id === message)
    return isMeant && sent.question ? [sent.question] : []
  })
}
