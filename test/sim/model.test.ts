import { expect, test } from 'vitest'
import { sameTimeOn } from './src/dutch-days.ts'
import type { Answer, EndedMessage, Ending, Entry, Happened, Told } from './src/history.ts'
import { judge } from './src/model.ts'

/** A history written by hand: what happened, in order; business time goes on as it is told. */
function history(...happened: readonly Happened[]): Entry[] {
  let now = '2026-03-02T09:00:00.000Z'
  return happened.map((each, at) => {
    if (each.kind === 'business') now = each.instant
    return { ...each, at, ms: at, now }
  })
}

const key = (id: string) => `urn:test:ehr ${id} p1`

function told(id: string, type: string, more: Partial<Told> = {}): Told {
  const data = { ref: id, ...more.data }
  const time = '2026-03-02T09:00:00.000Z'
  return { key: key(id), publisher: 'urn:test:ehr', subject: 'p1', id, type, time, ...more, data }
}

/** Said on Kafka, kept and read. */
function heard(event: Told): Happened[] {
  return [
    { kind: 'said', event, by: 'kafka' },
    { kind: 'kept', event: event.key, by: 'kafka' },
    { kind: 'read', event: event.key },
  ]
}

const arrival = told('e0', 'person.upserted.v1', {
  data: { contacts: { email: 'p1@example.org' } },
})
const survey = told('e1', 'care.survey.answered.v1')
const discharge = told('e1', 'care.discharge.completed.v1')

type Sending = {
  text: string
  call: number
  taken?: boolean
  answer?: Answer | null
  marked?: boolean
  to?: string
  begun?: { key: string; ms: number }
}

const given = ({
  text,
  call,
  marked = false,
  to = 'p1@example.org',
  begun,
}: Sending): Happened => ({
  kind: 'given',
  call,
  worker: 'delivery-1 1',
  intent: text,
  channel: 'email',
  to,
  text,
  marked,
  key: begun?.key ?? text,
  begunMs: begun?.ms ?? 0,
  expiresAt: '2026-03-09T09:00:00.000Z',
})

const claimed = (text: string, begun: number): Happened => ({
  kind: 'claimed',
  worker: 'delivery-1 1',
  intent: text,
  begun,
})

function sent(sending: Sending): Happened[] {
  const { call, taken = true, answer = 'accepted' } = sending
  return [
    given(sending),
    ...(taken ? [{ kind: 'taken', call } as const] : []),
    ...(answer ? [{ kind: 'answered', call, answer } as const] : []),
  ]
}

const ended = (
  campaign: string,
  state: string,
  more: Partial<EndedMessage> = {},
): EndedMessage => ({
  intent: `${campaign} e1`,
  person: 'P',
  recipient: null,
  campaign,
  state,
  reason: null,
  channel: 'email',
  event: key('e1'),
  version: null,
  ...more,
})

const ending = (more: Partial<Ending> = {}): Ending => ({
  messages: [],
  decisions: [],
  consents: [],
  entities: [],
  people: [{ person: 'P', identities: ['ehr/p1'], email: 'p1@example.org', deceased: false }],
  deadLetters: [],
  inbox: [],
  miscounted: [],
  ledger: [],
  events: [key('e0'), key('e1')],
  ...more,
})

const kinds = (entries: readonly Entry[], end: Ending) => [
  ...new Set(judge(entries, end).map(({ kind }) => kind)),
]

const begin = [...heard(arrival), ...heard(survey)]
const sentOnce = ending({ messages: [ended('service', 'sent')] })

test('finds nothing wrong with a message that was sent once', () => {
  const entries = history(...begin, ...sent({ text: 'service e1', call: 1 }))
  expect(judge(entries, sentOnce)).toEqual([])
})

test('finds a message that was lost, before and after it was planned', () => {
  expect(kinds(history(...begin), ending())).toEqual(['lost'])
  expect(kinds(history(...begin), sentOnce)).toEqual(['lost'])
  const waiting = ending({ messages: [ended('service', 'queued')] })
  expect(kinds(history(...begin), waiting)).toEqual(['lost'])
})

