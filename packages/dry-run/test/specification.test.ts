import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { specificationsFileSchema } from '@wegwijs/campaign/definition/specification'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { compileDraft } from '../src/draft.ts'
import { sendingOf } from '../src/sending.ts'
import { type PlayedSpecification, playSpecification } from '../src/specification.ts'

type Written = { given?: unknown; when: unknown[]; until?: string; then: unknown[] }

/** Plays one specification of the first campaign of a hospital. */
function play(bundle: DefinitionBundle, written: Written): PlayedSpecification {
  const [own] = bundle.campaigns
  const { specifications } = specificationsFileSchema.parse({
    campaign: own?.id,
    specifications: [{ name: 'it', ...written }],
  })
  const [specification] = specifications
  if (!own || !specification) throw new Error('there is nothing to play')
  const stage = { bundle, definition: compileDraft(bundle), sending: sendingOf(bundle) }
  return playSpecification(own.id, specification, stage)
}

/** What does not hold, a line each: `then.0 sent hello | hello was never planned`. */
function unmet(bundle: DefinitionBundle, written: Written): string[] {
  return play(bundle, written).unmet.map(
    ({ path, expected, happened }) => `${path.join('.')} ${expected} | ${happened.join('; ')}`,
  )
}

const home = (at: string, more: object = {}) => ({
  at,
  happens: 'care.discharge.completed.v1',
  ...more,
})
const answered = (at: string) => ({ at, happens: 'care.survey.answered.v1' })
const booked = (at: string, startsAt: string, more: object = {}) => ({
  at,
  happens: 'care.appointment.booked.v1',
  data: { startsAt },
  ...more,
})
const moved = (at: string, startsAt: string, more: object = {}) => ({
  ...booked(at, startsAt, more),
  happens: 'care.appointment.moved.v1',
})

const hello = smallHospital([campaign({ id: 'care' })])
const twoDays = smallHospital([
  campaign({
    id: 'care',
    exit: [{ touchpoint: 'care.survey.answered.v1' }],
    steps: [message('hello'), { wait: { for: 'P2D', at: '10:00' } }, message('later')],
  }),
])
const dayBefore = smallHospital([
  campaign({
    id: 'guide',
    journey: 'operation',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    entry: 'once-per-entity',
    steps: [
      message('hello', {
        send: { until: 'entity.startsAt', offset: '-P1D', at: '18:00', on: 'any-day' },
      }),
    ],
  }),
])

