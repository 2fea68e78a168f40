import type { Told } from './history.ts'
import { type Call, type Heard, identityOf, type Sight } from './sight.ts'

/** What forbids: of what a provider reports, a complaint and an answer that says STOP. */
const stopTypes =
  /^(person\.deceased|consent\.withdrawn|staff\.person\.stopped|message\.(complained|replied))/

/** Who would get it, as everybody they have become one with, and of which class it is. */
export type ForWhom = { readonly people: ReadonlySet<string>; readonly class: string }

/** P3: what held when the claim began under which it was sent: it was answered before, or read. */
export function stopsBefore(
  call: Call,
  forWhom: ForWhom,
  seen: Sight,
): { stop: Heard; holdsFrom: number }[] {
  return seen.all(stopTypes).flatMap((stop) => {
    const { event } = stop
    if (!forWhom.people.has(identityOf(event)) || !covers(event, forWhom, call)) return []
    const holdsFrom = Math.min(stop.keptOverHttpAt, stop.readAt)
    const isBefore = holdsFrom < call.claimedAt && !isLifted(event, forWhom, call, seen)
    return isBefore ? [{ stop, holdsFrom }] : []
  })
}

function covers({ type, data }: Told, forWhom: ForWhom, call: Call): boolean {
  if (/^(person\.deceased|staff)/.test(type)) return true
  const forClass = data.purpose === 'all' || data.purpose === forWhom.class
  return forClass && (data.channel === undefined || data.channel === call.channel)
}

/** A consent of the same kind with a later time of its own; an import lifts no word of the person. */
function isLifted(stop: Told, { people }: ForWhom, call: Call, seen: Sight): boolean {
  if (/^(person\.deceased|staff)/.test(stop.type)) return false
  return seen
    .all(/^consent\.granted/)
    .some(
      ({ event, saidAt }) =>
        saidAt < call.givenAt &&
        people.has(identityOf(event)) &&
        event.data.purpose === stop.data.purpose &&
        event.data.channel === stop.data.channel &&
        event.time > stop.time &&
        (stop.data.origin === 'import' || event.data.origin !== 'import'),
    )
}