test('finds a message that is no bounce for a bounce, but not for one over a channel that it has left', () => {
  const event = 'receipt b1'
  const bounce = {
    event,
    status: 'bounced',
    call: 1,
    channel: 'email',
    text: 'service e1',
  } as const
  const entries = history(
    ...begin,
    ...sent({ text: 'service e1', call: 1 }),
    { kind: 'reported', ...bounce },
    { kind: 'kept', event, by: 'http' },
    { kind: 'read', event },
  )
  const end = (state: string, channel: string) =>
    ending({
      messages: [ended('service', state, { channel })],
      events: [key('e0'), key('e1'), event],
    })
  expect(kinds(entries, end('bounced', 'email'))).toEqual([])
  expect(kinds(entries, end('sent', 'sms'))).toEqual([])
  expect(kinds(entries, end('sent', 'email'))).toEqual(['unexplained'])
  expect(kinds(entries, end('bounced', 'sms'))).toEqual(['unexplained'])
})

test('finds an event that was kept and never applied, or applied twice', () => {
  const entries = history(...begin, ...sent({ text: 'service e1', call: 1 }))
  expect(kinds(entries, { ...sentOnce, events: [key('e1')] })).toEqual(['lost'])
  expect(kinds(entries, { ...sentOnce, events: [key('e0'), key('e1'), key('e1')] })).toEqual([
    'doubled',
  ])
})

test('finds a message that was taken twice without a mark', () => {
  const twice = [...sent({ text: 'service e1', call: 1 }), ...sent({ text: 'service e1', call: 2 })]
  expect(kinds(history(...begin, ...twice), sentOnce)).toEqual(['doubled'])
})

test('finds a message that was given again without a mark, also to who folds repeats', () => {
  const given = (call: number, more: Partial<Sending>) =>
    sent({ text: 'service e1', call, ...more }).map((each) =>
      each.kind === 'given' ? { ...each, folds: true } : each,
    )
  for (const answer of ['accepted', 'unknown', null] as const) {
    const first = given(1, { answer })
    // Taken for what it is: nobody gets it twice.
    const again = given(2, { taken: false })
    expect(kinds(history(...begin, ...first, ...again), sentOnce)).toEqual(['doubled'])
  }
  const deferred = given(1, { answer: 'deferred', taken: false })
  expect(judge(history(...begin, ...deferred, ...given(2, {})), sentOnce)).toEqual([])
  // Nor where nothing came through the first time, which nobody could know.
  const lost = sent({ text: 'service e1', call: 1, answer: 'unknown', taken: false })
  const once = sent({ text: 'service e1', call: 2 })
  expect(kinds(history(...begin, ...lost, ...once), sentOnce)).toEqual(['doubled'])
})

test('takes one marked repeat for right when nobody knew, and only where it is allowed', () => {
  const open = sent({ text: 'service e1', call: 1, answer: null })
  const again = (call: number) => sent({ text: 'service e1', call, marked: true })
  expect(judge(history(...begin, ...open, ...again(2)), sentOnce)).toEqual([])
  expect(kinds(history(...begin, ...open, ...again(2), ...again(3)), sentOnce)).toEqual(['doubled'])
  const definite = sent({ text: 'service e1', call: 1, taken: false, answer: 'deferred' })
  expect(kinds(history(...begin, ...definite, ...again(2)), sentOnce)).toEqual([
    'marked for nothing',
  ])
  const care = [
    ...sent({ text: 'care e1', call: 1, answer: null }),
    ...sent({ text: 'care e1', call: 2, marked: true }),
  ]
  const end = ending({
    messages: [ended('care', 'sent')],
    decisions: [{ event: key('e1'), campaign: 'follow-up', reason: 'exit_touchpoint' }],
  })
  const exit = told('e2', 'care.admission.started.v1')
  const entries = history(
    ...heard(arrival),
    ...heard(discharge),
    { kind: 'said', event: exit, by: 'kafka' },
    ...care,
  )
  expect(kinds(entries, end)).toEqual(['doubled'])
})