describe('each expectation holds when it is so, and is unmet with what there was when it is not', () => {
  const when = [home('2026-03-02 09:00')]

  test.each<[what: string, so: object | string, not: object | string, instead: string]>([
    [
      'sent, at',
      { sent: 'hello', at: '2026-03-02 09:00' },
      { sent: 'hello', at: '2026-03-02 09:01' },
      'hello was sent at 2026-03-02 09:00 over email',
    ],
    [
      'sent, over',
      { sent: 'hello', over: 'email' },
      { sent: 'hello', over: 'sms' },
      'hello was sent at 2026-03-02 09:00 over email',
    ],
    [
      'sent, saying',
      { sent: 'hello', saying: ['Onderwerp', 'hello'] },
      { sent: 'hello', saying: ['Onderwerp', 'goodbye'] },
      'hello was sent at 2026-03-02 09:00 over email, saying: Onderwerp hello',
    ],
    [
      'entered',
      { entered: '2026-03-02 09:00' },
      { entered: '2026-03-03 09:00' },
      'they entered at 2026-03-02 09:00',
    ],
    [
      'ended because, at',
      { 'ended because': 'completed', at: '2026-03-04 10:00' },
      { 'ended because': 'exit_touchpoint' },
      'it ended at 2026-03-04 10:00 (completed: all steps were gone through)',
    ],
    ['persona', { persona: 'everybody' }, { persona: 'senior' }, 'they are everybody'],
  ])('%s', (_, so, not, instead) => {
    const all = [{ sent: 'hello' }, { sent: 'later' }]
    const others = typeof so === 'object' && 'sent' in so ? [{ sent: 'later' }] : all
    expect(unmet(twoDays, { when, then: [so, ...others] })).toEqual([])
    const told = unmet(twoDays, { when, then: [not, ...others] })
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^then\.0 /)
    expect(told[0]?.split(' | ')[1]).toBe(instead)
  })

  test('did not enter', () => {
    const twice = [home('2026-03-02 09:00'), home('2026-03-03 09:00')]
    const refused = { 'did not enter': 'already_entered', at: '2026-03-03 09:00' }
    expect(unmet(hello, { when: twice, then: [{ sent: 'hello' }, refused] })).toEqual([])
    expect(unmet(hello, { when, then: [{ sent: 'hello' }, refused] })).toEqual([
      'then.1 did not enter already_entered, at 2026-03-03 09:00 | they entered at 2026-03-02 09:00',
    ])
    const other = [answered('2026-03-02 09:00')]
    expect(
      unmet(hello, { when: other, then: ['nothing', { entered: '2026-03-02 09:00' }] }),
    ).toEqual(['then.1 entered 2026-03-02 09:00 | the campaign never looked at them'])
  })

  test('waits until, planned, and the end of time', () => {
    const then = [{ sent: 'hello' }, { 'waits until': '2026-03-04 10:00' }, 'nothing else']
    expect(unmet(twoDays, { when, until: '2026-03-03 12:00', then })).toEqual([])
    expect(unmet(twoDays, { when, then: [...then.slice(0, 2), { sent: 'later' }] })).toEqual([
      'then.1 waits until 2026-03-04 10:00 | it waits for no moment',
    ])
    const appointment = [booked('2026-03-02 09:00', '2026-03-14 09:30')]
    const planned = { planned: 'hello', for: '2026-03-13 18:00' }
    expect(
      unmet(dayBefore, {
        when: appointment,
        until: '2026-03-03 09:00',
        then: [planned, 'nothing else'],
      }),
    ).toEqual([])
    expect(
      unmet(dayBefore, { when: appointment, until: '2026-03-03 09:00', then: ['nothing'] }),
    ).toEqual(['then.0 nothing | hello is planned for 2026-03-13 18:00'])
    expect(unmet(dayBefore, { when: appointment, then: [planned] })).toEqual([
      'then.0 planned hello, for 2026-03-13 18:00 | hello was sent at 2026-03-13 18:00 over email',
    ])
  })

  test('withdrawn', () => {
    const change = [
      booked('2026-03-02 09:00', '2026-03-14 09:30'),
      moved('2026-03-05 11:00', '2026-03-20 09:30'),
    ]
    const withdrawn = {
      withdrawn: 'hello',
      'planned for': '2026-03-13 18:00',
      at: '2026-03-05 11:00',
      because: 'entity_superseded',
    }
    const sent = { sent: 'hello', at: '2026-03-19 18:00' }
    expect(unmet(dayBefore, { when: change, then: [withdrawn, sent, 'nothing else'] })).toEqual([])
    for (const wrong of [
      { ...withdrawn, 'planned for': '2026-03-12 18:00' },
      { ...withdrawn, at: '2026-03-05 12:00' },
      { ...withdrawn, because: 'entity_withdrawn' },
    ]) {
      const [told] = unmet(dayBefore, { when: change, then: [wrong, sent] })
      expect(told).toContain(
        '| hello, planned for 2026-03-13 18:00, was withdrawn at 2026-03-05 11:00 (entity_superseded: a newer version',
      )
    }
  })

  test('not sent', () => {
    const marketing = smallHospital([campaign({ id: 'offer', class: 'marketing' })])
    const skipped = { 'not sent': 'hello', because: 'consent_missing' }
    expect(unmet(marketing, { when, then: [skipped, 'nothing else'] })).toEqual([])
    const given = { 'consents to': ['marketing'] }
    expect(unmet(marketing, { given, when, then: [skipped] })).toEqual([
      'then.0 not sent hello, because consent_missing | hello was sent at 2026-03-02 09:00 over email',
    ])
  })

  test('goal reached', () => {
    const hoping = smallHospital([
      campaign({ id: 'care', goal: { touchpoint: 'care.survey.answered.v1', within: 'P9D' } }),
    ])
    const reached = { 'goal reached': '2026-03-05 09:00' }
    const then = [{ sent: 'hello' }, reached]
    expect(unmet(hoping, { when: [...when, answered('2026-03-05 09:00')], then })).toEqual([])
    expect(unmet(hoping, { when, then })).toEqual([
      'then.1 goal reached 2026-03-05 09:00 | it was not reached',
    ])
  })
})

