import type { LocaleName } from '@wegwijs/campaign/definition/words'
import type { OutboxMoment, OutboxPage, OutboxPerson } from '@wegwijs/store/outbox-page'
import type { AcceptedEmail, AcceptedSms } from '../accepted.ts'
import type { Outbox, OutboxEntry } from '../outbox.ts'

/** Somebody in the list; without a source of people an address stands for a person. */
export type Somebody = Pick<OutboxPerson, 'name' | 'persona' | 'counts' | 'lastAt'> & { id: string }

/** What the page shows of one person, in order of time. */
export type Story = { somebody: Somebody; timeZone: string; scenes: Scene[]; left: number }

/** What the record says of a message, beside its content. */
export type Sending = { at: string; campaign?: string; state?: string; duplicate: boolean }

export type Scene =
  | { kind: 'touchpoint'; at: string; name: string; phase?: string }
  | { kind: 'skipped'; at: string; campaign: string; reason: string }
  | ({ kind: 'email' } & Sending & Pick<AcceptedEmail, 'from' | 'to' | 'subject' | 'html' | 'text'>)
  | ({ kind: 'sms' } & Sending & Pick<AcceptedSms, 'from' | 'to' | 'text'>)
  | ({ kind: 'app' } & Sending & { title: string; body: string; url?: string })

export type Stories = {
  people(language: LocaleName): Promise<Somebody[]>
  story(id: string, language: LocaleName): Promise<Story | null>
}

export const shownPeople = 200
const shownMoments = 250

/** Stories out of what the sandbox accepted and, if there is a source, what the record knows. */
export function createStories(
  outbox: Outbox,
  source: OutboxPage | undefined,
  timeZone: string,
): Stories {
  return source === undefined
    ? storiesOfAddresses(outbox, timeZone)
    : storiesOfPeople(outbox, source, timeZone)
}

function storiesOfPeople(outbox: Outbox, source: OutboxPage, timeZone: string): Stories {
  const somebodyOf = ({ personId, ...rest }: OutboxPerson): Somebody => ({ id: personId, ...rest })
  return {
    people: async (language) => (await source.people(shownPeople, language)).map(somebodyOf),
    async story(id, language) {
      const timeline = await source.timeline(id, language)
      if (timeline === null) return null
      const moments = timeline.moments.slice(0, shownMoments)
      const scenes = await Promise.all(
        withoutRepeats(moments).map((moment) => scenesOf(moment, outbox)),
      )
      return {
        somebody: somebodyOf(timeline.person),
        timeZone: timeline.timeZone ?? timeZone,
        scenes: scenes.flat(),
        left: timeline.moments.length - moments.length,
      }
    },
  }
}

function storiesOfAddresses(outbox: Outbox, timeZone: string): Stories {
  const people = (limit: number): Somebody[] =>
    outbox.recipients(limit).map(({ address, email, sms, lastAt }) => ({
      id: address,
      name: address,
      counts: { email, sms, app: 0 },
      lastAt,
    }))
  return {
    people: async () => people(shownPeople),
    async story(id) {
      const entries = outbox.to(id)
      const shown = entries.slice(0, shownMoments)
      const somebody = people(Number.POSITIVE_INFINITY).find((each) => each.id === id)
      if (somebody === undefined) return null
      const scenes = await Promise.all(
        shown.map((entry) => sceneOf(entry, { at: entry.receivedAt }, outbox)),
      )
      return { somebody, timeZone, scenes, left: entries.length - shown.length }
    },
  }
}

/** A message that was sent twice is two moments; the first shows all that the sandbox has of it. */
function withoutRepeats(moments: readonly OutboxMoment[]): OutboxMoment[] {
  const seen = new Set<string>()
  return moments.filter((moment) => {
    if (moment.kind !== 'message') return true
    const key = `${moment.channel} ${moment.intentId}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

async function scenesOf(moment: OutboxMoment, outbox: Outbox): Promise<Scene[]> {
  if (moment.kind !== 'message') return [moment]
  const { kind: _, intentId, channel, app, ...sending } = moment
  if (channel === 'app') {
    return app === undefined ? [] : [{ kind: 'app', ...sending, duplicate: false, ...app }]
  }
  const entries = outbox.ofIntent(intentId).filter((entry) => entry.channel === channel)
  return Promise.all(entries.map((entry) => sceneOf(entry, sending, outbox)))
}

async function sceneOf(
  entry: OutboxEntry,
  sending: Omit<Sending, 'duplicate'>,
  outbox: Outbox,
): Promise<Scene> {
  const message = await outbox.read(entry)
  const { channel, duplicate, from, to, text } = message
  const shared = { ...sending, duplicate, from, to, text }
  return channel === 'sms'
    ? { kind: 'sms', ...shared }
    : { kind: 'email', ...shared, subject: message.subject, html: message.html }
}
