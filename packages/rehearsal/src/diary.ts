import type { JsonObject } from '@wegwijs/wire/json'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import type { Random } from './random.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** Who publishes in examples/hospital. */
export const publishers = {
  ehr: 'urn:example:delinde:ehr',
  crm: 'urn:example:delinde:crm',
  website: 'urn:example:delinde:website',
} as const

/** What one invented person goes through, in the order in which it is thought up. */
export type Diary = {
  readonly random: Random
  /** The person's id at the hospital. */
  readonly subject: string
  /** The person's id on the website, for whoever has one. */
  readonly visitor: string | null
  readonly entries: TouchpointEvent[]
  /** `at` in epoch milliseconds, cut to whole seconds as most systems write them. */
  write(at: number, type: string, data?: JsonObject, more?: EntryMore): void
}

export type EntryMore = {
  source?: string
  subject?: string
  entity?: { name: string; version: number }
}

export function openDiary(parts: Pick<Diary, 'random' | 'subject' | 'visitor'>): Diary {
  const entries: TouchpointEvent[] = []
  return {
    ...parts,
    entries,
    write: (at, type, data = {}, more = {}) => {
      entries.push({
        id: `${parts.subject}-${entries.length + 1}`,
        source: more.source ?? publishers.ehr,
        type,
        subject: more.subject ?? parts.subject,
        time: new Date(Math.floor(at / 1_000) * 1_000).toISOString(),
        data,
        ...(more.entity && { entity: more.entity.name, version: more.entity.version }),
      })
    },
  }
}