test('finds a message whose claim began after a stop was answered, and lets the window be', () => {
  const stop = told('e2', 'person.deceased.v1')
  const answered: Happened[] = [
    { kind: 'said', event: stop, by: 'http' },
    { kind: 'kept', event: stop.key, by: 'http' },
    { kind: 'read', event: stop.key },
  ]
  const end: Ending = {
    ...sentOnce,
    events: [key('e0'), key('e1'), key('e2')],
    people: [{ person: 'P', identities: ['ehr/p1'], email: 'p1@example.org', deceased: true }],
  }
  const send = sent({ text: 'service e1', call: 1 })
  const after = [...begin, ...answered]
  expect(kinds(history(...after, claimed('service e1', after.length), ...send), end)).toEqual([
    'sent after a stop',
  ])
  expect(
    judge(history(...begin, claimed('service e1', begin.length), ...answered, ...send), end),
  ).toEqual([])
})

test('finds an offer that nobody agreed to', () => {
  const admission = told('e1', 'care.admission.started.v1')
  const entries = history(
    ...heard(arrival),
    ...heard(admission),
    ...sent({ text: 'offer e1', call: 1 }),
  )
  expect(kinds(entries, ending({ messages: [ended('offer', 'sent')] }))).toEqual([
    'sent without consent',
  ])
})

const entity = 'appointment/1'
const startsAt = '2026-03-05T09:00:00.000Z'
const booked = told('e1', 'care.appointment.booked.v1', { entity, version: 1, data: { startsAt } })
const cancelled = told('e2', 'care.appointment.cancelled.v1', { entity, version: 2 })
const reminder = sent({ text: `reminder e1 ${startsAt}`, call: 1 })
const dayBefore: Happened = { kind: 'business', instant: '2026-03-04T09:00:00.000Z' }

test('finds a reminder that comes too early, too late, or for what is cancelled', () => {
  const reminded = ended('reminder', 'sent', { version: 1 })
  const end = ending({
    messages: [reminded],
    entities: [{ person: 'P', entity, version: 1, state: 'active' }],
  })
  const appointment = [...heard(arrival), ...heard(booked)]
  expect(judge(history(...appointment, dayBefore, ...reminder), end)).toEqual([])
  expect(kinds(history(...appointment, ...reminder), end)).toEqual(['sent early'])
  const begun: Happened = { kind: 'business', instant: startsAt }
  expect(kinds(history(...appointment, begun, ...reminder), end)).toEqual(['sent late'])
  const withdrawn: Ending = {
    ...end,
    events: [key('e0'), key('e1'), key('e2')],
    entities: [{ person: 'P', entity, version: 2, state: 'withdrawn' }],
  }
  const late = history(...appointment, ...heard(cancelled), dayBefore, ...reminder)
  expect(kinds(late, withdrawn)).toEqual(['sent for an old appointment'])
  expect(kinds(late.slice(0, -2), { ...withdrawn, entities: end.entities })).toContain(
    'wrong record',
  )
})

test('finds an address that its publisher had changed before', () => {
  const moved = told('e2', 'person.upserted.v1', {
    data: { contacts: { email: 'new@example.org' } },
  })
  const entries = history(
    ...heard(arrival),
    ...heard(moved),
    ...heard(survey),
    ...sent({ text: 'service e1', call: 1 }),
  )
  const end = { ...sentOnce, events: [key('e0'), key('e1'), key('e2')] }
  expect(kinds(entries, end)).toEqual(['out of order'])
})

test('finds reasons that nothing bears out, and records that say less than providers know', () => {
  const skipped = (reason: string) =>
    ending({ messages: [ended('service', 'skipped', { reason })] })
  expect(kinds(history(...begin), skipped('consent_withdrawn'))).toEqual(['unexplained'])
  const entries = history(...begin, ...sent({ text: 'service e1', call: 1 }))
  expect(kinds(entries, skipped('person_deceased'))).toEqual(['wrong record'])
  const held = ending({ messages: [ended('service', 'held')] })
  expect(kinds(entries, held)).toEqual(['unexplained'])
  expect(kinds(entries, { ...sentOnce, ledger: ['a rule'] })).toEqual(['ledger'])
})