describe('what nobody named', () => {
  const when = [home('2026-03-02 09:00')]

  test('fails when it was sent', () => {
    expect(unmet(twoDays, { when, then: [{ sent: 'hello' }] })).toEqual([
      'then no message without a line | later was sent at 2026-03-04 10:00 over email',
    ])
  })

  test('may be of another campaign, which is named by its whole name', () => {
    const both = smallHospital([
      campaign({ id: 'care' }),
      campaign({ id: 'other', steps: [message('later')] }),
    ])
    const own = [{ sent: 'hello' }, 'nothing else']
    expect(unmet(both, { when, then: own })).toEqual([])
    expect(unmet(both, { when, then: [...own, { sent: 'other/later' }] })).toEqual([])
    expect(unmet(both, { when, then: [...own, { sent: 'other/hello' }] })).toEqual([
      'then.2 sent other/hello | other/hello was never planned',
    ])
  })

  test('each line has a message of its own, whichever way they are written', () => {
    const every = smallHospital([campaign({ id: 'care', entry: 'every-time' })])
    const twice = [home('2026-03-02 09:00'), home('2026-03-03 09:00')]
    const [any, first] = [{ sent: 'hello' }, { sent: 'hello', at: '2026-03-02 09:00' }]
    expect(unmet(every, { when: twice, then: [any, first] })).toEqual([])
    expect(unmet(every, { when: twice, then: [first, any] })).toEqual([])
    expect(unmet(every, { when: twice, then: [first, first] })).toHaveLength(1)
    expect(unmet(every, { when: twice, then: [any, first, any] })).toHaveLength(1)
  })
})

describe('in between', () => {
  test('it is asked what holds right then, and not every message is named', () => {
    const asked = { then: [{ 'waits until': '2026-03-04 10:00' }, { sent: 'hello' }] }
    const written = {
      when: [
        home('2026-03-02 09:00', asked),
        { at: '2026-03-04 12:00', then: [{ sent: 'later' }] },
      ],
      then: [{ sent: 'hello' }, { sent: 'later' }],
    }
    expect(unmet(twoDays, written)).toEqual([])
  })

  test('what comes later is not so yet, and its line is named', () => {
    const written = {
      when: [home('2026-03-02 09:00'), { at: '2026-03-03 12:00', then: [{ sent: 'later' }] }],
      then: [{ sent: 'hello' }, { sent: 'later' }],
    }
    expect(unmet(twoDays, written)).toEqual(['when.1.then.0 sent later | later was never planned'])
  })
})

