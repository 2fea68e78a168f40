import { mergePeople } from '@wegwijs/campaign/merge'
import { type Enrolment, entityKey, type IntentState, isPending } from '@wegwijs/campaign/state'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const anyDay = 'any-day' as const
const steps = [message('hello'), { wait: { for: 'PT3H', on: anyDay } }, message('later')]
const trigger = { touchpoint: 'care.survey.answered.v1' } as const
const definition = definitionOf([
  campaign({ id: 'welcome', entry: 'once', trigger, steps }),
  campaign({ id: 'aftercare', entry: 'once-per-journey', steps }),
  campaign({
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      message('hello', {
        send: { until: 'entity.startsAt', offset: '-PT4H', on: anyDay },
        until: 'entity.startsAt',
      }),
    ],
  }),
  campaign({
    id: 'confirmation',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [message('hello', { until: 'entity.startsAt' }), message('later')],
  }),
  campaign({ id: 'thanks', entry: 'every-time', trigger }),
])

const at = (hours: number) => new Date(Date.UTC(2026, 2, 2, 9) + hours * 3_600_000).toISOString()

type Patient = ReturnType<typeof person>

const two = () => [person(definition), person(definition, undefined, 'p2')] as const
const survey = 'care.survey.answered.v1'
const discharge = 'care.discharge.completed.v1'
const admission = 'care.admission.started.v1'

function appointment(version: number, startsAt: number) {
  return {
    entity: { type: 'appointment', id: 'A-1', version },
    data: { startsAt: at(startsAt) },
  }
}

/** What becomes of the message of that campaign which was planned last. */
function comesOut(patient: Patient, campaignId: string, state: IntentState): void {
  const own = patient.intents().filter((intent) => intent.campaignId === campaignId)
  patient.message(own.at(-1)?.intentId ?? 'none', { state })
}

/** `into` is the one that both are from here on. */
function merge(into: Patient, from: Patient): Patient {
  into.state = mergePeople(into.state, from.state, into.context()).state
  return into
}

/** Such as `p2 hello cancelled`, in order. */
function messagesOf(patient: Patient, campaignId: string): string[] {
  return patient
    .intents()
    .filter((intent) => intent.campaignId === campaignId)
    .map((intent) => `${subjectOf(intent)} ${intent.messageId} ${intent.state}`)
    .sort()
}

function pendingOf(patient: Patient, campaignId: string) {
  return patient.intents().filter((each) => each.campaignId === campaignId && isPending(each))
}

/** As `messagesOf`, what tells of the newest version of the appointment and may go out, or did. */
function newest(patient: Patient, campaignId: string): string[] {
  const version = patient.state.entities.get('appointment/A-1')?.version
  return patient
    .intents()
    .filter((intent) => intent.campaignId === campaignId && intent.entity?.version === version)
    .filter(({ state }) => state !== 'cancelled')
    .map((intent) => `${subjectOf(intent)} ${intent.messageId} ${intent.state}`)
}

function subjectOf({ enrolmentId }: { enrolmentId: string }): string {
  return enrolmentId.split('|')[2] ?? ''
}