test('finds a consent that is freer than what was said', () => {
  const yes = told('e2', 'consent.granted.v1', {
    data: { purpose: 'marketing' },
    time: '2026-03-02T08:00:00.000Z',
  })
  const no = told('e3', 'consent.withdrawn.v1', {
    data: { purpose: 'marketing' },
    time: '2026-03-02T08:00:00.000Z',
  })
  const entries = history(
    ...begin,
    ...heard(no),
    ...heard(yes),
    ...sent({ text: 'service e1', call: 1 }),
  )
  const row = { person: 'P', purpose: 'marketing', channel: '', origin: 'person', at: yes.time }
  const end = { ...sentOnce, events: ['e0', 'e1', 'e2', 'e3'].map(key) }
  expect(judge(entries, { ...end, consents: [{ ...row, state: 'withdrawn' }] })).toEqual([])
  expect(kinds(entries, { ...end, consents: [{ ...row, state: 'granted' }] })).toEqual([
    'wrong record',
  ])
})

test('finds what was begun after its claim, another key, and jobs that are not kept yet', () => {
  const text = 'service e1'
  const claim = claimed(text, begin.length)
  const late = { key: text, ms: 60_000 }
  expect(
    kinds(history(...begin, claim, ...sent({ text, call: 1, begun: late })), sentOnce),
  ).toEqual(['given too late'])
  const first = sent({ text, call: 1, answer: null })
  const other = sent({ text, call: 2, marked: true, begun: { key: 'another', ms: 0 } })
  expect(kinds(history(...begin, ...first, ...other), sentOnce)).toEqual(['another key'])
  const added: Happened = { kind: 'added', job: 'j', kept: false }
  expect(kinds(history(...begin, added, ...sent({ text, call: 1 })), sentOnce)).toEqual([
    'not kept yet',
  ])
})

test('finds records that were not counted once', () => {
  const entries = history(...begin, ...sent({ text: 'service e1', call: 1 }))
  expect(kinds(entries, { ...sentOnce, miscounted: ['touchpoints/0'] })).toEqual(['ledger'])
})

test('finds what an exit ended, when one publisher said the one after the other', () => {
  const exit = told('e2', 'care.admission.started.v1')
  const begun = [...heard(arrival), ...heard(discharge)]
  const end = ending({
    messages: [ended('care', 'sent'), ended('follow-up', 'sent')],
    events: ['e0', 'e1', 'e2'].map(key),
    decisions: [{ event: key('e2'), campaign: 'offer', reason: 'exit_touchpoint' }],
  })
  const later: Happened = { kind: 'business', instant: '2026-03-02T12:00:00.000Z' }
  const sends = [
    ...sent({ text: 'care e1', call: 1 }),
    later,
    ...sent({ text: 'follow-up e1', call: 2 }),
  ]
  expect(kinds(history(...begun, ...heard(exit), ...sends), end)).toContain('sent after a stop')
  const apart: Happened[] = [
    { kind: 'said', event: exit, by: 'kafka', isApart: true },
    { kind: 'kept', event: exit.key, by: 'kafka' },
    { kind: 'read', event: exit.key },
  ]
  // Kept, and not read yet, when the other one came in by another way.
  const unread = begun.slice(0, -1)
  const entries = history(...unread, ...apart, { kind: 'read', event: discharge.key }, ...sends)
  expect(kinds(entries, end)).not.toContain('sent after a stop')
})

/** Two records of one person, each invited: by the hospital and by the customer system. */
const invited = (id: string, subject: string, publisher: string) =>
  told(id, 'care.survey.invited.v1', { subject, publisher, key: `${publisher} ${id} ${subject}` })
const [one, other] = [invited('e1', 'p1', 'urn:test:ehr'), invited('e2', 'c1', 'urn:test:crm')]
const merge = told('e3', 'person.merged.v1', { data: { idSpace: 'crm', externalId: 'c1' } })
const known = told('e4', 'person.upserted.v1', {
  publisher: 'urn:test:crm',
  subject: 'c1',
  key: 'urn:test:crm e4 c1',
  data: { contacts: { email: 'p1@example.org' } },
})
const hoursLater: Happened = { kind: 'business', instant: '2026-03-02T14:00:00.000Z' }
const joined = (campaign: string, event: string) =>
  ended(campaign, 'cancelled', { event, reason: 'merged_duplicate' })
