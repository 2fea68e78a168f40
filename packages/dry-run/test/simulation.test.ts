import { fileURLToPath } from 'node:url'
import { windowMs } from '@wegwijs/campaign/contact-budget'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Budget } from '@wegwijs/campaign/definition/policies'
import type { Reach } from '@wegwijs/campaign/definition/reach'
import { loadDefinition } from '@wegwijs/definition/load-definition'
import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { sortLines } from '../src/lines.ts'
import { simulate } from './simulate.ts'

const folder = fileURLToPath(new URL('../../../examples/hospital', import.meta.url))
const outcomes = { bounced: 0.1, none: 0.1, answered: 0.1, seed: 'laws' }
const handedOver = new Set(['sent', 'delivered', 'bounced'])

let example: DefinitionBundle
beforeAll(async () => {
  const { bundle } = await loadDefinition(folder)
  if (bundle === null) throw new Error('the example has faults')
  example = bundle
})

const seed = fc.integer({ min: 0, max: 1_000_000 }).map(String)
const runs = { numRuns: 15 }

describe('whatever happens', () => {
  test('the same input gives the same bytes, however many people are at rest', () => {
    fc.assert(
      fc.property(seed, (seed) => {
        const events = generateJourneys({ people: 8, seed })
        const [one, again] = [undefined, 1].map((mostAwake) =>
          JSON.stringify(
            simulate(example, events, { outcomes, ...(mostAwake && { mostAwake }) }).lines,
          ),
        )
        expect(again).toBe(one)
      }),
      runs,
    )
  })

  test('nothing of one person hangs on another: all at once is each by themselves', () => {
    fc.assert(
      fc.property(seed, (seed) => {
        // Of an event that comes late others tell when it arrives, so none does here.
        const events = generateJourneys({ people: 6, seed }).toSorted((a, b) =>
          a.time < b.time ? -1 : Number(a.time > b.time),
        )
        const own = Map.groupBy(events, ({ subject }) => subject.replace(/^W-/, ''))
        const alone = [...own.values()].flatMap((each) => simulate(example, each).lines)
        const together = simulate(example, events).lines
        expect(together.length).toBeGreaterThan(0)
        expect(sortLines(alone)).toEqual(together)
      }),
      runs,
    )
  })

  test.each([
    ['person.deceased.v1', {}],
    ['consent.withdrawn.v1', { purpose: 'all', origin: 'person' }],
  ])('nothing is sent after %s', (type, data) => {
    fc.assert(
      fc.property(seed, fc.double({ min: 0, max: 1, noNaN: true }), (seed, part) => {
        const events = generateJourneys({ people: 6, seed }).filter(
          // A consent given later would lift it.
          (event) => event.type !== 'consent.granted.v1',
        )
        const index = Math.floor(part * (events.length - 1))
        const at = events
          .slice(0, index + 1)
          .reduce((last, { time }) => (time > last ? time : last), '')
        const subject = events[index]?.subject.replace(/^W-/, '') ?? ''
        const end = happen('the-end', type, { subject, time: at, data, source: ehr })
        const { messages } = simulate(example, events.toSpliced(index + 1, 0, end))
        const after = messages.filter(
          (each) =>
            each.name.endsWith(subject) && each.at > at && handedOver.has(each.intent.state),
        )
        expect(after).toEqual([])
      }),
      { numRuns: 25 },
    )
  })
})

describe('a campaign that says how far it reaches', () => {
  const sent = (reach: Reach, expires: string) => {
    const steps = [message('hello', { expires })]
    const hospital = smallHospital([campaign({ id: 'aftercare', reach, steps })])
    const people = ['p1', 'p2', 'p3', 'p4', 'p5']
    const { messages } = simulate(hospital, [
      ...people.map((subject) =>
        happen(`a-${subject}`, 'person.upserted.v1', {
          subject,
          data: { givenName: 'Test', contacts: { email: `${subject}@example.org` }, test: true },
        }),
      ),
      ...people.map((subject) =>
        happen(`d-${subject}`, 'care.discharge.completed.v1', {
          subject,
          time: '2026-03-02T12:00:00.000Z',
        }),
      ),
    ])
    return messages.map(({ at, intent: { state } }) => `${at} ${state}`).sort()
  }

  test('sends so many in a period, and the rest in the next ones', () => {
    expect(sent({ most: 2, per: 'P1D' }, 'P7D')).toEqual([
      '2026-03-02T12:00:00.000Z delivered',
      '2026-03-02T12:00:00.000Z delivered',
      '2026-03-02T23:00:00.000Z delivered',
      '2026-03-02T23:00:00.000Z delivered',
      '2026-03-03T23:00:00.000Z delivered',
    ])
  })

  test('keeps nothing that is over', () => {
    expect(sent({ expected: [1, 3], per: 'P1W' }, 'PT6H')).toEqual([
      '2026-03-02T12:00:00.000Z delivered',
      '2026-03-02T12:00:00.000Z delivered',
      '2026-03-02T12:00:00.000Z delivered',
      '2026-03-02T18:00:00.000Z expired',
      '2026-03-02T18:00:00.000Z expired',
    ])
  })
})

