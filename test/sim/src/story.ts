import { Chance } from './chance.ts'
import { unwritable } from './promises.ts'

/**
 * A story: what publishers say, how business time moves, who works, and what goes wrong when. All
 * of it follows from the seed, and any part of it can be left out without the rest changing.
 */
export type Story = {
  readonly seed: number
  readonly happenings: readonly Happening[]
  /** By how many minutes business time is stepped, one step after the other. */
  readonly steps: readonly number[]
  readonly faults: readonly Fault[]
  readonly workers: Readonly<Record<WorkerKind, number>>
  /** How often a provider does something else than accept. */
  readonly roughness: number
  /** How likely it is that the worker that has just moved moves again. */
  readonly patience: number
  /** How likely it is that machine time passes while there is still something to do. */
  readonly haste: number
}

export const workerKinds = ['journey', 'scheduler', 'delivery', 'gateway'] as const
export type WorkerKind = (typeof workerKinds)[number]

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
}

/** Something goes wrong when the slot comes to its operation number `at`, or a later one. */
export type Fault = {
  readonly slot: string
  readonly at: number
  readonly kind: FaultKind
  /** Then it waits for an operation whose label holds this. */
  readonly on?: string
}
export const faultKinds = [
  'kill before',
  'kill after',
  'pause',
  'terminate',
  'expel',
  'run the job twice',
  'forget the queue',
  'queue away',
  'broker away',
  'replay',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** Faults that are nobody's own: they happen at a step of the world. */
export const worldSlot = 'world'

const monday = Date.UTC(2026, 2, 2, 9)
/** When business time begins: a Monday at ten in the Netherlands. */
export const begins = new Date(monday).toISOString()

export function storyOf(seed: number): Story {
  const chance = new Chance(`story ${seed}`)
  const workers = {
    journey: 1 + chance.whole(2, 'journeys'),
    scheduler: 1 + chance.whole(2, 'schedulers'),
    delivery: 1 + chance.whole(2, 'deliveries'),
    gateway: 1,
  }
  return {
    seed,
    happenings: happeningsOf(chance),
    steps: Array.from({ length: 2 + chance.whole(4, 'steps') }, (_, index) =>
      chance.pick([1, 30, 120, 200, 700, 1_440], 'step', index),
    ),
    faults: faultsOf(chance, workers),
    workers,
    roughness: chance.pick([0, 0.15, 0.4], 'roughness'),
    patience: chance.pick([0.2, 0.6, 0.9], 'patience'),
    haste: chance.pick([0, 0.01, 0.04], 'haste'),
  }
}

function happeningsOf(chance: Chance): Happening[] {
  const people = 1 + chance.whole(3, 'people')
  return Array.from({ length: people }, (_, index) => personStory(chance, index + 1)).flat()
}

type Draft = Pick<Happening, 'type' | 'data'> & Partial<Happening>

function personStory(chance: Chance, person: number): Happening[] {
  const subject = `p${person}`
  const draw = (what: string) => chance.whole(1_000_000, what, person)
  const drafts: Draft[] = [arrival(subject, 0)]
  const count = 2 + (draw('count') % 4)
  for (let index = 0; index < count; index += 1) {
    drafts.push(...somethingFor(chance, subject, `${person} ${index}`))
  }
  if (chance.is(0.35, 'other', person)) drafts.push(...otherSelf(chance, person))
  return drafts.map((draft, index) => ({
    id: `${subject}-${index}`,
    publisher: 'ehr',
    by: draft.type !== poison && chance.is(0.4, 'by', subject, index) ? 'http' : 'kafka',
    subject,
    minutesAgo: 0,
    times: chance.is(0.2, 'times', subject, index) ? 2 : 1,
    ...draft,
    data: withReference(draft, `${subject}-${index}`),
  }))
}

/** The same person as the customer system knows them, who turns out to be one with the patient. */
function otherSelf(chance: Chance, person: number): Draft[] {
  const subject = `c${person}`
  const crm = { publisher: 'crm', subject } as const
  const about = `other ${person}`
  const happenings: Draft[] = [
    { type: 'care.survey.answered.v1', data: {}, ...crm },
    { ...consent('granted', 'marketing', chance.pick([0, 60], 'ago', about)), ...crm },
    { ...consent('withdrawn', chance.pick(['all', 'service'], 'no', about), 0), ...crm },
    { type: 'care.survey.answered.v1', data: {}, ...crm },
  ]
  const merge: Draft = {
    type: 'person.merged.v1',
    data: { idSpace: 'crm', externalId: subject },
  }
  return [
    { ...arrival(subject, 0), ...crm },
    ...happenings.filter((_, index) => chance.is(0.6, 'crm', about, index)),
    merge,
  ]
}

/** What is about care says in its data which event it is, for the message to repeat. */
function withReference({ type, data }: Draft, id: string): Happening['data'] {
  return type.startsWith('care.') ? { ref: id, ...data } : data
}

function arrival(subject: string, nth: number): Draft {
  const email = `${subject}.${nth}@example.org`
  return {
    type: 'person.upserted.v1',
    data: { contacts: { email, phone: '+447700900123' }, test: true },
  }
}

function somethingFor(chance: Chance, subject: string, about: string): Draft[] {
  const kinds = [
    'discharge',
    'discharge',
    'survey',
    'survey',
    'admission',
    'appointment',
    'appointment',
    'stop',
    'consent',
    'moves house',
    'staff',
    'operations',
    'poison',
  ] as const
  switch (chance.pick(kinds, 'kind', about)) {
    case 'discharge':
      return [{ type: 'care.discharge.completed.v1', data: {} }]
    case 'survey':
      return [{ type: 'care.survey.answered.v1', data: {} }]
    case 'admission':
      return [
        ...(chance.is(0.7, 'agrees', about) ? [consent('granted', 'marketing', 1)] : []),
        { type: 'care.admission.started.v1', data: {} },
      ]
    case 'appointment':
      return appointment(chance, subject, about)
    case 'stop':
      return [
        chance.is(0.3, 'death', about)
          ? { type: 'person.deceased.v1', data: {} }
          : consent('withdrawn', chance.pick(['all', 'service', 'marketing'], 'stop', about), 0),
      ]
    case 'moves house':
      return [arrival(subject, 1 + chance.whole(1_000, 'house', about))]
    case 'staff':
      return [{ type: 'staff.person.stopped', data: {}, publisher: 'staff' }]
    case 'operations': {
      const data = { campaign: chance.pick(['care', 'service', 'reminder'], 'campaign', about) }
      return [
        { type: 'staff.campaign.stopped', data, publisher: 'staff' },
        { type: 'staff.campaign.lifted', data, publisher: 'staff' },
      ]
    }
    case 'poison':
      return chance.is(0.5, 'unwritable', about)
        ? [{ type: 'care.survey.answered.v1', data: { ref: unwritable }, by: 'kafka' }]
        : [{ type: poison, data: {} }]
    case 'consent':
      // Several about the same, or they would hardly ever contradict each other.
      return Array.from({ length: 1 + chance.whole(3, 'consents', about) }, (_, index) =>
        consent(
          chance.pick(['granted', 'withdrawn'], 'state', about, index),
          chance.pick(['marketing', 'service'], 'purpose', about),
          chance.pick([0, 5, 5, 60], 'ago', about, index),
          chance.pick(['person', 'person', 'import'], 'origin', about, index),
        ),
      )
  }
}

function consent(
  state: 'granted' | 'withdrawn',
  purpose: string,
  minutesAgo: number,
  origin = 'person',
): Draft {
  return { type: `consent.${state}.v1`, data: { purpose, origin }, minutesAgo }
}

function appointment(chance: Chance, subject: string, about: string): Draft[] {
  const entity = `appointment/${subject}-${about.replace(' ', '-')}`
  const startsAt = (version: number) =>
    new Date(
      monday + (1 + chance.whole(4, 'day', about, version)) * 86_400_000 + 3_600_000,
    ).toISOString()
  const versions = 1 + chance.whole(3, 'versions', about)
  const drafts = Array.from({ length: versions }, (_, index) => {
    const version = index + 1
    const cancelled = version > 1 && chance.is(0.3, 'cancelled', about, version)
    const type = version === 1 ? 'booked' : cancelled ? 'cancelled' : 'moved'
    return {
      type: `care.appointment.${type}.v1`,
      entity,
      version,
      data: cancelled ? {} : { startsAt: startsAt(version) },
    }
  })
  const [booked, ...changes] = drafts
  // An older version may come after a newer one.
  const inOrder = chance.is(0.6, 'in order', about)
  return booked ? [booked, ...(inOrder ? changes : changes.toReversed())] : []
}

/** A type that the catalogue does not know. */
const poison = 'care.unknown.v1'

/** Rough numbers of operations after which nothing is likely to be at work any more. */
const spans: Readonly<Record<string, number>> = {
  journey: 150,
  scheduler: 120,
  delivery: 90,
  gateway: 20,
}

function faultsOf(chance: Chance, workers: Story['workers']): Fault[] {
  const count = chance.pick([0, 1, 2, 3, 5], 'faults')
  return Array.from({ length: count }, (_, index) => faultOf(chance, workers, index))
}

/** Where little time passes and much hangs on it: most faults would miss it. */
const narrow: Readonly<Record<WorkerKind, readonly string[]>> = {
  journey: ['commit', 'is handed'],
  scheduler: ['adds to', 'publishes', 'commit'],
  delivery: ['gives', 'is told', 'takes from', 'commit'],
  gateway: ['commit'],
}

function faultOf(chance: Chance, workers: Story['workers'], index: number): Fault {
  const draw = (...what: (string | number)[]) => ['fault', index, ...what]
  const kind = chance.pick<WorkerKind>(
    ['journey', 'scheduler', 'delivery', 'delivery', 'gateway'],
    ...draw('worker'),
  )
  const slot = `${kind}-${1 + chance.whole(workers[kind], ...draw('slot'))}`
  const at = 1 + chance.whole(spans[kind] ?? 100, ...draw('at'))
  if (chance.is(0.2, ...draw('of the world'))) {
    const kinds = ['forget the queue', 'queue away', 'broker away', 'replay'] as const
    return {
      slot: worldSlot,
      at: 20 + chance.whole(400, ...draw('step')),
      kind: chance.pick(kinds, ...draw('kind')),
    }
  }
  const own: Partial<Record<WorkerKind, FaultKind>> = {
    journey: 'expel',
    delivery: 'run the job twice',
  }
  const kinds: FaultKind[] = ['kill before', 'kill after', 'kill after', 'pause', 'terminate']
  const special = own[kind]
  if (special) kinds.push(special)
  const fault = { slot, at, kind: chance.pick(kinds, ...draw('kind')) }
  if (chance.is(0.5, ...draw('anywhere'))) return fault
  return { ...fault, on: chance.pick(narrow[kind], ...draw('on')) }
}