describe('who it is about', () => {
  const when = [home('2026-03-02 09:00')]
  const senior = smallHospital([campaign({ id: 'care', audience: { personas: ['senior'] } })])

  test('age and fields make a persona, or it is assigned', () => {
    for (const given of [{ age: 70 }, { persona: 'senior' }]) {
      expect(
        unmet(senior, { given, when, then: [{ sent: 'hello' }, { persona: 'senior' }] }),
      ).toEqual([])
    }
    expect(unmet(senior, { given: { age: 64 }, when, then: ['nothing'] })).toEqual([])
  })

  test('is reached by what was said, and by everything when nothing was', () => {
    const by = (channels: string[], then: unknown[]) =>
      unmet(hello, { given: { 'reached by': channels }, when, then })
    expect(by(['sms'], [{ sent: 'hello', over: 'sms' }])).toEqual([])
    expect(by([], [{ 'not sent': 'hello', because: 'no_usable_channel' }])).toEqual([])
    const later = [{ at: '2026-03-01 10:00', becomes: { 'reached by': ['sms'] } }, ...when]
    expect(unmet(hello, { when: later, then: [{ sent: 'hello', over: 'sms' }] })).toEqual([])
  })

  test('reads in their language and lives in their zone', () => {
    const given = { language: 'en', 'time zone': 'Atlantic/Azores' }
    const then = [
      { sent: 'hello', saying: 'Subject' },
      // Ten o'clock on the Azores.
      { sent: 'later', at: '2026-03-04 12:00' },
    ]
    expect(unmet(twoDays, { given, when, then })).toEqual([])
  })

  test('that they are so has started nothing', () => {
    const changes = smallHospital([
      campaign({ id: 'care', trigger: { attribute: 'person.hasCarer', to: true } }),
    ])
    const given = { fields: { hasCarer: true } }
    const look = { at: '2026-03-02 09:00', then: ['nothing'] }
    expect(unmet(changes, { given, when: [look], then: ['nothing'] })).toEqual([])
    const becomes = { at: '2026-03-02 09:00', becomes: { fields: { hasCarer: true } } }
    expect(unmet(changes, { when: [becomes], then: [{ sent: 'hello' }] })).toEqual([])
  })

  test('is held out when that was asked for, and never otherwise', () => {
    const half = smallHospital([campaign({ id: 'care', class: 'service', holdOut: 50 })])
    expect(unmet(half, { when, then: [{ sent: 'hello' }, 'nothing else'] })).toEqual([])
    const given = { 'held out': true }
    expect(
      unmet(half, { given, when, then: ['nothing', { 'ended because': 'held_out' }] }),
    ).toEqual([])
  })

  test('is in the arm that was asked for', () => {
    const split = smallHospital([
      campaign({
        id: 'care',
        steps: [
          {
            split: {
              id: 'tone',
              arms: [
                { name: 'warm', weight: 1, steps: [message('hello')] },
                { name: 'short', weight: 9, steps: [message('later')] },
              ],
            },
          },
        ],
      }),
    ])
    const inArm = (arm: string, sent: string) =>
      unmet(split, { given: { arms: { tone: arm } }, when, then: [{ sent }, 'nothing else'] })
    expect(inArm('warm', 'hello')).toEqual([])
    expect(inArm('short', 'later')).toEqual([])
    expect(inArm('warm', 'later')).not.toEqual([])
  })

  test('is nobody when no one of those who are tried is as was asked for', () => {
    const nothing = smallHospital([
      campaign({
        id: 'care',
        steps: [
          {
            split: {
              id: 'tone',
              arms: [
                { name: 'often', weight: 1_000_000, steps: [message('hello')] },
                { name: 'never', weight: 1 },
              ],
            },
          },
        ],
      }),
    ])
    const inArm = (given: object) => unmet(nothing, { given, when, then: [{ sent: 'hello' }] })
    expect(inArm({ arms: { tone: 'often' } })).toEqual([])
    expect(inArm({ arms: { tone: 'never' } })).toEqual([
      'given somebody who is not held out, in the arm never of the split tone | of 1000 people who were tried nobody is so; this is the last of them',
    ])
    expect(inArm({ 'held out': true })).toEqual([
      'given somebody who is held out | of 1000 people who were tried nobody is so; this is the last of them',
    ])
  })
})