const endOfBoth = (messages: readonly EndedMessage[], more: readonly Told[] = []) =>
  ending({
    messages,
    people: [
      { person: 'P', identities: ['ehr/p1', 'crm/c1'], email: 'p1@example.org', deceased: false },
    ],
    events: [arrival, known, one, other, merge, ...more].map((event) => event.key),
  })

test('finds what one person got twice under two names', () => {
  const first = sent({ text: 'welcome e1', call: 1 })
  const second = sent({ text: 'welcome e2', call: 2 })
  const guide = sent({ text: 'guide e1', call: 3 })
  const begun = [...[arrival, known, one, other].flatMap(heard), hoursLater, ...guide]
  const end = endOfBoth([
    ended('welcome', 'sent', { event: one.key }),
    ended('welcome', 'sent', { event: other.key }),
    ended('guide', 'sent', { event: one.key }),
    joined('guide', other.key),
  ])
  expect(kinds(history(...begun, ...heard(merge), ...first, ...second), end)).toEqual(['doubled'])
  expect(judge(history(...begun, ...first, ...second, ...heard(merge)), end)).toEqual([])
  // What one record had been told before both were one counts for the other.
  const claim = claimed('welcome e2', begun.length + first.length + heard(merge).length)
  const between = history(...begun, ...first, ...heard(merge), claim, ...second)
  expect(kinds(between, end)).toEqual(['doubled'])
})

test('finds what stood down for the other record of its person, and nobody told', () => {
  const begun = [...[arrival, known, one, other, merge].flatMap(heard), hoursLater]
  const guide = sent({ text: 'guide e1', call: 1 })
  const told = ended('guide', 'sent', { event: one.key })
  const both = [joined('welcome', one.key), joined('welcome', other.key)]
  const end = endOfBoth([told, joined('guide', other.key), ...both])
  expect(kinds(history(...begun, ...guide), end)).toEqual(['lost'])
  const welcome = sent({ text: 'welcome e1', call: 2 })
  const right = endOfBoth([
    told,
    joined('guide', other.key),
    ended('welcome', 'sent', { event: one.key }),
    joined('welcome', other.key),
  ])
  expect(judge(history(...begun, ...guide, ...welcome), right)).toEqual([])
})

test('takes what stood down for right when one of both may have been told', () => {
  const begun = [...[arrival, known, one, other].flatMap(heard), hoursLater]
  const unknown = sent({ text: 'welcome e1', call: 1, answer: 'unknown' })
  const deferred = sent({ text: 'welcome e2', call: 2, taken: false, answer: 'deferred' })
  const guide = sent({ text: 'guide e1', call: 3 })
  const end = endOfBoth([
    ended('guide', 'sent', { event: one.key }),
    joined('guide', other.key),
    joined('welcome', one.key),
    joined('welcome', other.key),
  ])
  const rest = [...deferred, ...guide, ...heard(merge)]
  expect(judge(history(...begun, ...unknown, ...rest), end)).toEqual([])
  const refused = sent({ text: 'welcome e1', call: 1, taken: false, answer: 'deferred' })
  expect(kinds(history(...begun, ...refused, ...rest), end)).toEqual(['lost'])
})

test('finds who was told again when both records were with a worker as they became one', () => {
  const begun = [...[arrival, known, one, other].flatMap(heard), hoursLater]
  const deferred = sent({ text: 'welcome e1', call: 1, taken: false, answer: 'deferred' })
  const told = sent({ text: 'welcome e2', call: 2 })
  const guide = sent({ text: 'guide e1', call: 3 })
  const end = endOfBoth([
    ended('guide', 'sent', { event: one.key }),
    joined('guide', other.key),
    ended('welcome', 'sent', { event: one.key }),
    ended('welcome', 'sent', { event: other.key }),
  ])
  const before = [...begun, ...deferred, given({ text: 'welcome e2', call: 2 }), ...heard(merge)]
  const rest = [...told.slice(1), ...guide, ...sent({ text: 'welcome e1', call: 4 })]
  expect(kinds(history(...before, ...rest), end)).toEqual(['doubled'])
})

