import { formatStory, tellStory } from '@wegwijs/cli/story'
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

/** Three stories, line by line: what happened, what was decided and why, what was sent. */
export async function tellStories({ db }: Store, timeZone: string): Promise<string[]> {
  const page = createOutboxPage(db)
  const chosen = chooseStories(await findTellablePeople(db, STORIES))
  const lines: string[] = []
  for (const { kind, personId } of chosen) {
    const facts = await readPersonFacts(db, personId)
    if (facts === null) continue
    const person = (await page.timeline(personId))?.person
    const persona = person?.persona === undefined ? '' : `, ${person.persona}`
    lines.push('', `${person?.name ?? personId}${persona}: ${titles[kind]}`)
    lines.push(...formatStory(tellStory(facts), timeZone).map((line) => `  ${line}`))
  }
  return lines
}
