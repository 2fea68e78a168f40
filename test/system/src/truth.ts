import type { Road } from './clinic.ts'
import type { Accepted } from './provider-files.ts'
import type { System } from './system.ts'

/** A message that was asked for, and the state it came to when its provider never got it. */
export type Unsent = { reference: string; state: string; reason: string | null }

/**
 * Holds what the providers wrote down against what was asked for: one message by each road to each
 * person, under the reference `<subject>-<road>`. Nothing may be there twice without being marked
 * (P2), and what is not there at all must be held, for the reason that nobody knows (P1).
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
  const byReference = Map.groupBy(system.accepted(), ({ reference }) => reference)
  const violations: string[] = []
  const unsent: Unsent[] = []
  for (const subject of subjects) {
    for (const road of roads) {
      const reference = `${subject}-${road}`
      const accepted = byReference.get(reference) ?? []
      byReference.delete(reference)
      violations.push(...doublesAmong(accepted, road))
      if (accepted.length > 0) continue
      const fact = (await system.explain(subject)).find((each) => each.messageId === road)
      if (fact === undefined) violations.push(`${reference} was never planned`)
      else unsent.push({ reference, state: fact.state, reason: fact.reason })
    }
  }
  const unknown = unsent.filter(({ state }) => state !== 'held')
  violations.push(...unknown.map((each) => `${each.reference} is lost: ${each.state}`))
  violations.push(...[...byReference.keys()].map((reference) => `nobody asked for ${reference}`))
  if (violations.length > 0) throw new Error(violations.slice(0, 20).join('\n'))
  return { unsent, marked: system.accepted().filter(({ duplicate }) => duplicate) }
}

function doublesAmong(accepted: readonly Accepted[], road: Road): string[] {
  const marked = accepted.filter(({ duplicate }) => duplicate).length
  const unmarked = accepted.length - marked
  const mostMarked = road === 'again' || road === 'remind' ? 1 : 0
  return unmarked > 1 || marked > mostMarked
    ? [`${accepted[0]?.reference} was sent ${unmarked} times and ${marked} times marked`]
    : []
}