describe('what may not repeat', () => {
  test.each(['sending', 'sent', 'delivered', 'bounced', 'held'] as const)(
    'is not told again by the record that stays when the other has it %s (P2)',
    (state) => {
      const [into, from] = two()
      from.happens(survey)
      comesOut(from, 'welcome', state)
      into.happens(survey)
      merge(into, from)
      expect(messagesOf(into, 'welcome')).toEqual(['p1 hello cancelled', `p2 hello ${state}`])
      // The run that told it tells the rest.
      into.comes(at(4))
      expect(messagesOf(into, 'welcome')).toContain('p2 later planned')
      expect(messagesOf(into, 'welcome')).not.toContain('p1 later planned')
    },
  )

  test.each(['skipped', 'failed', 'expired', 'cancelled'] as const)(
    'is told by the record that stays when the other’s was %s (P1)',
    (state) => {
      const [into, from] = two()
      from.happens(survey)
      comesOut(from, 'welcome', state)
      into.happens(survey)
      merge(into, from)
      expect(messagesOf(into, 'welcome')).toEqual(['p1 hello planned', `p2 hello ${state}`])
    },
  )

  test('is told by the other record when the one’s is too late to be sent (P1)', () => {
    const [into, from] = two()
    into.happens(survey)
    comesOut(into, 'welcome', 'queued')
    into.comes(at(24 * 3))
    from.comes(at(24 * 3))
    from.happens(survey)
    merge(into, from)
    expect(messagesOf(into, 'welcome')).toContain('p2 hello planned')
  })

  test('is told by the run that has most to tell, whichever record it is of (P1)', () => {
    const [into, from] = two()
    into.happens(survey)
    comesOut(into, 'welcome', 'failed')
    from.happens(survey)
    merge(into, from)
    into.comes(at(4))
    expect(messagesOf(into, 'welcome')).toEqual([
      'p1 hello failed',
      'p2 hello planned',
      'p2 later planned',
    ])
  })

  test('is not told again when one that may have arrived waits to be sent once more (P2)', () => {
    const [into, from] = two()
    from.happens(survey)
    const [waits] = from.intents()
    from.message(waits?.intentId ?? '', { duplicate: true })
    into.happens(survey)
    merge(into, from)
    expect(messagesOf(into, 'welcome')).toEqual(['p1 hello cancelled', 'p2 hello planned'])
  })

  test('is not told again out of an arm of the step at which the other record waits (P2)', () => {
    const wait = { touchpoint: discharge, within: 'P1D' }
    // biome-ignore lint/suspicious/noThenProperty: the word in the file
    const waitFor = { ...wait, then: [message('later')] }
    const waiting = definitionOf([
      campaign({ id: 'welcome', entry: 'once', trigger, steps: [message('hello'), { waitFor }] }),
    ])
    const [into, from] = [person(waiting), person(waiting, undefined, 'p2')]
    for (const patient of [into, from]) patient.happens(survey)
    comesOut(into, 'welcome', 'sent')
    comesOut(from, 'welcome', 'failed')
    from.happens(discharge)
    comesOut(from, 'welcome', 'sent')
    merge(into, from)
    into.happens(discharge)
    expect(messagesOf(into, 'welcome')).toEqual([
      'p1 hello sent',
      'p2 hello failed',
      'p2 later sent',
    ])
  })

  test('does not end what repeats', () => {
    const [into, from] = two()
    into.happens(survey)
    from.happens(survey)
    merge(into, from)
    expect(messagesOf(into, 'thanks')).toEqual(['p1 hello planned', 'p2 hello planned'])
  })
})

describe('once per journey', () => {
  test('counts the newest episode of both as one (P2)', () => {
    const [into, from] = two()
    for (const _ of [1, 2, 3]) into.happens(admission)
    from.happens(admission)
    from.happens(discharge)
    comesOut(from, 'aftercare', 'sent')
    into.happens(discharge)
    merge(into, from)
    expect(messagesOf(into, 'aftercare')).toEqual(['p1 hello cancelled', 'p2 hello sent'])
  })

  test('does not take an older stay of the other record for this one (P1)', () => {
    const [into, from] = two()
    // The first stay of the one, long over; and the first of the other, now.
    into.happens(admission)
    into.happens(discharge)
    comesOut(into, 'aftercare', 'delivered')
    into.comes(at(4))
    comesOut(into, 'aftercare', 'delivered')
    into.happens(admission)
    from.comes(at(4))
    from.happens(admission)
    from.happens(discharge)
    merge(into, from)
    expect(messagesOf(into, 'aftercare')).toContain('p2 hello planned')
  })

  test.each([
    [1, 3],
    [3, 1],
  ])(
    'refuses who has entered it, by %i stays of the one and %i of the other (P2)',
    (mine, theirs) => {
      const [into, from] = two()
      for (let count = 0; count < mine; count += 1) into.happens(admission)
      for (let count = 0; count < theirs; count += 1) from.happens(admission)
      from.happens(discharge)
      merge(into, from)
      into.happens(discharge)
      expect(into.reasons).toEqual(['already_entered'])
      into.happens(admission)
      into.happens(discharge)
      expect(into.reasons).toContain('enrolled')
    },
  )
})

