import type { Chance } from './chance.ts'
import { arrival, beginnings, consent, type Draft, operations } from './drafts.ts'
import type { Fault, Meeting, Situation } from './story.ts'
import { twoGateways } from './two-gateways.ts'

/**
 * Situations in which much hangs on the order of a few operations. Chance alone would hardly ever
 * bring them about; each of them comes to every so many seeds, told in its own way every time.
 */
export const themes: readonly (readonly [name: string, make: (chance: Chance) => Situation])[] = [
  ['somebody else sends it meanwhile', overtaken],
  ['a stop is answered while its message is claimed', stopMeetsClaim],
  ['a job runs twice at once', runsTwice],
  ['the queue forgets', forgottenQueue],
  ['a touchpoint ends a campaign', exit],
  ['a message comes back when its campaign has ended', comesBack],
  ['somebody dies', death],
  ['two records are one person', merge],
  ['a stop comes in while its person is merged', stopMeetsMerge],
  ['consents contradict each other', consents],
  ['two records are one person', merge],
  ['one of two records was told already', toldBefore],
  ['somebody agrees to one channel', oneChannel],
  ['a timer comes', timers],
  ['answers of the database are lost', lostAnswers],
  ['an appointment changes while its message is sent', changeMeetsClaim],
  ['operations stop something', operationsStop],
  ['appointments move over the night in which clocks change', nights],
  ['consents contradict each other', consents],
  ['an appointment is moved before it was booked', movedFirst],
  ['Kafka goes away while something leaves', brokerAway],
  ['a message waits too long', expiry],
  ['a record is given up while something is said of it', givenUp],
  ['a consumer is overtaken', overtakenConsumer],
  ['providers contradict themselves', receipts],
  ['nobody knows what became of it', unknown],
  ['a publisher says which other id somebody has', identified],
  ['an event comes to two gateways at once', twoGateways],
]

const survey: Draft = { type: 'care.survey.answered.v1', data: {} }
const discharge: Draft = { type: 'care.discharge.completed.v1', data: {} }
const admission: Draft = { type: 'care.admission.started.v1', data: {} }
const invitation: Draft = { type: 'care.survey.invited.v1', data: {} }

const once = { times: 1 } as const
const overHttp = { by: 'http', times: 1 } as const
const fromCrm = { publisher: 'crm', subject: 'c1' } as const

/** What delivery does, as the labels of its operations say. */
const does = {
  takes: 'takes from',
  locks: 'select intent_id from intent where intent_id',
  checks: 'with named as',
  renders: 'select template_id as',
  gives: 'gives',
  isTold: 'is told',
  settles: 'select i.intent_id as "intentId"',
} as const

const ehr = 'ehr about p1'
const crm = 'crm about c1'

function answered(who: string, id: string) {
  return { who, what: `is answered: ${id} is kept` }
}

function mergeOf(idSpace: string, externalId: string): Draft {
  return { type: 'person.merged.v1', data: { idSpace, externalId }, by: 'kafka', ...once }
}

/** A worker stands still beyond its lease, and comes back while another one sends the same. */
function overtaken(chance: Chance): Situation {
  const workers = { journey: 1, scheduler: 1, delivery: 2, gateway: 1 }
  if (chance.is(0.7, 'before it renders')) {
    // It sends nothing any more, and says so when the other one is about to.
    const renders: Meeting = {
      who: 'delivery',
      what: does.renders,
      paused: true,
      afresh: true,
      until: [{ who: 'delivery', what: does.gives, isStanding: true }],
      thenUntil: 'commit',
    }
    return { drafts: [arrival('p1', 0), survey], workers, meetings: [renders], silent: true }
  }
  const meets = chance.pick([does.gives, does.settles], 'meets')
  const meeting: Meeting = {
    who: 'delivery',
    what: chance.pick([does.gives, does.gives, does.isTold, does.settles, does.settles], 'where'),
    paused: true,
    afresh: true,
    until: [{ who: 'delivery', what: meets, isStanding: true }],
    thenUntil: 'commit',
  }
  return {
    drafts: [arrival('p1', 0), chance.pick([survey, survey, survey, discharge], 'what')],
    workers,
    meetings: [meeting],
    roughness: 0.5,
    manners: ['refuse', 'defer'],
    silent: chance.is(0.6, 'silent'),
  }
}