test('counts a consent of the other record from when both are one', () => {
  const agreed = told('e6', 'consent.granted.v1', {
    publisher: 'urn:test:crm',
    subject: 'c1',
    key: 'urn:test:crm e6 c1',
    data: { purpose: 'marketing' },
  })
  const stay = told('e1', 'care.admission.started.v1')
  const missing = ended('offer', 'skipped', { event: stay.key, reason: 'consent_missing' })
  const all = [arrival, known, agreed, stay, merge]
  const end = { ...endOfBoth([missing]), events: all.map((event) => event.key) }
  const before = [arrival, known, agreed].flatMap(heard)
  expect(judge(history(...before, ...heard(stay), ...heard(merge)), end)).toEqual([])
  expect(kinds(history(...before, ...heard(merge), ...heard(stay)), end)).toEqual(['unexplained'])
})

test('takes either address for right from when a merge may have been read', () => {
  const profile = { ...known, data: { contacts: { email: 'c1@example.org' } } }
  const asked = told('e5', 'care.survey.answered.v1', {
    publisher: 'urn:test:crm',
    subject: 'c1',
    key: 'urn:test:crm e5 c1',
  })
  const end = {
    ...endOfBoth([ended('service', 'sent', { event: asked.key })]),
    events: [arrival, profile, asked, merge].map((event) => event.key),
  }
  const begun = [arrival, profile, asked].flatMap(heard)
  const call = sent({ text: 'service e5', call: 1, to: 'p1@example.org' })
  const [said, ...read] = heard(merge)
  if (!said) throw new RangeError('nobody said it')
  // Who read it was stopped before it could say so; another one says it later.
  expect(judge(history(...begun, said, ...call, ...read), end)).toEqual([])
  expect(kinds(history(...begun, ...call, said, ...read), end)).toEqual(['out of order'])
})

test('takes another stay of the same person for another one', () => {
  const stay = told('e5', 'care.admission.started.v1')
  const guide = sent({ text: 'guide e1', call: 1 })
  const welcome = sent({ text: 'welcome e1', call: 2 })
  const begun = [...[arrival, known, one].flatMap(heard), hoursLater, ...guide, ...welcome]
  const after = [...heard(stay), ...heard(other), ...heard(merge)]
  const offer = ended('offer', 'skipped', { event: stay.key, reason: 'consent_missing' })
  const end = (guideOfOther: EndedMessage) =>
    endOfBoth(
      [
        ended('guide', 'sent', { event: one.key }),
        guideOfOther,
        ended('welcome', 'sent', { event: one.key }),
        joined('welcome', other.key),
        offer,
      ],
      [stay],
    )
  const withdrawn = end(joined('guide', other.key))
  expect(kinds(history(...begun, ...after), withdrawn)).toEqual(['lost'])
  const later: Happened = { kind: 'business', instant: '2026-03-02T19:00:00.000Z' }
  const again = sent({ text: 'guide e2', call: 3 })
  const sentAgain = end(ended('guide', 'sent', { event: other.key }))
  expect(judge(history(...begun, ...after, later, ...again), sentAgain)).toEqual([])
})

test('finds an id that was said to be somebody else’s', () => {
  const link = told('e2', 'person.identified.v1', { data: { idSpace: 'crm', externalId: 'c1' } })
  const speaks = told('e3', 'person.upserted.v1', {
    publisher: 'urn:test:crm',
    subject: 'c1',
    key: 'urn:test:crm e3 c1',
    data: { contacts: { email: 'c1@example.org' } },
  })
  const person = { person: 'P', email: 'c1@example.org', deceased: false }
  const end = (people: Ending['people']) =>
    ending({ people, events: [key('e0'), key('e2'), speaks.key] })
  const one = end([{ ...person, identities: ['ehr/p1', 'crm/c1'] }])
  const two = end([
    { ...person, identities: ['ehr/p1'], email: 'p1@example.org' },
    { ...person, person: 'Q', identities: ['crm/c1'] },
  ])
  const linked = history(...[arrival, link, speaks].flatMap(heard))
  expect(judge(linked, one)).toEqual([])
  expect(kinds(linked, two)).toEqual(['wrong record'])
  const known = history(...[arrival, speaks, link].flatMap(heard))
  expect(judge(known, two)).toEqual([])
  expect(kinds(known, one)).toEqual(['wrong record'])
})