describe('an appointment that both know', () => {
  test('is told of in its newer version, by the run that goes on (P3)', () => {
    const [into, from] = two()
    into.happens('care.appointment.booked.v1', appointment(1, 20))
    from.happens('care.appointment.booked.v1', appointment(2, 30))
    merge(into, from)
    const pending = pendingOf(into, 'reminder')
    expect(pending).toMatchObject([{ dueAt: at(26), entity: { version: 2 } }])
  })

  test('is told again when it was told in its older version (P2, P3)', () => {
    const [into, from] = two()
    into.happens('care.appointment.booked.v1', appointment(1, 2))
    comesOut(into, 'reminder', 'delivered')
    from.happens('care.appointment.booked.v1', appointment(1, 2))
    from.happens('care.appointment.moved.v1', appointment(2, 30))
    merge(into, from)
    const pending = pendingOf(into, 'reminder')
    expect(pending.map((intent) => `${subjectOf(intent)} ${intent.dueAt}`)).toEqual([
      `p1 ${at(26)}`,
    ])
  })

  test.each(['queued', 'planned'] as const)(
    'is told in its newer version by the record that had it %s, though the other told the older (P1)',
    (state) => {
      const [into, from] = two()
      into.happens('care.appointment.booked.v1', appointment(1, 2))
      comesOut(into, 'reminder', 'delivered')
      from.happens('care.appointment.booked.v1', appointment(1, 2))
      // Its moment, four hours before, has passed: it is due now.
      from.happens('care.appointment.moved.v1', appointment(2, 3))
      comesOut(from, 'reminder', state)
      merge(into, from)
      expect(newest(into, 'reminder')).toEqual([`p2 hello ${state}`])
    },
  )

  test('is confirmed in its newer version when the older one alone was (P1)', () => {
    const [into, from] = two()
    into.happens('care.appointment.booked.v1', appointment(1, 20))
    for (const { intentId, messageId } of into.intents())
      if (messageId === 'hello') into.message(intentId, { state: 'sent' })
    from.happens('care.appointment.booked.v1', appointment(2, 30))
    merge(into, from)
    expect(newest(into, 'confirmation').sort()).toEqual(['p2 hello planned', 'p2 later planned'])
  })

  test('is not told by one in the version that the other has with a worker (P2)', () => {
    // In Lisbon the moment comes an hour later than here.
    const local = { until: 'entity.startsAt', offset: '-P1D', at: '10:00', on: anyDay } as const
    const steps = [message('hello', { send: local, until: 'entity.startsAt' })]
    const trigger = { touchpoint: 'care.appointment.booked.v1' } as const
    const zoned = definitionOf([
      campaign({ id: 'reminder', journey: 'operation', entry: 'once-per-entity', trigger, steps }),
    ])
    const [here, there] = [person(zoned, at(0)), person(zoned, at(0), 'p2')]
    here.happens('person.upserted.v1', { data: { timeZone: 'Europe/Lisbon' } })
    here.happens('care.appointment.booked.v1', appointment(1, 23))
    comesOut(here, 'reminder', 'sending')
    there.happens('care.appointment.booked.v1', appointment(2, 24.5))
    comesOut(there, 'reminder', 'sending')
    merge(here, there)
    expect(newest(here, 'reminder')).toEqual(['p2 hello sending'])
  })

  test('is told again in a newer version when the run that ended had told it (P2, P3)', () => {
    const [into, from] = two()
    for (const patient of [into, from]) {
      patient.happens('care.appointment.booked.v1', appointment(1, 2))
      comesOut(patient, 'reminder', 'sending')
    }
    merge(into, from)
    // As the last check does with what comes back while the other was sent.
    const goesOn = into.enrolments().find((run) => run.state !== 'exited')
    for (const { intentId, enrolmentId } of into.intents()) {
      const isBack = enrolmentId === goesOn?.enrolmentId
      const change = { state: 'cancelled', reason: 'merged_duplicate' } as const
      into.message(intentId, isBack ? change : { state: 'sent' })
    }
    into.happens('care.appointment.moved.v1', appointment(2, 30))
    const pending = pendingOf(into, 'reminder')
    expect(pending).toMatchObject([{ dueAt: at(26), entity: { version: 2 } }])
  })

  test('is no longer told of when the other record knows that it was cancelled (P3)', () => {
    const [into, from] = two()
    into.happens('care.appointment.booked.v1', appointment(1, 20))
    from.happens('care.appointment.cancelled.v1', { ...appointment(2, 20), data: {} })
    merge(into, from)
    expect(messagesOf(into, 'reminder')).toEqual(['p1 hello cancelled'])
    expect(into.state.entities.get('appointment/A-1')).toMatchObject({
      version: 2,
      state: 'withdrawn',
      data: { startsAt: at(20) },
    })
  })
})

type Happening = { type: string; hour: number; version: number; fate: IntentState }
const happening: fc.Arbitrary<Happening> = fc.record({
  type: fc.constantFrom(survey, discharge, admission, 'care.appointment.booked.v1', 'fate', 'fate'),
  hour: fc.nat(2),
  version: fc.integer({ min: 1, max: 3 }),
  fate: fc.constantFrom<IntentState>('sending', 'sent', 'delivered', 'held', 'failed', 'expired'),
})
const happenings = fc.array(happening, { maxLength: 10 })

