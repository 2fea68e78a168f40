import type { Chance } from './chance.ts'

/** When business time may begin: Saturdays before the two nights in which Dutch clocks change, too. */
export const beginnings = {
  monday: '2026-03-02T09:00:00.000Z',
  spring: '2026-03-28T09:00:00.000Z',
  autumn: '2026-10-24T08:00:00.000Z',
} as const
/** When business time begins most often: a Monday at ten in the Netherlands. */
export const begins = beginnings.monday

/** What one publisher says about one person. Said in the order of the list, once it is answered. */
export type Happening = {
  readonly id: string
  readonly publisher: 'ehr' | 'crm' | 'staff'
  readonly by: 'kafka' | 'http'
  readonly type: string
  readonly subject: string
  readonly data: Readonly<Record<string, unknown>>
  readonly entity?: string
  readonly version?: number
  /** Its own time lies so many minutes before it is said. */
  readonly minutesAgo: number
  /** How often it is said, though it was answered: publishers repeat themselves. */
  readonly times: number
  /** It is said to two gateways at the same time. */
  readonly isDoubled: boolean
}

export type Draft = Pick<Happening, 'type' | 'data'> & Partial<Happening>

/** Makes drafts what is said; those that name nobody are about `subject`. */
export function happeningsFrom(
  drafts: readonly Draft[],
  chance: Chance,
  subject = 'p1',
): Happening[] {
  return drafts.map((draft, index) => ({
    id: `${subject}-${index}`,
    publisher: 'ehr',
    by: draft.type !== poison && chance.is(0.4, 'by', subject, index) ? 'http' : 'kafka',
    subject,
    minutesAgo: 0,
    times: chance.is(0.2, 'times', subject, index) ? 2 : 1,
    isDoubled: false,
    ...draft,
    data: withReference(draft, `${subject}-${index}`),
  }))
}

/** What is about care says in its data which event it is, for the message to repeat. */
function withReference({ type, data }: Draft, id: string): Happening['data'] {
  return type.startsWith('care.') ? { ref: id, ...data } : data
}

export function arrival(subject: string, nth: number): Draft {
  const email = `${subject}.${nth}@example.org`
  return {
    type: 'person.upserted.v1',
    data: { contacts: { email, phone: '+447700900123' }, test: true },
  }
}

/** Whoever has no other address is told from by it. */
export function arrivalByEmail(subject: string): Draft {
  const data = { contacts: { email: `${subject}.0@example.org` }, test: true }
  return { type: 'person.upserted.v1', data }
}

/** Operations stop a part of everything, and let it go on. */
export function operations(scope: string, target: string): Draft[] {
  const draft = { data: { scope, target }, publisher: 'staff' } as const
  return [
    { type: 'staff.operation.stopped', ...draft },
    { type: 'staff.operation.lifted', ...draft },
  ]
}

export function consent(
  state: 'granted' | 'withdrawn',
  purpose: string,
  minutesAgo: number,
  origin = 'person',
  channel = '',
): Draft {
  const data = { purpose, origin, ...(channel !== '' && { channel }) }
  return { type: `consent.${state}.v1`, data, minutesAgo }
}

/** A type that the catalogue does not know. */
export const poison = 'care.unknown.v1'