function stopOf(chance: Chance): Draft {
  const purpose = chance.pick(['all', 'service'], 'purpose')
  const channel = chance.pick(['', '', 'email'], 'channel of the stop')
  return chance.is(0.3, 'death')
    ? { type: 'person.deceased.v1', data: {} }
    : consent('withdrawn', purpose, 0, 'person', channel)
}

/** A stop is said when the claim has begun, and answered before its last statement. */
function stopMeetsClaim(chance: Chance): Situation {
  const early = chance.is(0.4, 'early')
  const drafts = [arrival('p1', 0), { ...survey, ...once }, { ...stopOf(chance), ...overHttp }]
  const isAnswered = answered(ehr, 'p1-2')
  const before = early ? does.takes : does.checks
  const meetings: Meeting[] = [
    { who: ehr, what: 'says p1-2 ', until: [{ who: 'delivery', what: before, isStanding: true }] },
    { who: 'delivery', what: before, until: [isAnswered] },
  ]
  // Whoever answers before it has committed is found out by what is sent in between.
  if (early) {
    const given = { who: 'delivery', what: does.gives }
    meetings.push({ who: 'gateway', what: 'commit', until: [isAnswered, given] })
  }
  return { drafts, meetings }
}

/** The queue takes a worker for dead that is about to send, and gives its job out again. */
function runsTwice(chance: Chance): Situation {
  return {
    drafts: [arrival('p1', 0), chance.pick([survey, discharge], 'what')],
    workers: { journey: 1, scheduler: 1, delivery: 1 + chance.whole(2, 'workers'), gateway: 1 },
    faults: [1, 2].map((nth) => ({
      slot: `delivery-${nth}`,
      at: 1,
      on: does.gives,
      kind: 'run the job twice' as const,
    })),
    meetings: [
      {
        who: 'delivery',
        what: chance.pick([does.isTold, does.settles], 'where'),
        until: [
          { who: 'delivery', what: does.locks },
          { who: 'delivery', what: 'commit' },
        ],
        afresh: true,
      },
    ],
  }
}

/** What is queued in the records is not, or no longer, in the queue; and nobody is reminded of it. */
function forgottenQueue(chance: Chance): Situation {
  const fault = chance.pick<Fault>(
    [
      { slot: 'scheduler-1', at: 1, on: 'adds to', kind: 'kill before' },
      { slot: 'delivery-1', at: 1, on: does.takes, kind: 'kill and forget the queue' },
    ],
    'fault',
  )
  return { drafts: [arrival('p1', 0), survey, discharge], faults: [fault] }
}

/** The touchpoint that ends a campaign comes while it waits, or when its message has been planned. */
function exit(chance: Chance): Situation {
  const again = chance.is(0.3, 'again') ? [{ ...discharge, ...once }] : []
  return {
    drafts: [arrival('p1', 0), { ...discharge, ...once }, { ...admission, ...once }, ...again],
    leisure: 3,
    partitionsApart: chance.is(0.2, 'partitions apart'),
    steps: chance.pick([[], [], [185]], 'steps'),
  }
}

/**
 * The provider has no time for a message; before anybody has heard so, its campaign ends: by a
 * touchpoint, or because the other record of the person is told the same.
 */
function comesBack(chance: Chance): Situation {
  const rough = { roughness: 0.8, manners: ['defer'] as const, leisure: 2 }
  const ended = (message: string, nth: number): Meeting[] => {
    const isTold = { who: 'delivery', what: `is told deferred of ${message}` }
    const ends = [{ who: 'journey', what: `p1-${nth}` }, commitOf('journey')]
    return [
      { ...isTold, until: ends },
      { who: ehr, what: `thinks of p1-${nth}`, until: [{ ...isTold, isStanding: true }] },
    ]
  }
  const passes = { who: 'calendar', what: 'minutes pass' }
  if (chance.is(0.7, 'by a touchpoint')) {
    return {
      ...rough,
      drafts: [arrival('p1', 0), { ...discharge, ...once }, { ...admission, ...once }],
      steps: [chance.pick([185, 200], 'minutes')],
      meetings: [{ ...passes, until: isRead(discharge, 1) }, ...ended('follow-up p1-1', 2)],
    }
  }
  const theirs = { subject: 'p2', ...once }
  return {
    ...rough,
    drafts: [
      arrival('p1', 0),
      { ...arrival('p2', 0), ...theirs },
      { ...invitation, ...theirs },
      { ...invitation, ...once },
      mergeOf('ehr', 'p2'),
    ],
    steps: [301],
    meetings: [
      { who: ehr, what: 'thinks of p1-3', until: [answered('ehr about p2', 'p1-2')] },
      { ...passes, until: isRead(invitation, 3) },
      ...ended('welcome p1-2', 4),
    ],
  }
}