test('of one moment all is out before anything is heard of it', () => {
  const hospital = smallHospital([
    campaign({
      id: 'one',
      steps: [message('hello', { id: 'first' }), message('hello', { id: 'second' })],
    }),
    campaign({ id: 'other', steps: [{ wait: { for: 'PT1H' } }, message('later')] }),
  ])
  const { lines } = simulate(
    hospital,
    [
      happen('known', 'person.upserted.v1', {
        data: { givenName: 'Test', contacts: { email: 'p1@example.org' }, test: true },
      }),
      happen('home', 'care.discharge.completed.v1'),
    ],
    { outcomes: { bounced: 1, none: 0 } },
  )
  const told = lines.map(({ step, outcome }) => [step, outcome])
  // The address that bounced is used twice, and not an hour later.
  expect(told.toSorted()).toEqual([
    ['first', 'bounced'],
    ['later', 'skipped'],
    ['second', 'bounced'],
  ])
})

test('tasks are done by the shares that were asked for, and what follows their outcome happens', () => {
  const hospital = smallHospital([
    campaign({
      id: 'aftercare',
      steps: [
        {
          task: {
            id: 'call',
            team: 'aftercare',
            title: { nl: 'Bel', en: 'Call' },
            within: 'P2D',
            outcomes: [
              {
                outcome: 'well',
                says: { nl: 'Goed', en: 'Well' },
                steps: [message('hello', { id: 'glad' })],
              },
              { outcome: 'worried', says: { nl: 'Bezorgd', en: 'Worried' } },
            ],
            otherwise: [message('hello', { id: 'sorry' })],
          },
        },
      ],
    }),
  ])
  const people = [...Array(40).keys()].map((number) => `p${number}`)
  const events = ['person.upserted.v1', 'care.discharge.completed.v1'].flatMap((type) =>
    people.map((subject) =>
      happen(`${type} ${subject}`, type, {
        subject,
        ...(type.startsWith('person') && {
          data: { givenName: 'Test', contacts: { email: `${subject}@example.org` }, test: true },
        }),
      }),
    ),
  )
  const played = (rates: object) => {
    const { lines } = simulate(hospital, events, { outcomes: { bounced: 0, none: 0, ...rates } })
    const moments = new Set(lines.map(({ plannedFor }) => plannedFor))
    const steps = lines.map(({ step }) => step)
    return { glad: steps.filter((step) => step === 'glad').length, steps, moments }
  }
  expect(new Set(played({}).steps)).toEqual(new Set(['sorry']))
  const some = played({ done: 0.5 })
  expect(new Set(some.steps)).toEqual(new Set(['glad', 'sorry']))
  // Each at a moment of its own, and the rest when nobody waits any more.
  expect(some.moments.size).toBe(some.glad + 1)
  const all = played({ done: 1, outcomes: { well: 1 } })
  expect(all).toMatchObject({ glad: people.length, steps: people.map(() => 'glad') })
})

