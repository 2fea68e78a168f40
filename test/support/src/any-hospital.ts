import type { Condition } from '@wegwijs/campaign/condition'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { campaignClasses } from '@wegwijs/campaign/definition/words'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import fc from 'fast-check'
import { smallHospital } from './small-hospital.ts'

type Campaign = Parameters<typeof smallHospital>[0][number]
type Step = CampaignFile['steps'][number]
type Named = Record<string, unknown>

const appointmentTypes = [
  'care.appointment.booked.v1',
  'care.appointment.moved.v1',
  'care.appointment.cancelled.v1',
] as const
const touchpointTypes = [
  'care.admission.started.v1',
  'care.discharge.completed.v1',
  'care.survey.answered.v1',
  ...appointmentTypes,
] as const

/** Of the past: counted by day, so that a history of weeks leaves some of it behind. */
const happened: fc.Arbitrary<Condition> = fc
  .record({
    touchpoint: fc.constantFrom(...touchpointTypes),
    within: fc.constantFrom('P1D', 'P3D', 'P30D'),
    times: fc.constantFrom(undefined, { atLeast: 2 }, { atMost: 1 }, { exactly: 1 }),
    isOnWard: fc.boolean(),
  })
  .map(({ touchpoint, within, times, isOnWard }) => ({
    happened: {
      touchpoint,
      within,
      ...(times ? { times } : {}),
      ...(isOnWard && touchpoint === 'care.discharge.completed.v1'
        ? { where: { field: 'event.ward', op: 'eq', value: 'surgery' } }
        : {}),
    },
  }))

const leaf: fc.Arbitrary<Condition> = fc.constantFrom<Condition[]>(
  { field: 'person.age', op: 'gte', value: 65 },
  { field: 'person.age', op: 'between', value: [20, 70] },
  { field: 'person.hasCarer', op: 'eq', value: true },
  { field: 'person.hasCarer', op: 'exists', value: false },
  { field: 'person.locale', op: 'in', value: ['nl', 'de'] },
  { field: 'person.persona', op: 'neq', value: 'senior' },
  { field: 'journey.stay.phase', op: 'eq', value: 'recovery' },
  { field: 'event.ward', op: 'startsWith', value: 'c' },
  { field: 'entity.startsAt', op: 'within', value: 'P2D' },
  { field: 'entity.startsAt', op: 'daysUntil', value: [0, 3] },
  { field: 'enrolment.m1.status', op: 'in', value: ['sent', 'delivered'] },
  { field: 'enrolment.s1.arm', op: 'eq', value: 'one' },
)

/** What begins to hold of somebody by what happens, or stops happening, or by what is known of them. */
const becomes: fc.Arbitrary<Condition> = fc.oneof(
  happened,
  happened.map((not) => ({ not })),
  fc.tuple(happened, happened).map(([one, other]) => ({ all: [one, { not: other }] })),
  happened.map((past) => ({
    any: [past, { field: 'person.hasCarer', op: 'eq' as const, value: true }],
  })),
)

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    { arbitrary: leaf, weight: 4 },
    { arbitrary: happened, weight: 1 },
    { arbitrary: fc.record({ not: tie('condition') }), weight: 1 },
    {
      arbitrary: fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 2 }) }),
      weight: 1,
    },
    {
      arbitrary: fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 2 }) }),
      weight: 1,
    },
  ),
}))

const hours = (max: number) => fc.integer({ min: 1, max }).map((count) => `PT${count}H`)
const on = fc.constantFrom<('any-day' | 'working-day' | ('monday' | 'thursday')[])[]>(
  'any-day',
  'working-day',
  ['monday', 'thursday'],
)
const moment = fc.oneof(
  fc.record({ for: hours(80), on }),
  fc.record({ for: hours(80), at: fc.constantFrom('02:30', '10:00', '23:00'), on }),
  fc.record({ between: fc.constant<[string, string]>(['09:00', '17:00']), on }),
  fc.record({
    until: fc.constant('entity.startsAt'),
    offset: fc.constantFrom('-P1D', '-PT3H', 'PT2H'),
    on,
  }),
)
/** A wait counts from a date of the person, too. */
const waited = fc.oneof(
  { arbitrary: moment, weight: 4 },
  {
    arbitrary: fc.record({
      until: fc.constant('person.bornOn'),
      offset: fc.constantFrom('-P1D', 'P2D'),
      at: fc.constantFrom('02:30', '10:00'),
      on,
    }),
    weight: 1,
  },
)
/** More often not there than there: with a condition at every place hardly anything would happen. */
const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 2 }, { arbitrary: value, weight: 1 })