describe('what happens', () => {
  const when = [home('2026-03-02 09:00')]

  test('an opt-out, a consent and a death count from when they happen', () => {
    const after = (happens: object) => [...when, { at: '2026-03-03 09:00', ...happens }]
    const skipped = (because: string) => [{ sent: 'hello' }, { 'not sent': 'later', because }]
    const noCare = after({ 'opts out of': 'care' })
    expect(unmet(twoDays, { when: noCare, then: skipped('consent_withdrawn') })).toEqual([])
    const noEmail = after({ 'opts out of': 'all', over: 'email' })
    expect(
      unmet(twoDays, { when: noEmail, then: [{ sent: 'hello' }, { sent: 'later', over: 'sms' }] }),
    ).toEqual([])
    const death = after({ dies: true })
    expect(
      unmet(twoDays, {
        when: death,
        then: [{ sent: 'hello' }, { 'ended because': 'person_deceased' }, 'nothing else'],
      }),
    ).toEqual([])
  })

  test('somebody is put into a campaign by hand', () => {
    const manual = smallHospital([campaign({ id: 'care', trigger: { manual: true } })])
    const byHand = { at: '2026-03-02 09:00', 'enrolled in': 'care' }
    expect(unmet(manual, { when: [byHand], then: [{ sent: 'hello' }] })).toEqual([])
    const other = { ...byHand, 'enrolled in': 'other' }
    expect(unmet(manual, { when: [other], then: ['nothing'] })).toEqual([])
  })

  test('what is heard of late is decided when it is heard of', () => {
    const late = [home('2026-03-02 09:00', { 'heard at': '2026-03-02 21:00' })]
    expect(unmet(hello, { when: late, then: [{ sent: 'hello', at: '2026-03-02 21:00' }] })).toEqual(
      [],
    )
    const tooLate = [home('2026-03-02 09:00', { 'heard at': '2026-03-04 09:00' })]
    expect(
      unmet(hello, { when: tooLate, then: ['nothing', { 'did not enter': 'event_too_old' }] }),
    ).toEqual([])
  })

  test('what is so late that nobody can use it is told at its line', () => {
    const written = {
      when: [home('2026-03-02 09:00', { 'heard at': '2026-09-02 09:00' })],
      then: ['nothing'],
    }
    expect(unmet(hello, written)).toEqual([
      'when.0 an event that can be used | care.discharge.completed.v1 was put aside: it happened so long ago that nobody knows whether it was told before (older_than_inbox)',
    ])
  })

  test('of an appointment what is not said is as it was said before, in a newer version', () => {
    const { history } = play(dayBefore, {
      when: [
        booked('2026-03-02 09:00', '2026-03-14 09:30'),
        { at: '2026-03-03 09:00', happens: 'care.appointment.moved.v1' },
        moved('2026-03-04 09:00', '2026-03-20 09:30', { entity: 'appointment/other', version: 7 }),
      ],
      then: ['nothing else'],
    })
    const told = history.events.flatMap(({ event }) =>
      event.entity ? [[event.entity.id, event.entity.version, event.data.startsAt]] : [],
    )
    expect(told).toEqual([
      ['1', 1, '2026-03-14T08:30:00.000Z'],
      ['1', 2, '2026-03-14T08:30:00.000Z'],
      ['other', 7, '2026-03-20T08:30:00.000Z'],
    ])
  })

  test('a moment in the night in which clocks go back is the one that was meant', () => {
    const at = (offset: string) => `2026-10-25 02:30 ${offset}`
    const night = (said: string, expected: string) =>
      unmet(hello, { when: [home(at(said))], then: [{ sent: 'hello', at: at(expected) }] })
    expect(night('+02:00', '+02:00')).toEqual([])
    expect(night('+01:00', '+02:00')).toEqual([
      'then.0 sent hello, at 2026-10-25 02:30 +02:00 | hello was sent at 2026-10-25 02:30 +01:00 over email',
    ])
  })
})