/** Somebody dies for whom much is planned. */
function death(chance: Chance): Situation {
  const by = chance.pick(['kafka', 'kafka', 'http'] as const, 'by')
  return {
    drafts: [
      arrival('p1', 0),
      discharge,
      booking(1, 50),
      ...(chance.is(0.5, 'invited') ? [invitation] : []),
      { type: 'person.deceased.v1', data: {}, by },
      ...(chance.is(0.3, 'afterwards') ? [survey] : []),
    ],
    leisure: 4,
  }
}

/** Both records have things to say: what forbids, what was promised, what was agreed to. */
function merge(chance: Chance): Situation {
  const purpose = chance.pick(['marketing', 'service'], 'purpose')
  const before: Draft[] = [arrival('p1', 0)]
  if (chance.is(0.75, 'both are invited')) before.push(invitation)
  if (chance.is(0.7, 'agreed')) before.push(consent('granted', purpose, 60))
  const others: Draft[] = [
    arrival('c1', 0),
    ...(before.some(({ type }) => type === invitation.type) ? [invitation] : []),
    ...(chance.is(0.6, 'withdrawn')
      ? [consent('withdrawn', chance.pick([purpose, purpose, 'all'], 'no'), 0)]
      : []),
  ].map((draft) => ({ ...draft, ...fromCrm, ...once }))
  const stops: Draft[] = chance.is(0.35, 'staff')
    ? [
        {
          type: 'staff.person.stopped',
          data: { idSpace: 'crm' },
          publisher: 'staff',
          subject: 'c1',
        },
      ]
    : []
  const merged = before.length
  const last = before.length + 3 + others.length - 1
  const until = [answered(crm, `p1-${last}`), ...(stops.length > 0 ? [commitOf('staff')] : [])]
  return {
    drafts: [
      ...before,
      mergeOf('crm', 'c1'),
      chance.pick([survey, discharge], 'afterwards'),
      admission,
      ...others,
      ...stops,
    ],
    meetings: [{ who: ehr, what: `thinks of p1-${merged}`, until }],
    leisure: 3,
  }
}

/** What nobody gets twice came to one record, at this stay or at an earlier one, before both are one. */
function toldBefore(chance: Chance): Situation {
  // A stay is told by the patient system alone: it has two records of them.
  const [of, afterwards] = chance.is(0.6, 'which one') ? ['p2', 'p1'] : ['p1', 'p2']
  const [told, later] = [{ subject: of }, { subject: afterwards }]
  const [slotOfTold, slotOfLater] = [`ehr about ${of}`, `ehr about ${afterwards}`]
  const stay = chance.pick(['none', 'the same', 'another', 'another'], 'stay')
  const first: Draft[] = [
    { ...arrival(told.subject, 0), ...told },
    ...(stay === 'none' ? [] : [{ ...admission, ...told, ...once }]),
    { ...invitation, ...told, ...once },
    ...(stay === 'another' ? [{ ...admission, ...told, ...once }] : []),
  ]
  const second: Draft[] = [
    { ...arrival(later.subject, 0), ...later },
    ...(stay === 'none' ? [] : [{ ...admission, ...later, ...once }]),
    { ...invitation, ...later, ...once },
  ]
  const invited = first.findIndex(({ type }) => type === invitation.type)
  const invitedLater = first.length + second.length - 1
  const merged = invitedLater + 1
  const isGiven = { who: 'delivery', what: 'gives email welcome' }
  return {
    drafts: [
      ...first,
      ...second,
      mergeOf('ehr', 'p2'),
      ...(chance.is(0.3, 'invited again') ? [{ ...invitation, ...once }] : []),
    ],
    steps: [301],
    meetings: [
      {
        who: 'calendar',
        what: 'minutes pass',
        until: isRead(invitation, invited),
      },
      ...(stay === 'another'
        ? [{ who: slotOfTold, what: `thinks of p1-${first.length - 1}`, until: [isGiven] }]
        : []),
      { who: slotOfLater, what: `thinks of p1-${first.length}`, until: [isGiven] },
      {
        who: ehr,
        what: `thinks of p1-${merged}`,
        until: isRead(invitation, invitedLater),
      },
    ],
  }
}

