import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { formatStory, type StoryLine, tellStory } from '@wegwijs/cli/story'
import type { Store } from '@wegwijs/store/database'
import { readPersonFacts } from '@wegwijs/store/explain'
import { createOutboxPage } from '@wegwijs/store/outbox-page'
import { findTellablePeople, type TellableKind } from '@wegwijs/store/tellable-people'

/** Whose story is told, and why theirs. */
export type Chosen = { kind: TellableKind; personId: string }

const STORIES = 3

const titles: Readonly<Record<TellableKind, string>> = {
  'appointment-changed': 'an appointment changed, and the messages with it',
  ended: 'messages that were planned and then not sent',
  'several-channels': 'over several channels',
}

/** One of each kind, nobody twice; where a kind has nobody left, the next of the others. */
export function chooseStories(candidates: readonly Chosen[]): Chosen[] {
  const chosen: Chosen[] = []
  const isFree = ({ personId }: Chosen) => chosen.every((other) => other.personId !== personId)
  for (const kind of new Set(candidates.map((candidate) => candidate.kind))) {
    const first = candidates.find((candidate) => candidate.kind === kind && isFree(candidate))
    if (first) chosen.push(first)
  }
  while (chosen.length < STORIES) {
    const next = candidates.find(isFree)
    if (!next) break
    chosen.push(next)
  }
  return chosen.slice(0, STORIES)
}

/** What is said of types of our own; those of the organisation have a name in its definition. */
const ownNames: Readonly<Record<string, string>> = {
  'person.upserted.v1': 'profile',
  'person.identified.v1': 'another id of the person',
  'person.merged.v1': 'records merged',
  'person.deceased.v1': 'died',
  'consent.granted.v1': 'consent given',
  'consent.withdrawn.v1': 'consent withdrawn',
}

/**
 * Three stories, line by line: what happened, what was decided and why, what was sent. With
 * `lateAfterMs` what only waited for the next step of business time is not called late.
 */
export async function tellStories(
  { db }: Store,
  { touchpoints, policies }: DefinitionBundle,
  lateAfterMs: number,
): Promise<string[]> {
  const page = createOutboxPage(db)
  const chosen = chooseStories(await findTellablePeople(db, STORIES))
  const types = new Map(touchpoints.touchpoints.map(({ type, name }) => [type, name.en]))
  const nameOfType = (type: string) => types.get(type) ?? ownNames[type] ?? type
  const { timeZone } = policies
  const lines: string[] = []
  for (const { kind, personId } of chosen) {
    const facts = await readPersonFacts(db, personId)
    if (facts === null) continue
    const person = (await page.timeline(personId, 'en'))?.person
    const persona = person?.persona === undefined ? '' : ` (${person.persona})`
    const story = withoutRepeats(tellStory(facts, { timeZone, lateAfterMs, nameOfType }))
    lines.push('', `${person?.name ?? personId}${persona}: ${titles[kind]}`)
    lines.push(...formatStory(story, timeZone).map((line) => `  ${line}`))
  }
  return lines
}

/** Events of one kind that came together, and led to nothing, as one line. */
export function withoutRepeats(lines: readonly StoryLine[]): StoryLine[] {
  const told: { line: StoryLine; times: number }[] = []
  for (const line of lines) {
    const last = told.at(-1)
    const { at, depth, text } = last?.line ?? { at: '', depth: 1, text: '' }
    if (last && depth === 0 && line.depth === 0 && at === line.at && text === line.text) {
      last.times += 1
    } else told.push({ line, times: 1 })
  }
  return told.map(({ line, times }) =>
    times === 1 ? line : { ...line, text: `${line.text} (${times} times)` },
  )
}