test('finds a lost claim only where somebody was stopped', () => {
  const claim = claimed('service e1', begin.length)
  const late: Happened = { kind: 'business', instant: '2026-03-02T09:01:00.000Z' }
  const entries = history(...begin, claim, late).map((entry, at) => ({
    ...entry,
    ms: at > begin.length ? 60_000 : at,
  }))
  const held = ending({ messages: [ended('service', 'held', { intent: 'service e1' })] })
  expect(kinds(entries, held)).toEqual(['unexplained'])
  const stopped = history({ kind: 'disturbed' }).concat(entries)
  expect(judge(stopped, held)).toEqual([])
})

test('finds what was begun when its worker had written down what came of it', () => {
  const text = 'service e1'
  const settled: Happened = { kind: 'settled', worker: 'delivery-1 1', intent: text }
  const twice = (...between: Happened[]) => {
    const first = [
      ...begin,
      claimed(text, begin.length),
      ...sent({ text, call: 1, taken: false, answer: 'deferred' }),
    ]
    return history(...first, ...between, ...sent({ text, call: 2 }))
  }
  expect(kinds(twice(settled), sentOnce)).toEqual(['given too late'])
  expect(judge(twice(settled, claimed(text, begin.length + 2)), sentOnce)).toEqual([])
})

test('lets lie aside for a while only what is said of somebody whose record is damaged', () => {
  const aside = { ...sentOnce, deadLetters: ['apply_failed e1'] }
  const told1 = [
    ...begin,
    claimed('service e1', begin.length),
    ...sent({ text: 'service e1', call: 1 }),
  ]
  expect(kinds(history(...told1), aside)).toEqual(['lost'])
  const damaged = told('e2', 'staff.record.damaged', { publisher: 'staff', key: 'staff e2 p1' })
  const said: Happened = { kind: 'said', event: damaged, by: 'http' }
  expect(judge(history(said, ...told1), aside)).toEqual([])
  expect(kinds(history(said, ...told1), { ...aside, events: [key('e0')] })).toContain('lost')
})

test('takes no claim for lost of which its worker wrote down in time what came of it', () => {
  const text = 'service e1'
  const claim = claimed(text, begin.length)
  const settled: Happened = { kind: 'settled', worker: 'delivery-1 1', intent: text }
  const gone: Happened = { kind: 'disturbed', worker: 'delivery-1 1' }
  const end = (state: string, reason: string | null = null) =>
    ending({ messages: [ended('service', state, { intent: text, reason })] })
  /** Everything from the business time on is a minute after the claim. */
  const disturbed = (...happened: Happened[]) => {
    const later: Happened = { kind: 'business', instant: '2026-03-02T09:01:00.000Z' }
    const entries = history(gone, ...begin, claim, ...happened, later)
    return entries.map((entry, at) => ({ ...entry, ms: at < entries.length - 1 ? at : 60_000 }))
  }
  const deferred = sent({ text, call: 1, taken: false, answer: 'deferred' })
  expect(judge(disturbed(...deferred), end('held'))).toEqual([])
  expect(kinds(disturbed(...deferred, settled), end('held'))).toEqual(['unexplained'])
  const accepted = sent({ text, call: 1 })
  const stopped = end('skipped', 'person_stopped')
  const stop = told('e2', 'staff.person.stopped', { publisher: 'staff', key: 'staff e2 p1' })
  const said: Happened = { kind: 'said', event: stop, by: 'http' }
  expect(judge(disturbed(...accepted, said), stopped)).toEqual([])
  expect(kinds(disturbed(...accepted, settled, said), stopped)).toEqual(['wrong record'])
  const repeated = (...between: Happened[]) => {
    const [first, last] = [
      disturbed(...deferred, ...between),
      sent({ text, call: 2, marked: true }),
    ]
    const again = history(...first, claimed(text, first.length), ...last)
    return again.map((entry, at) => ({ ...entry, ms: at < first.length - 1 ? at : 60_000 }))
  }
  expect(judge(repeated(), sentOnce)).toEqual([])
  expect(kinds(repeated(settled), sentOnce)).toEqual(['marked for nothing'])
})