/** It is handed to whoever decides about it. */
function handed({ type }: Draft, nth: number) {
  return { who: 'journey', what: `${type} p1-${nth}` }
}

function isRead(draft: Draft, nth: number) {
  return [handed(draft, nth), commitOf('journey')]
}

function commitOf(who: string) {
  return { who, what: 'commit' }
}

/** The gateway knows of the record that is given up, and writes when the merge has committed. */
function stopMeetsMerge(chance: Chance): Situation {
  const merges = { who: 'journey', what: 'update person set merged_into' }
  const stop = { ...stopOf(chance), ...fromCrm, ...overHttp }
  return {
    drafts: [
      arrival('p1', 0),
      mergeOf('crm', 'c1'),
      { ...survey, ...once },
      { ...arrival('c1', 0), ...fromCrm, ...once },
      stop,
    ],
    meetings: [
      { who: ehr, what: 'thinks of p1-1', until: [answered(crm, 'p1-3'), commitOf('journey')] },
      { who: 'gateway', what: 'insert into "person_stop"', until: [merges, commitOf('journey')] },
      { who: crm, what: 'says p1-4 ', until: [answered(ehr, 'p1-1')] },
      { who: ehr, what: 'thinks of p1-2', until: [answered(crm, 'p1-4')] },
      { who: 'journey', what: 'is handed urgent', until: [{ who: 'delivery', what: does.gives }] },
    ],
  }
}

/** Whoever applies an event has found its person, and not locked them yet, when they are merged. */
function givenUp(chance: Chance): Situation {
  const said = chance.pick([survey, survey, invitation], 'what')
  const merges = { who: 'journey', what: 'update person set merged_into' }
  return {
    drafts: [
      arrival('p1', 0),
      mergeOf('crm', 'c1'),
      { ...arrival('c1', 0), ...fromCrm },
      { ...said, ...fromCrm, by: 'kafka', ...once },
    ],
    workers: { journey: 2, scheduler: 1, delivery: 1, gateway: 1 },
    meetings: [
      { who: ehr, what: 'thinks of p1-1', until: [handed(said, 3)] },
      {
        who: 'journey',
        what: 'select "person_id", "merged_into"',
        after: [handed(said, 3)],
        until: [merges, commitOf('journey')],
        afresh: true,
      },
    ],
  }
}

/** Several consents about the same, in any order, of the same moment, by lists and by people. */
function consents(chance: Chance): Situation {
  const purpose = chance.pick(['marketing', 'service'], 'purpose')
  const channel = chance.pick(['', '', 'email', 'sms'], 'channel')
  const anything = Array.from({ length: 2 + chance.whole(3, 'consents') }, (_, index) =>
    consent(
      chance.pick(['granted', 'withdrawn'], 'state', index),
      purpose,
      chance.pick([0, 5, 5, 60], 'ago', index),
      chance.pick(['person', 'person', 'import'], 'origin', index),
      channel,
    ),
  )
  const list = [
    consent('withdrawn', purpose, 5, 'person', channel),
    consent('granted', purpose, 0, 'import', channel),
  ]
  const tie = [
    consent('withdrawn', purpose, 5, 'person', channel),
    consent('granted', purpose, 5, 'person', channel),
  ]
  const inTurn = chance.is(0.5, 'in turn') ? tie : tie.toReversed()
  const said = chance.pick([anything, inTurn, list], 'which ones')
  const applied = [{ who: 'journey', what: 'is handed touchpoints.urgent' }, commitOf('journey')]
  const known: Meeting = {
    who: ehr,
    what: `thinks of p1-${said.length + 1}`,
    until: [commitOf('journey')],
    afresh: true,
  }
  const isMarketing = said.some(({ data }) => data.purpose === 'marketing')
  return {
    drafts: [arrival('p1', 0), ...said, { ...(isMarketing ? admission : survey), ...once }],
    meetings: [
      ...(said === list || said === tie
        ? [{ who: ehr, what: 'thinks of p1-2', until: applied }]
        : []),
      ...(chance.is(0.7, 'known before') ? [known] : []),
    ],
  }
}