const both = (words: string) => ({ nl: words, en: words })

/** Steps whose messages and splits have no names yet. */
const { steps: unnamedSteps } = fc.letrec<{ step: Named; steps: Named[] }>((tie) => {
  const ways = {
    within: hours(60),
    // biome-ignore lint/suspicious/noThenProperty: the word of the language
    then: optional(tie('steps')),
    otherwise: optional(tie('steps')),
  }
  const message = fc.record({
    template: fc.constantFrom('hello', 'later'),
    channels: optional(
      fc.oneof<fc.Arbitrary<unknown>[]>(
        fc.constantFrom(['sms'], ['email'], ['sms', 'email']),
        fc.constant({ all: ['email', 'sms'] }),
        fc.record({
          cascade: fc.constantFrom(['sms', 'email'], ['email', 'sms']),
          after: fc.constantFrom('PT30M', 'PT5H'),
        }),
      ),
    ),
    send: optional(moment),
    expires: optional(hours(72)),
    until: optional(fc.constant('entity.startsAt')),
  })
  return {
    steps: fc.array(tie('step'), { minLength: 1, maxLength: 3 }),
    step: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      { arbitrary: fc.record({ message }), weight: 5 },
      { arbitrary: fc.record({ wait: waited }), weight: 3 },
      { arbitrary: fc.constant({ end: true }), weight: 1 },
      {
        arbitrary: fc.record({
          branch: fc
            .tuple(
              fc.array(fc.record({ when: condition, steps: tie('steps') }), {
                minLength: 1,
                maxLength: 2,
              }),
              optional(tie('steps')),
            )
            .map(([arms, otherwise]) => [...arms, ...(otherwise ? [{ otherwise }] : [])]),
        }),
        weight: 2,
      },
      {
        arbitrary: fc.record({
          split: fc.record({
            arms: fc
              .tuple(tie('steps'), optional(tie('steps')), fc.integer({ min: 1, max: 9 }))
              .map(([one, other, weight]) => [
                { name: 'one', weight, steps: one },
                { name: 'other', weight: 10 - weight, ...(other ? { steps: other } : {}) },
              ]),
          }),
        }),
        weight: 1,
      },
      {
        arbitrary: fc.record({
          ask: fc.record({
            template: fc.constantFrom('hello', 'later'),
            send: optional(moment),
            question: fc.constant({ nl: 'Komt u?', en: 'Will you come?' }),
            within: hours(60),
            answers: fc.tuple(optional(tie('steps')), optional(tie('steps'))).map(([yes, no]) => [
              { answer: 'yes', says: both('yes'), words: { nl: ['ja'], en: ['yes'] }, steps: yes },
              { answer: 'no', says: both('no'), words: { nl: ['nee'], en: ['no'] }, steps: no },
            ]),
            otherwise: optional(tie('steps')),
          }),
        }),
        weight: 2,
      },
      {
        arbitrary: fc.record({
          task: fc.record({
            team: fc.constant('nurses'),
            title: fc.constant(both('call')),
            due: optional(moment),
            within: hours(60),
            outcomes: optional(tie('steps')).map((steps) => [
              { outcome: 'reached', says: both('reached'), steps },
            ]),
            otherwise: optional(tie('steps')),
          }),
        }),
        weight: 1,
      },
      {
        arbitrary: fc.record({
          waitFor: fc.oneof(
            fc.record({
              touchpoint: fc.constantFrom(...touchpointTypes),
              where: optional(condition),
              entity: fc.constantFrom('same', 'any'),
              ...ways,
            }),
            fc.record({
              nth: fc.nat(3),
              status: fc.constantFrom(['delivered'], ['bounced'], ['delivered', 'bounced']),
              ...ways,
            }),
          ),
        }),
        weight: 2,
      },
    ),
  }
})