describe('what a provider tells', () => {
  const cascade = smallHospital([
    campaign({
      id: 'care',
      steps: [
        message('hello', { channels: ['email'] }),
        {
          waitFor: {
            message: 'hello',
            status: ['delivered'],
            within: 'PT30M',
            otherwise: [message('later', { channels: ['sms'] })],
          },
        },
      ],
    }),
  ])
  const when = [home('2026-03-02 09:00')]
  const nothingOf = { 'provider tells': { hello: 'nothing' } }

  test('is that each was delivered, unless something else was said', () => {
    expect(unmet(cascade, { when, then: [{ sent: 'hello' }, 'nothing else'] })).toEqual([])
    const then = [{ sent: 'hello' }, { sent: 'later', at: '2026-03-02 09:30', over: 'sms' }]
    expect(unmet(cascade, { given: nothingOf, when, then })).toEqual([])
  })

  test('is the event that led to what follows at once', () => {
    const { history } = play(cascade, { when, then: [{ sent: 'hello' }] })
    const heard = { type: 'message.delivered.v1', source: 'urn:wegwijs:receipts:smtp' }
    const came = history.decisions.find(({ decision }) => decision.reason === 'awaited_came')
    expect(came?.event).toMatchObject(heard)
    expect(history.events.at(-1)).toMatchObject({ event: heard, outcome: 'delivered' })
  })

  test('is told later, and nothing before', () => {
    const told = (at: string) => [...when, { at, 'provider tells': 'delivered', of: 'hello' }]
    const both = [{ sent: 'hello' }, { sent: 'later' }]
    expect(
      unmet(cascade, { when: told('2026-03-02 09:10'), then: [{ sent: 'hello' }, 'nothing else'] }),
    ).toEqual([])
    expect(unmet(cascade, { when: told('2026-03-02 10:00'), then: both })).toEqual([])
  })

  test('is told late of one channel of a cascade, of which the next is then taken back or not', () => {
    const channels = { cascade: ['email', 'sms'] as ('email' | 'sms')[], after: 'PT30M' }
    const hospital = smallHospital([
      campaign({ id: 'care', steps: [message('hello', { channels })] }),
    ])
    const told = (at: string, over: string) => ({
      when: [...when, { at, 'provider tells': 'delivered', of: 'hello', over }],
    })
    const first = { sent: 'hello', at: '2026-03-02 09:00', over: 'email' }
    const next = { sent: 'hello', at: '2026-03-02 09:30', over: 'sms' }
    const unmetBy = (at: string, over: string, then: object[]) =>
      unmet(hospital, { ...told(at, over), then: [...then, 'nothing else'] as never })
    expect(unmetBy('2026-03-02 09:20', 'email', [first])).toEqual([])
    expect(unmetBy('2026-03-02 09:40', 'email', [first, next])).toEqual([])
    expect(unmetBy('2026-03-02 09:20', 'sms', [first])).toEqual([
      expect.stringContaining('hello over sms at a provider that can tell of it'),
    ])
  })

  test('is not waited for where every channel of a cascade was refused: the campaign goes on at once', () => {
    const channels = { cascade: ['app', 'sms'] as ('app' | 'sms')[], after: 'P1D' }
    const hospital = smallHospital([
      campaign({
        id: 'care',
        steps: [message('hello', { channels }), message('later', { channels: ['email'] })],
      }),
    ])
    const then = [{ 'not sent': 'hello' }, { sent: 'later', at: '2026-03-02 09:00', over: 'email' }]
    expect(unmet(hospital, { given: { 'reached by': ['email'] }, when, then })).toEqual([])
  })

  test('is a bounce, after which another address is used', () => {
    const given = { 'provider tells': { hello: 'bounced' } }
    const then = [
      { sent: 'hello', over: 'email' },
      { sent: 'later', over: 'sms' },
    ]
    expect(unmet(twoDays, { given, when, then })).toEqual([])
    const later = [...when, { at: '2026-03-03 09:00', 'provider tells': 'bounced', of: 'hello' }]
    expect(unmet(twoDays, { when: later, then })).toEqual([])
  })

  test('is an answer, by which somebody may ask us to stop', () => {
    const reply = {
      at: '2026-03-03 09:00',
      'provider tells': 'replied',
      of: 'hello',
      words: 'STOP',
    }
    const given = { 'reached by': ['sms'] }
    const then = [{ sent: 'hello', over: 'sms' }, { 'not sent': 'later' }]
    expect(unmet(twoDays, { given, when: [...when, reply], then })).toEqual([])
  })

  test('is of the message to one of several people, by their name', () => {
    const cascade = { cascade: ['email', 'sms'] as ('email' | 'sms')[], after: 'P1D' }
    const hospital = smallHospital([
      campaign({
        id: 'care',
        steps: [message('hello', { channels: cascade, to: ['person', 'caregiver'] })],
      }),
    ])
    const given = { with: { son: { is: 'caregiver', may: ['care'] } } }
    const bounces = (to: object) => [
      ...when,
      { at: '2026-03-02 09:10', 'provider tells': 'bounced', of: 'hello', ...to },
    ]
    const refused = (bounced: 'person' | 'son', delivered: 'person' | 'son') => ({
      given,
      when: bounces({ to: bounced }),
      then: [
        { sent: 'hello', to: bounced, over: 'email' },
        { sent: 'hello', to: bounced, over: 'sms', at: '2026-03-02 09:10' },
        { sent: 'hello', to: delivered, over: 'email' },
        'nothing else',
      ],
    })
    expect(unmet(hospital, refused('son', 'person'))).toEqual([])
    expect(unmet(hospital, refused('person', 'son'))).toEqual([])
    const then = [{ sent: 'hello' }]
    expect(unmet(hospital, { given, when: bounces({}), then })[0]).toBe(
      'when.1.of "to", which says whose hello it is | hello had been sent to person, son',
    )
    const alone = [
      { sent: 'hello', over: 'email' },
      { sent: 'hello', over: 'sms' },
    ]
    expect(unmet(hospital, { when: bounces({}), then: alone })).toEqual([])
    expect(unmet(hospital, { when: bounces({ to: 'son', over: 'sms' }), then })).toEqual([
      'when.1.of hello to son over sms at a provider that can tell of it | hello had not been sent to son over sms by then',
    ])
  })

  test('cannot be of a message that was not sent', () => {
    const early = { at: '2026-03-03 09:00', 'provider tells': 'delivered', of: 'later' }
    const then = [{ sent: 'hello' }, { sent: 'later' }]
    expect(unmet(twoDays, { when: [...when, early], then })).toEqual([
      'when.1.of later at a provider that can tell of it | later had not been sent by then',
    ])
  })
})