/** It is known when there is something to send for which somebody must have agreed. */
function oneChannel(chance: Chance): Situation {
  const channel = chance.pick(['sms', 'sms', 'sms', 'email'], 'channel')
  const agreed = consent('granted', 'marketing', 5, 'person', channel)
  const more = chance.is(0.3, 'more') ? [survey] : []
  return {
    drafts: [arrival('p1', 0), agreed, { ...admission, ...once }, ...more],
    meetings: [{ who: ehr, what: 'thinks of p1-2', until: isRead(agreed, 1) }],
    roughness: chance.pick([0, 0, 0.4], 'roughness'),
    manners: ['refuse', 'defer'],
  }
}

/** Whoever fires timers ends in the middle of it. */
function timers(chance: Chance): Situation {
  const kind = chance.pick(
    ['kill before', 'kill before', 'kill after', 'lose the answer'] as const,
    'kind',
  )
  const fired = { after: 'select business_now() as now', on: 'commit' } as const
  return {
    drafts: [
      arrival('p1', 0),
      discharge,
      ...(chance.is(0.6, 'invited') ? [{ ...invitation, ...once }, invitation] : []),
    ],
    // Invited again when that is known: nobody gets it twice.
    meetings: [{ who: ehr, what: 'thinks of p1-3', until: isRead(invitation, 2) }],
    faults: [{ slot: 'journey-1', at: 1, kind, ...fired }],
    leisure: 4,
  }
}

/** PostgreSQL has done it, and the connection is gone before it could say so. */
function lostAnswers(chance: Chance): Situation {
  const kind = 'lose the answer' as const
  const fault = (index: number): Fault => {
    const slot = chance.pick(['delivery-1', 'journey-1', 'scheduler-1', 'gateway-1'], 'slot', index)
    return { slot, at: 1 + chance.whole(60, 'at', index), on: 'commit', kind }
  }
  const after = chance.pick([does.checks, does.checks, does.settles], 'after')
  return {
    drafts: [
      arrival('p1', 0),
      survey,
      discharge,
      ...(chance.is(0.3, 'stop') ? [stopOf(chance)] : [survey]),
    ],
    faults: [
      { slot: 'delivery-1', at: 1, after, on: 'commit', kind },
      ...Array.from({ length: chance.whole(3, 'faults') }, (_, index) => fault(index)),
    ],
    leisure: 1,
  }
}

const beginsMs = Date.parse(beginnings.monday)

/** Begins so many hours after business time does. */
function booking(version: number, hours: number, type = version === 1 ? 'booked' : 'moved'): Draft {
  const startsAt = new Date(beginsMs + hours * 3_600_000).toISOString()
  return {
    type: `care.appointment.${type}.v1`,
    entity: 'appointment/a1',
    version,
    data: type === 'cancelled' ? {} : { startsAt },
  }
}

/** The journey has looked at the messages of an appointment when one of them is claimed. */
function changeMeetsClaim(chance: Chance): Situation {
  const change = chance.pick(
    [booking(2, 22), booking(2, 22), booking(2, 22), booking(2, 70), booking(2, 0, 'cancelled')],
    'change',
  )
  const locks = { who: 'delivery', what: does.locks }
  const says = { who: ehr, what: 'says p1-2 ' }
  const looks = { who: 'journey', what: 'select * from intent where intent_id' }
  const given = { who: 'delivery', what: does.gives }
  return {
    drafts: [arrival('p1', 0), { ...booking(1, 20), ...once }, { ...change, ...once }],
    meetings: [
      { ...says, until: [{ ...locks, isStanding: true }] },
      { ...locks, until: [says, looks] },
      { who: 'journey', what: 'insert into "entity"', after: [says], until: [given] },
    ],
    leisure: chance.whole(3, 'leisure'),
  }
}