/** Gives messages and splits their names in the order of the text; what waits for one waits for one before. */
function nameSteps(steps: readonly Named[]): Step[] {
  const messages: string[] = []
  let splits = 0
  let tasks = 0
  const named = (of: Named): Named => {
    if ('template' in of)
      return { id: messages[messages.push(`m${messages.length + 1}`) - 1], ...of }
    if ('arms' in of) {
      splits += 1
      return { id: `s${splits}`, ...of }
    }
    if ('outcomes' in of) {
      tasks += 1
      return { id: `t${tasks}`, ...of }
    }
    if (!('nth' in of)) return of
    const { nth, status, ...ways } = of
    const message = messages[Number(nth) % messages.length]
    return message ? { message, status, ...ways } : { touchpoint: touchpointTypes[2], ...ways }
  }
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk)
    if (typeof part !== 'object' || part === null) return part
    const own = Object.entries(named(part as Named)).filter(([, value]) => value !== undefined)
    return Object.fromEntries(own.map(([key, value]) => [key, walk(value)]))
  }
  return walk(steps) as Step[]
}

const touchpointThat = fc.record({
  touchpoint: fc.constantFrom(...touchpointTypes),
  where: optional(condition),
  entity: fc.constantFrom<('same' | 'any')[]>('same', 'any'),
})

const anyCampaign = fc
  .record({
    class: fc.constantFrom(...campaignClasses),
    trigger: fc.oneof(
      {
        arbitrary: fc.record({
          touchpoint: fc.constantFrom(...touchpointTypes),
          where: optional(condition),
          maxAge: fc.constantFrom('PT1H', 'P3D'),
        }),
        weight: 5,
      },
      { arbitrary: fc.constant({ attribute: 'person.hasCarer', to: true }), weight: 1 },
      { arbitrary: fc.constant({ manual: true as const }), weight: 1 },
      {
        arbitrary: fc.record({
          date: fc.record({
            entity: fc.constant('appointment'),
            field: fc.constant('startsAt'),
            before: fc.constantFrom('P1D', 'PT6H'),
            at: optional(fc.constantFrom('10:00', '02:30')),
          }),
        }),
        weight: 1,
      },
      { arbitrary: fc.record({ becomes }), weight: 2 },
    ),
    audience: optional(fc.record({ where: condition })),
    entry: fc.constantFrom<NonNullable<Campaign['entry']>[]>(
      'once',
      'once-per-journey',
      'once-per-entity',
      'every-time',
      'every-time',
      { again: 'P2D' },
    ),
    atOnce: optional(fc.integer({ min: 1, max: 2 })),
    holdOut: optional(fc.constant(30)),
    exit: fc.array(touchpointThat, { maxLength: 2 }),
    goal: optional(
      fc.tuple(touchpointThat, hours(200)).map(([what, within]) => ({ ...what, within })),
    ),
    steps: unnamedSteps.map(nameSteps),
  })
  .map(({ holdOut, ...rest }) => ({
    ...rest,
    // Nobody is kept from care, and nobody goes once through each of what there is none of.
    ...(holdOut && rest.class !== 'care' ? { holdOut } : {}),
  }))

/** Any definition that can be said with the words of the small hospital. */
export const anyHospital: fc.Arbitrary<DefinitionBundle> = fc
  .record({
    campaigns: fc.array(anyCampaign, { minLength: 2, maxLength: 5, size: 'max' }),
    quietHours: optional(
      fc.constantFrom({ from: '21:00', until: '08:00' }, { from: '12:00', until: '14:00' }),
    ),
    budgets: fc.subarray([
      { id: 'a-day', most: 1, per: 'PT20H', classes: ['service' as const] },
      { id: 'a-week', most: 3, per: 'P7D', classes: ['service' as const, 'marketing' as const] },
    ]),
  })
  .map(({ campaigns, quietHours, budgets }) => {
    const bundle = smallHospital(
      campaigns.map((each, index) => {
        const own = Object.entries(each).filter(([, value]) => value !== undefined)
        const id = `c${index + 1}`
        return { id, name: id, journey: 'stay', ...Object.fromEntries(own) } as Campaign
      }),
    )
    const { classes } = bundle.policies
    const quiet = quietHours ? { quietHours } : {}
    return {
      ...bundle,
      policies: {
        ...bundle.policies,
        teams: [{ id: 'nurses', name: both('nurses') }],
        budgets,
        classes: {
          ...classes,
          service: { ...classes.service, ...quiet },
          marketing: { ...classes.marketing, ...quiet },
        },
      },
    }
  })

/** An event, and when it came in: at once, or late. */
export type Arrival = { readonly event: TouchpointEvent; readonly arrivedAt: string }