function live(patient: Patient, all: readonly Happening[]): Patient {
  let hour = 0
  for (const each of all) {
    hour += each.hour
    patient.comes(at(hour))
    if (each.type === 'fate') {
      const next = patient.intents().find((intent) => isPending(intent) && intent.dueAt <= at(hour))
      if (next) patient.message(next.intentId, { state: each.fate })
    } else {
      const isAppointment = each.type.includes('appointment')
      patient.happens(each.type, isAppointment ? appointment(each.version, hour + 12) : {})
    }
  }
  patient.comes(at(20))
  return patient
}

/** The promise once more, in words of its own: what of the runs of two records must not be told twice. */
function sameEntry(of: Patient, run: Enrolment): string | null {
  switch (run.campaignId) {
    case 'welcome':
      return 'welcome'
    case 'aftercare': {
      const stays = of.state.person.journeys.stay?.episode ?? 0
      return run.entryKey.endsWith(`#${stays}`) ? 'aftercare of the newest stay' : null
    }
    case 'reminder':
    case 'confirmation':
      return run.entity && `${run.campaignId} of ${entityKey(run.entity)}`
    default:
      return null
  }
}

/** Everything that the two told or may have told, as `entry, message, version → enrolments`. */
function toldOf(patient: Patient, entryOfRun: ReadonlyMap<string, string>) {
  const isTold = ({ state }: { state: IntentState }) =>
    ['sending', 'held', 'sent', 'delivered', 'bounced'].includes(state)
  const told = new Map<string, Set<string>>()
  for (const intent of patient.intents().filter(isTold)) {
    const entry = entryOfRun.get(intent.enrolmentId)
    if (entry === undefined) continue
    const what = `${entry}: ${intent.messageId} ${intent.entity?.version ?? ''}`
    told.set(what, (told.get(what) ?? new Set()).add(intent.enrolmentId))
  }
  return told
}

/** All that is planned goes out when it is due, for two days. */
function goOn(patient: Patient): void {
  for (let hour = 20; hour < 70; hour += 1) {
    patient.comes(at(hour))
    for (const intent of patient.intents()) {
      if (isPending(intent) && intent.dueAt <= at(hour) && intent.expiresAt > at(hour))
        patient.message(intent.intentId, { state: 'sent' })
    }
  }
}

function entriesOf(...patients: readonly Patient[]): Map<string, string> {
  return new Map(
    patients.flatMap((patient) =>
      patient.enrolments().flatMap((run): [string, string][] => {
        const entry = sameEntry(patient, run)
        return entry === null ? [] : [[run.enrolmentId, entry]]
      }),
    ),
  )
}

test('nobody is told twice by two records what may not repeat (P2)', () => {
  fc.assert(
    fc.property(happenings, happenings, (mine, theirs) => {
      const [into, from] = two()
      live(into, mine)
      live(from, theirs)
      const entries = entriesOf(into, from)
      merge(into, from)
      const before = toldOf(into, entries)
      goOn(into)
      for (const [what, runs] of toldOf(into, entries)) {
        const known = before.get(what)
        const added = [...runs].filter((run) => !known?.has(run))
        expect(added.length, what).toBeLessThanOrEqual(known ? 0 : 1)
      }
    }),
    { numRuns: 500 },
  )
})