/** Its publisher spreads one person over two partitions, and the one with the booking is read last. */
function movedFirst(chance: Chance): Situation {
  const change = chance.pick(
    [booking(2, 50), booking(2, 50), booking(2, 26), booking(2, 0, 'cancelled')],
    'change',
  )
  const booked = booking(1, 40)
  return {
    drafts: [
      arrival('p1', 0),
      { ...booked, by: 'http', ...once },
      { ...change, by: 'kafka', ...once },
      ...(chance.is(0.3, 'moved again') ? [booking(3, 70)] : []),
    ],
    workers: { journey: 2, scheduler: 1, delivery: 1, gateway: 1 },
    partitionsApart: true,
    meetings: [
      { who: 'journey', what: `${booked.type} p1-1`, until: isRead(change, 2) },
      // Or both would be read at once where the two partitions have one reader.
      { who: ehr, what: 'says p1-2 ', until: [{ who: 'journey', what: 'p1-1', isStanding: true }] },
    ],
    leisure: 3,
  }
}

/** Operations stop something before its messages come, and let it go on when they were looked at. */
function operationsStop(chance: Chance): Situation {
  const [scope, target] = chance.pick(
    [
      ['campaign', 'care'],
      ['channel', 'email'],
      ['template', 'care'],
      ['provider', 'smtp'],
      ['all', ''],
    ],
    'scope',
  ) as [string, string]
  return {
    drafts: [arrival('p1', 0), { ...discharge, ...once }, ...operations(scope, target)],
    meetings: [
      {
        who: ehr,
        what: 'says p1-1 ',
        until: [{ who: 'staff', what: 'insert into "operational_stop"' }],
      },
      {
        who: 'staff',
        what: 'does p1-3',
        until: [{ who: 'delivery', what: does.checks }, commitOf('delivery')],
      },
    ],
    leisure: 2,
  }
}

/** Days that have 23 or 25 hours lie between an appointment and the moment to tell of it. */
function nights(chance: Chance): Situation {
  const kind = chance.pick(['one version', 'one version', 'moves', 'by mistake'] as const, 'kind')
  if (kind === 'one version') return springNight(chance)
  const begins = chance.pick([beginnings.spring, beginnings.spring, beginnings.autumn], 'night')
  const isTold = kind === 'moves' && chance.is(0.7, 'told before')
  const startsAt = (version: number) => {
    // Of what is on the same day they are told at once, and it moves after that.
    if (isTold && version === 1) return new Date(Date.parse(begins) + 16 * 3_600_000).toISOString()
    // Mostly on the Sunday: to be told of on the Saturday.
    const day = 24 * chance.pick([1, 1, 1, 2], 'day', version)
    const hours = day + chance.pick([-8, -7, 1, 2, 5, 6], 'hour', version)
    return new Date(Date.parse(begins) + hours * 3_600_000).toISOString()
  }
  // Moved into the past by mistake, and out again.
  const byMistake = kind === 'by mistake'
  const past = new Date(Date.parse(begins) - 3_600_000).toISOString()
  const count = byMistake ? 3 : (isTold ? 2 : 1) + chance.whole(2, 'versions')
  const versions = Array.from({ length: count }, (_, index) => ({
    ...booking(index + 1, 0),
    data: { startsAt: byMistake && index === 1 ? past : startsAt(index + 1) },
  }))
  return {
    begins,
    drafts: [
      arrival('p1', 0),
      ...versions,
      ...(begins === beginnings.autumn && chance.is(0.6, 'cancelled')
        ? [booking(count + 1, 0, 'cancelled')]
        : []),
      ...(chance.is(0.5, 'discharge') ? [discharge] : []),
    ],
    meetings: isTold
      ? [{ who: ehr, what: 'says p1-2 ', until: [{ who: 'delivery', what: does.gives }] }]
      : [],
    leisure: 6,
    partitionsApart: chance.is(0.2, 'partitions apart'),
  }
}