describe('contact budgets', () => {
  const budgets: Budget[] = [
    { id: 'a-day', most: 1, per: 'PT20H', classes: ['service'] },
    { id: 'a-week', most: 3, per: 'P7D', classes: ['service', 'marketing', 'research'] },
    {
      id: 'parents',
      most: 1,
      per: 'P4D',
      classes: ['service', 'marketing'],
      personas: ['busy-parent'],
    },
  ]
  const withBudgets = () => ({ ...example, policies: { ...example.policies, budgets } })

  test('nobody ever has more than one in any window, and what waits comes to its turn or expires (P3)', () => {
    let putOff = 0
    fc.assert(
      fc.property(seed, (seed) => {
        const events = generateJourneys({ people: 12, seed })
        const { messages } = simulate(withBudgets(), events, { outcomes })
        putOff += messages.filter(
          ({ rendered, at, plannedFor }) => rendered && at > plannedFor,
        ).length
        // Over all of its channels a message counts as one.
        const parts = messages.filter(({ rendered }) => rendered !== null)
        const sent = [
          ...new Map(
            parts.map((each) => [each.intent.partOf ?? each.intent.intentId, each]),
          ).values(),
        ]
        for (const [name, own] of Map.groupBy(sent, ({ name }) => name)) {
          for (const budget of budgets) {
            const times = own
              .filter(({ intent }) => (budget.classes as string[]).includes(intent.class))
              .filter(({ persona }) => !budget.personas || budget.personas.includes(persona ?? ''))
              .map(({ at }) => Date.parse(at))
            for (const from of times) {
              const within = times.filter((at) => at >= from && at < from + windowMs(budget))
              expect(within.length, `${name} ${budget.id}`).toBeLessThanOrEqual(budget.most)
            }
          }
        }
        for (const { intent } of messages) expect(intent.state).not.toBe('planned')
      }),
      runs,
    )
    expect(putOff).toBeGreaterThan(0)
  })

  test('whoever two records were has had what both had', () => {
    const hospital = smallHospital([
      campaign({ id: 'offer', class: 'service', entry: 'every-time' }),
    ])
    const policies = {
      ...hospital.policies,
      budgets: [{ id: 'a-day', most: 2, per: 'P1D', classes: ['service' as const] }],
    }
    const arrives = (subject: string) =>
      happen(`a-${subject}`, 'person.upserted.v1', {
        subject,
        data: { givenName: 'Test', contacts: { email: `${subject}@example.org` }, test: true },
      })
    const discharged = (subject: string, time: string) =>
      happen(`d-${subject}-${time}`, 'care.discharge.completed.v1', { subject, time })
    const { messages } = simulate({ ...hospital, policies }, [
      arrives('p1'),
      arrives('p2'),
      discharged('p1', '2026-03-02T09:00:00.000Z'),
      discharged('p2', '2026-03-02T10:00:00.000Z'),
      happen('m', 'person.merged.v1', {
        time: '2026-03-02T11:00:00.000Z',
        data: { idSpace: 'ehr', externalId: 'p2' },
      }),
      discharged('p1', '2026-03-02T12:00:00.000Z'),
    ])
    expect(messages.filter(({ rendered }) => rendered).map(({ at }) => at)).toEqual([
      '2026-03-02T09:00:00.000Z',
      '2026-03-02T10:00:00.000Z',
      '2026-03-03T09:00:00.000Z',
    ])
  })
})

const ehr = 'urn:example:delinde:ehr'
function happen(id: string, type: string, over: Partial<TouchpointEvent> = {}): TouchpointEvent {
  return {
    id,
    type,
    source: 'urn:test:ehr',
    subject: 'p1',
    time: '2026-03-02T09:00:00.000Z',
    data: {},
    ...over,
  }
}