const source = 'urn:test:ehr'
const happening = fc.record({
  person: fc.integer({ min: 1, max: 3 }),
  minutes: fc.oneof(fc.nat(90), fc.nat(3_000)),
  lateMinutes: fc.oneof(
    { arbitrary: fc.constant(0), weight: 4 },
    { arbitrary: fc.nat(600), weight: 1 },
  ),
  type: fc.oneof(
    { arbitrary: fc.constantFrom<string[]>(...touchpointTypes), weight: 30 },
    {
      arbitrary: fc.constantFrom('consent.granted.v1', 'person.upserted.v1', 'person.enrolled.v1'),
      weight: 5,
    },
    { arbitrary: fc.constant('consent.withdrawn.v1'), weight: 2 },
    { arbitrary: fc.constant('person.deceased.v1'), weight: 1 },
  ),
  appointment: fc.integer({ min: 1, max: 2 }),
  version: fc.integer({ min: 1, max: 4 }),
  startsInHours: fc.integer({ min: -5, max: 150 }),
  isOther: fc.boolean(),
  campaign: fc.integer({ min: 1, max: 4 }),
})
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never

/** What happens to three people, in its order of arrival; the clocks change while it does. */
export const anyHistory: fc.Arbitrary<Arrival[]> = fc
  .array(happening, { minLength: 5, maxLength: 30, size: 'max' })
  .map((happenings) => {
    let nowMs = Date.parse('2026-03-27T08:00:00.000Z')
    const comes = [1, 2, 3].flatMap((person) => introductionOf(person, nowMs))
    for (const [index, each] of happenings.entries()) {
      nowMs += each.minutes * 60_000
      comes.push(arrivalOf(each, index, nowMs))
    }
    return comes
  })

const instantOf = (ms: number) => new Date(ms).toISOString()

/** Two of the three agree to be asked and told. */
function introductionOf(person: number, nowMs: number): Arrival[] {
  const time = instantOf(nowMs)
  const subject = `p${person}`
  const phone = person === 2 ? {} : { phone: '+447700900123' }
  const contacts = { email: `${subject}@example.org`, ...phone }
  const profile = { givenName: 'Anna', birthYear: 1935 + 25 * person, contacts, test: true }
  const agrees = ['marketing', 'research'].map((purpose) => ({
    type: 'consent.granted.v1',
    data: { purpose, origin: 'person' },
  }))
  const events = [{ type: 'person.upserted.v1', data: profile }, ...(person === 3 ? [] : agrees)]
  return events.map(({ type, data }, index) => ({
    event: { id: `first-${person}-${index}`, source, type, subject, time, data },
    arrivedAt: time,
  }))
}

function arrivalOf(each: Happening, index: number, nowMs: number): Arrival {
  const time = instantOf(nowMs - each.lateMinutes * 60_000)
  const event = { id: `e${index}`, source, type: each.type, subject: `p${each.person}`, time }
  return { event: { ...event, ...detailsOf(each, nowMs) }, arrivedAt: instantOf(nowMs) }
}

/** A day around now, or none. */
function dayOf({ version, startsInHours }: Happening, nowMs: number): string | null {
  return version === 4 ? null : instantOf(nowMs + startsInHours * 3_600_000).slice(0, 10)
}

function detailsOf(
  each: Happening,
  nowMs: number,
): Pick<TouchpointEvent, 'data' | 'entity' | 'version'> {
  const { isOther } = each
  switch (each.type) {
    case 'person.upserted.v1':
      return {
        data: {
          attributes: { hasCarer: isOther, bornOn: dayOf(each, nowMs) },
          locale: isOther ? 'nl' : 'en',
          preferredChannel: each.appointment === 1 ? 'sms' : null,
          test: true,
        },
      }
    case 'person.enrolled.v1':
      return { data: { campaign: `c${each.campaign}` } }
    case 'consent.granted.v1':
    case 'consent.withdrawn.v1':
      return { data: { purpose: isOther ? 'marketing' : 'all', origin: 'person' } }
    case 'care.discharge.completed.v1':
      return { data: { ward: isOther ? 'cardiology' : 'surgery' } }
    case 'care.appointment.booked.v1':
    case 'care.appointment.moved.v1':
    case 'care.appointment.cancelled.v1':
      return {
        data: each.type.includes('cancelled')
          ? {}
          : { startsAt: instantOf(nowMs + each.startsInHours * 3_600_000) },
        entity: `appointment/${each.person}-${each.appointment}`,
        version: each.version,
      }
    default:
      return { data: {} }
  }
}