describe('what had happened before', () => {
  const secondTime = smallHospital([
    campaign({
      id: 'again',
      entry: 'every-time',
      audience: {
        where: {
          happened: {
            touchpoint: 'care.discharge.completed.v1',
            within: 'P30D',
            times: { exactly: 2 },
            where: { field: 'event.ward', op: 'eq', value: 'west' },
          },
        },
      },
    }),
    campaign({ id: 'always', entry: 'once' }),
  ])
  const west = { data: { ward: 'west' } }
  const now = home('2026-03-02 09:00', west)
  const withPast = (...past: object[]) => ({ given: { 'happened before': past }, when: [now] })

  test('counts, and sent nothing and started nothing', () => {
    const then = [
      { sent: 'hello', at: '2026-03-02 09:00' },
      { sent: 'always/hello' },
      'nothing else',
    ]
    expect(unmet(secondTime, { ...withPast(home('2026-02-01 00:00', west)), then })).toEqual([])
  })

  test.each([
    ['on the day before the window begins', withPast(home('2026-01-30 23:59', west))],
    ['where its condition does not hold', withPast(home('2026-02-20 09:00'))],
    ['not at all', { when: [now] }],
    ['once too often', withPast(home('2026-02-20 09:00', west), home('2026-02-21 09:00', west))],
  ])('%s', (_, written) => {
    const then = [{ 'did not enter': 'condition_false', at: '2026-03-02 09:00' }, 'nothing']
    expect(unmet(secondTime, { ...written, then })).toEqual([])
  })

  test('leaves an appointment as it then was', () => {
    const past = [booked('2026-01-02 09:00', '2026-03-10 09:00')]
    const when = [moved('2026-03-02 09:00', '2026-03-20 09:00')]
    const played = play(dayBefore, {
      given: { age: 70, 'happened before': past },
      when,
      then: ['nothing', { persona: 'senior' }],
    })
    expect(played.unmet).toEqual([])
    expect([...played.state.entities.values()]).toMatchObject([{ version: 2 }])
  })
})

test('a date that comes at another moment than is said does not hold', () => {
  const dated = smallHospital([
    campaign({
      id: 'year',
      trigger: { date: { field: 'person.operationOn', after: 'P1Y', at: '10:00' } },
    }),
  ])
  const given = { fields: { operationOn: '2025-03-11' } }
  const comes = (at: string) => ({
    given,
    when: [{ at, 'its date comes': true }],
    then: [{ sent: 'hello', at: '2026-03-11 10:00' }],
  })
  expect(unmet(dated, comes('2026-03-11 10:00'))).toEqual([])
  expect(unmet(dated, comes('2026-03-10 10:00'))).toEqual([
    'when.0.its date comes the date for which year waits | it comes at 2026-03-11 10:00',
  ])
})