describe('the small hospital', () => {
  const hospital = smallHospital([
    campaign({ id: 'care', entry: 'every-time' }),
    campaign({ id: 'offer', class: 'marketing', entry: 'every-time', steps: [message('later')] }),
  ])
  const arrives = happen('a', 'person.upserted.v1', {
    data: { givenName: 'Test', contacts: { email: 'p1@example.org' }, test: true },
  })
  const discharged = (id: string, time = '2026-03-02T09:00:00.000Z') =>
    happen(id, 'care.discharge.completed.v1', { time })

  test('tells what became of each message, and why', () => {
    const { lines } = simulate(hospital, [arrives, discharged('d1')])
    expect(lines).toMatchObject([
      {
        person: 'ehr:p1',
        campaign: 'care',
        version: 1,
        step: 'hello',
        channel: 'email',
        plannedFor: '2026-03-02T09:00:00.000Z',
        outcome: 'delivered',
        reason: 'delivered',
        eventId: 'd1',
      },
      { campaign: 'offer', outcome: 'skipped', reason: 'consent_missing', eventId: 'd1' },
    ])
  })

  test.each([
    [{ email: 'c1@example.org' }, 'awaited_came'],
    [{}, 'awaited_not_in_time'],
  ])(
    'a run that waits for a message to two, of whom one cannot be reached, waits for the other: %o',
    (contacts, expected) => {
      const told = message('hello', {
        channels: { cascade: ['app', 'email'], after: 'P1D' },
        to: ['person', 'caregiver'],
      })
      const { decisions } = simulate(
        smallHospital([campaign({ id: 'care', steps: [told] })]),
        [
          happen('a', 'person.upserted.v1', { data: {} }),
          happen('b', 'person.upserted.v1', { subject: 'c1', data: { contacts } }),
          happen('c', 'relation.granted.v1', {
            data: { idSpace: 'ehr', externalId: 'c1', kind: 'caregiver', scope: ['care'] },
          }),
          discharged('p1'),
        ],
        { outcomes: (_, channel) => (channel === 'email' ? 'delivered' : 'none') },
      )
      expect(decisions.filter((reason) => /^(wait|awaited)/.test(reason))).toEqual([
        'waiting',
        expected,
      ])
    },
  )

  test('two recipients who become one get nothing over a next channel that the other got since it was planned (P2)', () => {
    const told = message('hello', {
      channels: { cascade: ['email', 'sms'], after: 'PT3H' },
      to: ['caregiver'],
    })
    const small = smallHospital([campaign({ id: 'care', steps: [told] })])
    const { care } = small.policies.classes
    const classes = {
      ...small.policies.classes,
      care: { ...care, quietHours: { from: '22:00', until: '07:00' } },
    }
    const comesToCare = (subject: string, timeZone: string) => [
      happen(`a-${subject}`, 'person.upserted.v1', {
        subject,
        data: { timeZone, contacts: { email: `${subject}@example.org`, phone: '+31970100100' } },
      }),
      happen(`r-${subject}`, 'relation.granted.v1', {
        data: { idSpace: 'ehr', externalId: subject, kind: 'caregiver', scope: ['care'] },
      }),
    ]
    const { messages } = simulate(
      { ...small, policies: { ...small.policies, classes } },
      [
        happen('a', 'person.upserted.v1', { data: {} }),
        ...comesToCare('c1', 'Europe/London'),
        ...comesToCare('c2', 'Europe/Amsterdam'),
        // Quiet for c2 by now, and for c1 when the SMS would come.
        discharged('d1', '2026-03-02T21:30:00.000Z'),
        happen('m', 'person.merged.v1', {
          subject: 'c1',
          time: '2026-03-03T06:30:00.000Z',
          data: { idSpace: 'ehr', externalId: 'c2' },
        }),
      ],
      { outcomes: () => 'none' },
    )
    expect(
      messages.map(({ at, channel, intent: { state } }) => `${at} ${channel} ${state}`).sort(),
    ).toEqual([
      '2026-03-02T21:30:00.000Z email sent',
      '2026-03-03T06:00:00.000Z email sent',
      '2026-03-03T07:00:00.000Z sms cancelled',
    ])
  })

  test('whoever stands to the person in another way still gets it when the first ends, and as that (P3)', () => {
    const told = message('hello', {
      to: ['caregiver', 'representative'],
      send: { for: 'P1D', on: 'any-day' },
    })
    const related = (kind: string) =>
      happen(`r-${kind}`, 'relation.granted.v1', {
        data: { idSpace: 'ehr', externalId: 'c1', kind, scope: ['care'] },
      })
    const ended = (kind: string) =>
      happen(`e-${kind}`, 'relation.ended.v1', {
        time: '2026-03-02T10:00:00.000Z',
        data: { idSpace: 'ehr', externalId: 'c1', kind },
      })
    const comesOf = (...ends: TouchpointEvent[]) =>
      simulate(smallHospital([campaign({ id: 'care', steps: [told] })]), [
        happen('a', 'person.upserted.v1', { data: {} }),
        happen('b', 'person.upserted.v1', {
          subject: 'c1',
          data: { contacts: { email: 'c1@example.org' } },
        }),
        related('caregiver'),
        related('representative'),
        discharged('d1'),
        ...ends,
      ]).messages.map(({ intent }) => [intent.recipient?.kind, intent.reason])
    expect(comesOf()).toEqual([['caregiver', 'delivered']])
    expect(comesOf(ended('caregiver'))).toEqual([['representative', 'delivered']])
    expect(comesOf(ended('caregiver'), ended('representative'))).toEqual([
      ['caregiver', 'relation_ended'],
    ])
  })

  test('counts what came twice and what cannot be used, by class', () => {
    const { tally, lines } = simulate(hospital, [
      arrives,
      discharged('d1'),
      discharged('d1'),
      happen('x', 'care.unknown.v1'),
      happen('y', 'care.discharge.completed.v1', { source: 'urn:nobody' }),
      happen('z', 'message.delivered.v1', { source: 'urn:wegwijs' }),
      happen('m', 'person.merged.v1', { data: { idSpace: 'wegwijs', externalId: 'nobody' } }),
    ])
    expect(tally).toMatchObject({ events: 7, applied: 2, duplicates: 1, people: 1 })
    expect(tally.deadLetters).toEqual({
      data_invalid: 1,
      unknown_type: 1,
      source_not_allowed: 1,
      signature_invalid: 1,
    })
    expect(lines).toHaveLength(2)
  })

  test('an address that a channel would refuse is not written to', () => {
    const wrong = { ...arrives, data: { contacts: { email: 'nobody at home' }, test: true } }
    const byEmail = smallHospital([
      campaign({ id: 'care', steps: [message('hello', { channels: ['email'] })] }),
    ])
    const { lines } = simulate(byEmail, [wrong, discharged('d1')])
    expect(lines[0]).toMatchObject({ outcome: 'failed', reason: 'provider_refused' })
  })

  test('a bounce is remembered: the next message takes another way, or none', () => {
    const bounces = { bounced: 1, none: 0 }
    const events = [arrives, discharged('d1'), discharged('d2', '2026-03-03T09:00:00.000Z')]
    const { lines } = simulate(hospital, events, { outcomes: bounces })
    expect(lines.filter(({ campaign }) => campaign === 'care')).toMatchObject([
      { outcome: 'bounced' },
      { outcome: 'skipped', reason: 'no_usable_channel' },
    ])
  })

  test('two records that become one are one', () => {
    const crm = { source: 'urn:test:crm', subject: 'c9' }
    const { tally, lines } = simulate(hospital, [
      arrives,
      happen('s', 'care.survey.answered.v1', crm),
      happen('m', 'person.merged.v1', { data: { idSpace: 'crm', externalId: 'c9' } }),
      discharged('d1'),
    ])
    expect(tally.people).toBe(1)
    expect(new Set(lines.map(({ person }) => person))).toEqual(new Set(['crm:c9']))
  })

  test('a no under a further id that is told before the link to it is of whom it is linked to (P3)', () => {
    const crm = { source: 'urn:test:crm', subject: 'c9' }
    const no = happen('n', 'consent.withdrawn.v1', { ...crm, data: { purpose: 'all' } })
    const link = happen('l', 'person.identified.v1', {
      data: { idSpace: 'crm', externalId: 'c9' },
    })
    const { tally, lines } = simulate(hospital, [arrives, no, link, discharged('d1')])
    expect(tally.people).toBe(1)
    expect(lines.filter(({ campaign }) => campaign === 'care')).toMatchObject([
      { outcome: 'skipped', reason: 'consent_withdrawn' },
    ])
  })

  test('who was told something under a further id is known by more than a no, and is nobody else (P2)', () => {
    const crm = { source: 'urn:test:crm', subject: 'c9' }
    const touchpoint = 'care.survey.answered.v1'
    const thanks = campaign({ id: 'thanks', entry: 'every-time', trigger: { touchpoint } })
    const later = '2026-03-20T09:00:00.000Z'
    const { tally } = simulate(smallHospital([thanks]), [
      arrives,
      happen('s', touchpoint, crm),
      happen('n', 'consent.withdrawn.v1', { ...crm, time: later, data: { purpose: 'all' } }),
      happen('l', 'person.identified.v1', {
        time: later,
        data: { idSpace: 'crm', externalId: 'c9' },
      }),
    ])
    expect(tally.people).toBe(2)
  })
})