test('nobody loses what one of two records would have told and none has (P1)', () => {
  fc.assert(
    fc.property(happenings, happenings, (mine, theirs) => {
      const alone = () => {
        const [into, from] = two()
        return [live(into, mine), live(from, theirs)] as const
      }
      const [into, from] = alone()
      const entries = entriesOf(into, from)
      merge(into, from)
      const told = new Set([...toldOf(into, entries).keys()].map((what) => what.split(':')[0]))
      goOn(into)
      const after = new Set(toldOf(into, entries).keys())
      for (const patient of alone()) {
        goOn(patient)
        for (const what of toldOf(patient, entries).keys()) {
          // Where a part was told already its run decides about the rest; an appointment has moved on.
          const [entry = ''] = what.split(':')
          if (told.has(entry) || entry.includes('appointment')) continue
          expect([...after], what).toContain(what)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('an appointment that moves after a merge is told of by one run at most (P2)', () => {
  fc.assert(
    fc.property(happenings, happenings, (mine, theirs) => {
      const [into, from] = two()
      live(into, mine)
      live(from, theirs)
      merge(into, from)
      into.happens('care.appointment.moved.v1', appointment(9, 60))
      const planned = into.intents().filter((intent) => intent.entity?.version === 9)
      const messages = planned.map(({ campaignId, messageId }) => `${campaignId} ${messageId}`)
      expect([...new Set(messages)]).toEqual(messages)
    }),
    { numRuns: 500 },
  )
})

test('after a merge nothing pending hangs on an older version of its entity (P3)', () => {
  fc.assert(
    fc.property(happenings, happenings, (mine, theirs) => {
      const [into, from] = two()
      live(into, mine)
      live(from, theirs)
      merge(into, from)
      for (const intent of into.intents()) {
        if (!intent.entity || !isPending(intent)) continue
        const known = into.state.entities.get(entityKey(intent.entity))
        expect(intent.entity.version).toBe(known?.version)
      }
    }),
  )
})

test('a run stays in the arm of its split when its record becomes another one', () => {
  const wait = { wait: { for: 'PT3H', on: anyDay } }
  const isIn = { field: 'enrolment.tone.arm', op: 'eq', value: 'warm' } as const
  const arms = [
    { name: 'plain', weight: 1 },
    { name: 'warm', weight: 1, steps: [message('hello')] },
  ]
  const divided = definitionOf([
    campaign({
      id: 'welcome',
      entry: 'every-time',
      trigger,
      steps: [
        { split: { id: 'tone', arms } },
        wait,
        { branch: [{ when: isIn, steps: [message('later')] }] },
      ],
    }),
  ])
  const seen = new Set<string>()
  for (let index = 0; index < 24; index += 1) {
    const [into, from] = [
      person(divided, undefined, `a${index}`),
      person(divided, undefined, `b${index}`),
    ]
    for (const each of [into, from]) each.happens(survey)
    const begun = new Map(
      [...into.enrolments(), ...from.enrolments()].map((run) => [run.enrolmentId, run]),
    )
    const warm = new Set([...into.intents(), ...from.intents()].map((each) => each.enrolmentId))
    merge(into, from)
    into.comes(at(4))
    for (const enrolmentId of begun.keys()) {
      const told = into
        .intents()
        .filter((each) => each.enrolmentId === enrolmentId)
        .map(({ messageId }) => messageId)
      expect(told).toEqual(warm.has(enrolmentId) ? ['hello', 'later'] : [])
    }
    seen.add([...begun.keys()].map((id) => warm.has(id)).join())
  }
  // All four ways in which two people can be divided were among them.
  expect(seen.size).toBe(4)
})

test('a bounce of what either record was sent turns off the address that both had (P3)', () => {
  const contacts = { email: 'a@example.org' }
  const told = ['2026-03-01T08:00:00.000Z', '2026-03-01T09:00:00.000Z', '2026-03-01T10:00:00.000Z']
  for (const addressSince of [...told, '2026-02-01T08:00:00.000Z']) {
    const [one, other, third] = told.map((time, index) => {
      const each = person(definition, undefined, `p${index + 1}`)
      each.happens('person.upserted.v1', { data: { contacts }, time })
      return each
    })
    if (!one || !other || !third) throw new Error('not three')
    const patient = merge(third, merge(other, one))
    patient.happens(discharge)
    const intentId = patient.intents()[0]?.intentId ?? ''
    patient.happens('message.bounced.v1', { data: { intentId, channel: 'email', addressSince } })
    const isRefused = patient.state.person.contacts.email?.refusedAt !== null
    expect({ addressSince, isRefused }).toEqual({
      addressSince,
      isRefused: told.includes(addressSince),
    })
  }
})

test('a bounce of an address that a record had says nothing of the other one that stays, told at the same time (P1)', () => {
  const time = '2026-03-01T08:00:00.000Z'
  const [into, from] = two()
  const tells = (each: Patient, email: string) =>
    each.happens('person.upserted.v1', { data: { contacts: { email } }, time })
  tells(into, 'stays@example.org')
  tells(from, 'goes@example.org')
  const addressSince = from.state.person.contacts.email?.since
  const patient = merge(into, from)
  const email = () => patient.state.person.contacts.email
  patient.happens(discharge)
  const intentId = patient.intents()[0]?.intentId ?? ''
  const bounces = (since: string | undefined) =>
    patient.happens('message.bounced.v1', {
      data: { intentId, channel: 'email', ...(since !== undefined && { addressSince: since }) },
    })
  bounces(addressSince)
  expect(email()).toMatchObject({ address: 'stays@example.org', refusedAt: null })
  bounces(email()?.since)
  expect(email()?.refusedAt).not.toBeNull()
})