test('finds what was told again of an appointment though the version before was surely told', () => {
  const appointment = (version: number, id: string, type: string) =>
    told(id, type, { entity, version, data: { startsAt } })
  const moved = appointment(2, 'e2', 'care.appointment.moved.v1')
  const [first, again] = [`reminder e1 ${startsAt}`, `reminder e2 ${startsAt}`]
  const end = ending({
    messages: [1, 2].map((version) =>
      ended('reminder', 'sent', { intent: version === 1 ? first : again, version }),
    ),
    entities: [{ person: 'P', entity, version: 2, state: 'active' }],
    events: ['e0', 'e1', 'e2'].map(key),
  })
  const before: Happened[] = [...heard(arrival), ...heard(booked), dayBefore, { kind: 'disturbed' }]
  const told1 = [claimed(first, before.length), ...sent({ text: first, call: 1 })]
  const told2 = [...heard(moved), ...sent({ text: again, call: 2 })]
  // Who was told the answer may have been stopped before it had written it down.
  expect(judge(history(...before, ...told1, ...told2), end)).toEqual([])
  const settled: Happened = { kind: 'settled', worker: 'delivery-1 1', intent: first }
  expect(kinds(history(...before, ...told1, settled, ...told2), end)).toEqual(['doubled'])
})

test('lets a provider that folds repeats be asked again, and holds nothing back there', () => {
  const given = (call: number, more: Partial<Sending>) =>
    sent({ text: 'service e1', call, ...more }).map((each) =>
      each.kind === 'given' ? { ...each, folds: true } : each,
    )
  const open = given(1, { answer: 'unknown' })
  const again = given(2, { marked: true, taken: false })
  expect(judge(history(...begin, ...open, ...again), sentOnce)).toEqual([])
  const twice = given(2, { marked: true })
  expect(kinds(history(...begin, ...open, ...twice), sentOnce)).toEqual(['doubled'])
  const held = ending({ messages: [ended('service', 'held')] })
  expect(kinds(history(...begin, ...open), held)).toEqual(['unexplained'])
})

test('finds what is held though its provider said that it has it, to whoever lived to write it down', () => {
  const open = sent({ text: 'service e1', call: 1, answer: 'unknown', taken: false })
  const again = sent({ text: 'service e1', call: 2, marked: true })
  const held = ending({ messages: [ended('service', 'held')] })
  expect(kinds(history(...begin, ...open, ...again), held)).toEqual(['wrong record'])
  const gone: Happened = { kind: 'disturbed', worker: 'delivery-1 1' }
  expect(judge(history(...begin, ...open, ...again, gone), held)).toEqual([])
})

test('lets who folds repeats get the first as one of them', () => {
  const given = (call: number, more: Partial<Sending>, channel = 'email') =>
    sent({ text: 'service e1', call, ...more }).map((each) =>
      each.kind === 'given' ? { ...each, folds: true, channel } : each,
    )
  const lost = given(1, { answer: 'unknown', taken: false })
  const email = given(2, { answer: 'unknown', marked: true })
  const sms = given(3, { marked: true }, 'sms')
  expect(judge(history(...begin, ...lost, ...email, ...sms), sentOnce)).toEqual([])
  const first = given(1, { answer: 'unknown' })
  expect(kinds(history(...begin, ...first, ...email, ...sms), sentOnce)).toEqual(['doubled'])
})

test('knows the days that have 23 or 25 hours', () => {
  const at = (text: string) => Date.parse(text)
  const same = (text: string) => ({ earliest: at(text), latest: at(text) })
  expect(sameTimeOn(at('2026-03-29T08:00:00Z'), -1)).toEqual(same('2026-03-28T09:00:00Z'))
  expect(sameTimeOn(at('2026-10-25T09:00:00Z'), -1)).toEqual(same('2026-10-24T08:00:00Z'))
  // Half past two: it comes twice in autumn, and not at all in spring.
  expect(sameTimeOn(at('2026-10-26T01:30:00Z'), -1)).toEqual({
    earliest: at('2026-10-25T00:30:00Z'),
    latest: at('2026-10-25T01:30:00Z'),
  })
  expect(sameTimeOn(at('2026-03-30T00:30:00Z'), -1)).toEqual({
    earliest: at('2026-03-29T00:30:00Z'),
    latest: at('2026-03-29T01:30:00Z'),
  })
})
