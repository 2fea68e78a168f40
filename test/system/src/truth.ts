import type { Road } from './clinic.ts'
import type { Accepted } from './provider-files.ts'
import type { System } from './system.ts'

/** A message that was asked for, and the state it came to when its provider never got it. */
export type Unsent = { reference: string; state: string; reason: string | null }

/**
 * Holds what the providers wrote down against what was asked for: one message by each road to each
 * person, under the reference `<subject>-<road>`. Nothing may have been handed over twice without being
 * marked, not even where the provider folds repeats (P2), and what is not there at all must be held, for the reason that nobody knows (P1).
 *
 * Resolves with what was unsent; app messages are not looked at.
 *
 * @throws Error that names every violation
 */
export async function checkDeliveries(
  system: System,
  subjects: readonly string[],
  roads: readonly Exclude<Road, 'note' | 'offer'>[],
): Promise<{ unsent: Unsent[]; marked: Accepted[] }> {
  const handOvers = system.handOvers()
  const byReference = Map.groupBy(handOvers, ({ reference }) => reference)
  const asked = subjects.flatMap((subject) => roads.map((road) => ({ subject, road })))
  const violations: string[] = []
  const unsent: Unsent[] = []
  for (const { subject, road } of asked) {
    const reference = `${subject}-${road}`
    const lines = byReference.get(reference) ?? []
    byReference.delete(reference)
    violations.push(...doublesAmong(lines, road))
    if (lines.length === 0) unsent.push(...(await whyUnsent(system, subject, road)))
  }
  const lost = unsent.filter(({ state }) => state !== 'held')
  violations.push(...lost.map(({ reference, state }) => `${reference} is lost: ${state}`))
  violations.push(...[...byReference.keys()].map((reference) => `nobody asked for ${reference}`))
  if (violations.length > 0) throw new Error(violations.slice(0, 20).join('\n'))
  return { unsent, marked: handOvers.filter(({ duplicate }) => duplicate) }
}

async function whyUnsent(system: System, subject: string, road: Road): Promise<Unsent[]> {
  const facts = await system.explain(subject)
  const { state, reason } = facts.find(({ messageId }) => messageId === road) ?? unplanned
  // Where one message has bounced, nothing more is sent to that address.
  const isBounced = state === 'skipped' && facts.some((other) => other.state === 'bounced')
  return isBounced ? [] : [{ reference: `${subject}-${road}`, state, reason }]
}

const unplanned = { state: 'never planned', reason: null }

function doublesAmong(handOvers: readonly Accepted[], road: Road): string[] {
  const marked = handOvers.filter(({ duplicate }) => duplicate).length
  const unmarked = handOvers.length - marked
  const mostMarked = road === 'again' || road === 'remind' ? 1 : 0
  return unmarked > 1 || marked > mostMarked
    ? [`${handOvers[0]?.reference} was sent ${unmarked} times and ${marked} times marked`]
    : []
}
