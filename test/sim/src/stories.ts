import { Chance } from './chance.ts'
import { situations } from './chapters/all.ts'
import {
  arrival,
  beginnings,
  begins,
  consent,
  type Draft,
  type Happening,
  happeningsFrom,
  operations,
  poison,
} from './drafts.ts'
import { unwritable } from './promises.ts'
import {
  type Fault,
  type FaultKind,
  type Situation,
  type Story,
  type WorkerKind,
  worldSlot,
} from './story.ts'
import { themes } from './themes.ts'

/**
 * Of eight, three are made for a situation of a chapter, one is of all kinds, and the others are made for a
 * situation of the clinic; each situation comes in its turn.
 */
export function storyOf(seed: number): Story {
  const [round, place] = [Math.floor(seed / 8), seed % 8]
  if (place === 0) return storyOfAllKinds(seed)
  const chance = new Chance(`theme ${seed}`)
  const ofChapter = inChapters.indexOf(place)
  if (ofChapter >= 0) {
    const { chapter, name, make } = inTurn(situations, round * inChapters.length + ofChapter)
    return completed({ seed, theme: name, chapter, ...make(chance) }, chance)
  }
  const before = place - 1 - inChapters.filter((each) => each < place).length
  const [theme, make] = inTurn(themes, round * (7 - inChapters.length) + before)
  return completed({ seed, theme, chapter: null, ...make(chance) }, chance)
}

/** Which places among eight tell of a chapter. */
const inChapters: readonly number[] = [2, 4, 6]

function inTurn<Item>(items: readonly Item[], turn: number): Item {
  const item = items[turn % items.length]
  if (item === undefined) throw new RangeError('there are no situations')
  return item
}

/** What a story says of itself, and the rest as it mostly is. */
function completed(
  { drafts, ...story }: Pick<Story, 'seed' | 'theme' | 'chapter'> & Situation,
  chance: Chance,
): Story {
  return {
    begins,
    steps: [],
    faults: [],
    meetings: [],
    workers: { journey: 1, scheduler: 1, delivery: 1, gateway: 1 },
    roughness: 0,
    manners: null,
    folds: false,
    silent: false,
    partitionsApart: false,
    patience: chance.pick([0.2, 0.6, 0.9], 'patience'),
    haste: 0,
    // Or many a story would come to rest before what is due has been released.
    leisure: 1,
    happenings: happeningsFrom(drafts, chance),
    ...story,
  }
}

function storyOfAllKinds(seed: number): Story {
  const chance = new Chance(`story ${seed}`)
  const day = chance.pick(['monday', 'monday', 'monday', 'spring', 'autumn'], 'begins') as Day
  const workers = {
    journey: 1 + chance.whole(2, 'journeys'),
    scheduler: 1 + chance.whole(2, 'schedulers'),
    delivery: 1 + chance.whole(2, 'deliveries'),
    gateway: 1 + chance.whole(2, 'gateways'),
  }
  return {
    seed,
    theme: null,
    chapter: null,
    begins: beginnings[day],
    happenings: happeningsOf(chance, Date.parse(beginnings[day])),
    meetings: [],
    manners: null,
    folds: chance.is(0.2, 'folds'),
    silent: false,
    partitionsApart: chance.is(0.2, 'partitions apart'),
    leisure: chance.pick([0, 2, 5], 'leisure'),
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

type Day = keyof typeof beginnings

function happeningsOf(chance: Chance, beginsMs: number): Happening[] {
  const people = 1 + chance.whole(3, 'people')
  return Array.from({ length: people }, (_, index) =>
    personStory(chance, index + 1, beginsMs),
  ).flat()
}

function personStory(chance: Chance, person: number, beginsMs: number): Happening[] {
  const subject = `p${person}`
  const draw = (what: string) => chance.whole(1_000_000, what, person)
  const drafts: Draft[] = [arrival(subject, 0)]
  const count = 2 + (draw('count') % 4)
  for (let index = 0; index < count; index += 1) {
    drafts.push(...somethingFor(chance, subject, `${person} ${index}`, beginsMs))
  }
  // Of its own, or what is unusable would come to one story of all kinds in five.
  if (chance.is(0.4, 'unusable', person)) drafts.push(unusable(chance, `last ${person}`))
  if (chance.is(0.35, 'other', person)) drafts.push(...otherSelf(chance, person))
  return happeningsFrom(drafts, chance, subject).map((happening, index) => ({
    ...happening,
    isDoubled: happening.by === 'http' && chance.is(0.2, 'doubled', person, index),
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
    type: chance.is(0.3, 'identified', about) ? 'person.identified.v1' : 'person.merged.v1',
    data: { idSpace: 'crm', externalId: subject },
  }
  return [
    { ...arrival(subject, 0), ...crm },
    ...happenings.filter((_, index) => chance.is(0.6, 'crm', about, index)),
    merge,
  ]
}

function somethingFor(chance: Chance, subject: string, about: string, beginsMs: number): Draft[] {
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
      return appointment(chance, subject, about, beginsMs)
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
      return operations('campaign', chance.pick(['care', 'service', 'reminder'], 'campaign', about))
    }
    case 'poison':
      return [unusable(chance, about)]
    case 'consent':
      // Several about the same, or they would hardly ever contradict each other.
      return Array.from({ length: 1 + chance.whole(3, 'consents', about) }, (_, index) =>
        consent(
          chance.pick(['granted', 'withdrawn'], 'state', about, index),
          chance.pick(['marketing', 'service'], 'purpose', about),
          chance.pick([0, 5, 5, 60], 'ago', about, index),
          chance.pick(['person', 'person', 'import'], 'origin', about, index),
          chance.pick(['', '', '', 'email', 'sms'], 'channel', about, index),
        ),
      )
  }
}

/** What PostgreSQL cannot write, or what nobody knows. */
function unusable(chance: Chance, about: string): Draft {
  return chance.is(0.5, 'unwritable', about)
    ? { type: 'care.survey.answered.v1', data: { ref: unwritable }, by: 'kafka' }
    : { type: poison, data: {} }
}

function appointment(chance: Chance, subject: string, about: string, beginsMs: number): Draft[] {
  const entity = `appointment/${subject}-${about.replace(' ', '-')}`
  const startsAt = (version: number) =>
    new Date(
      beginsMs +
        (1 + chance.whole(4, 'day', about, version)) * 86_400_000 +
        // In the morning, or in the hour of the night that comes twice, or not at all.
        chance.pick([1, 1, 16.5, 17.5], 'hour', about, version) * 3_600_000,
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