/** Told on the Saturday, an hour early if a day had 24 hours. */
function springNight(chance: Chance): Situation {
  const hours = 24 + chance.pick([1, 2, 3, 5, 6], 'hour')
  const startsAt = new Date(Date.parse(beginnings.spring) + hours * 3_600_000).toISOString()
  return {
    begins: beginnings.spring,
    drafts: [
      arrival('p1', 0),
      { ...booking(1, 0), data: { startsAt } },
      ...(chance.is(0.5, 'discharge') ? [discharge] : []),
    ],
    leisure: 6,
  }
}

/** What the outbox hands to Kafka is refused, once or for a while. */
function brokerAway(chance: Chance): Situation {
  const on = chance.pick(['publishes', 'publishes', 'commit'], 'on')
  return {
    drafts: [
      arrival('p1', 0),
      { ...stopOf(chance), ...overHttp },
      ...(chance.is(0.5, 'more') ? [survey, consent('withdrawn', 'marketing', 0)] : []),
    ],
    faults: [{ slot: 'scheduler-1', at: 1, on, kind: 'broker away' }],
  }
}

/** A worker has its job in hand when the day goes by. */
function expiry(chance: Chance): Situation {
  const takes = { who: 'delivery', what: does.takes }
  const passes = { who: 'calendar', what: 'minutes pass' }
  return {
    drafts: [arrival('p1', 0), { ...survey, ...once }, ...(chance.is(0.3, 'more') ? [survey] : [])],
    steps: [chance.pick([719, 721, 800], 'minutes')],
    meetings: [
      { ...passes, until: [{ ...takes, isStanding: true }] },
      { ...takes, until: [passes] },
    ],
  }
}

/** The broker gives the partition of a consumer that has a batch in hand to another one. */
function overtakenConsumer(chance: Chance): Situation {
  const [slow, quick] = chance.pick(
    [
      ['journey-1', 'journey-2'],
      ['journey-2', 'journey-1'],
    ],
    'slow',
  ) as [string, string]
  const isHanded = 'is handed touchpoints '
  return {
    drafts: [arrival('p1', 0), survey, discharge, { ...arrival('p2', 0), subject: 'p2' }, survey],
    workers: { journey: 2, scheduler: 1, delivery: 1, gateway: 1 },
    faults: [{ slot: slow, at: 1, on: isHanded, kind: 'expel' }],
    meetings: [
      {
        who: slow,
        what: 'select next_offset',
        after: [{ who: slow, what: isHanded }],
        until: [
          { who: quick, what: isHanded },
          { who: quick, what: 'commit' },
        ],
        afresh: true,
      },
    ],
  }
}

/** Much is sent, and of much of it providers say one thing and then another. */
function receipts(chance: Chance): Situation {
  const more = Array.from({ length: 2 + chance.whole(3, 'more') }, () => survey)
  return { drafts: [arrival('p1', 0), discharge, ...more], leisure: 1 }
}

/** Providers do not say whether they have it, of messages of every class. */
function unknown(chance: Chance): Situation {
  return {
    drafts: [arrival('p1', 0), survey, discharge, ...(chance.is(0.5, 'more') ? [survey] : [])],
    roughness: 0.6,
    manners: ['cut before', 'cut after', 'hang', 'hang', 'take and hang'],
    folds: chance.is(0.6, 'folds'),
    workers: { journey: 1, scheduler: 1, delivery: 1 + chance.whole(2, 'workers'), gateway: 1 },
    leisure: 2,
  }
}

/** The further id is linked before, while or after its owner speaks for the first time. */
function identified(chance: Chance): Situation {
  const linked = { type: 'person.identified.v1', data: { idSpace: 'crm', externalId: 'c1' } }
  const until = isRead(linked, 1)
  const isKnown = chance.is(0.9, 'known before')
  return {
    drafts: [
      arrival('p1', 0),
      { ...linked, by: 'kafka', ...once },
      { ...arrival('c1', 0), ...fromCrm },
      { ...stopOf(chance), ...fromCrm },
      ...(chance.is(0.5, 'survey') ? [{ ...survey, ...fromCrm }] : []),
      { ...survey, ...once },
    ],
    meetings: isKnown ? [{ who: crm, what: 'thinks of p1-2', until }] : [],
  }
}
