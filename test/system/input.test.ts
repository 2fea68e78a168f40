import { systemClock } from '@wegwijs/runtime/clock'
import { listDeadLetters } from '@wegwijs/store/dead-letters'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import { formatEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { describe, expect } from 'vitest'
import { askFor } from './src/clinic.ts'
import { arrival, ask, event } from './src/events.ts'
import { cannotRun, test } from './src/test.ts'
import { until } from './src/until.ts'

const structured = 'application/cloudevents+json'
const good = () => ask('mail', 'somebody', 'never')
const text = (over: Partial<Record<keyof TouchpointEvent, unknown>>) =>
  JSON.stringify({ ...formatEvent(good()), ...over })
const later = (minutes: number) =>
  new Date(Date.parse(systemClock.instant()) + minutes * 60_000).toISOString()

/** What it is, its bytes as a structured event, and what it gets. */
const rows: readonly (readonly [what: string, body: () => string, status: number, kind: string])[] =
  [
    ['not JSON', () => '{"id": ', 400, 'not_json'],
    ['no CloudEvent', () => '{"hello": "world"}', 400, 'not_a_cloudevent'],
    ['an unknown type', () => text({ type: 'care.unheard-of.v1' }), 400, 'unknown_type'],
    ['data against its schema', () => text({ data: { reference: 7 } }), 400, 'data_invalid'],
    ['no subject', () => text({ subject: undefined }), 400, 'no_subject'],
    [
      'more than 256 kB',
      () => text({ data: { reference: 'x'.repeat(262_144) } }),
      413,
      'too_large',
    ],
    [
      'a __proto__ key',
      () => text({}).replace('"reference":', '"__proto__":{},"reference":'),
      400,
      'forbidden_key',
    ],
    [
      '\\u0000 in a string',
      () => text({ data: { reference: 'a\0b' } }),
      400,
      'forbidden_character',
    ],
    ['six minutes ahead', () => text({ time: later(6) }), 400, 'time_in_future'],
    ['older than the inbox', () => text({ time: later(-60 * 24 * 400) }), 400, 'older_than_inbox'],
    ['a source of others', () => text({ source: 'urn:others' }), 403, 'source_not_allowed'],
    ['a type of ours', () => text({ type: 'message.delivered.v1' }), 403, 'type_not_allowed'],
  ]

describe.skipIf(cannotRun)('bad input', () => {
  test('gets an answer over HTTP, a dead letter over Kafka, and stops nothing', async ({
    open,
  }) => {
    const system = await open()
    await system.start('gateway', 'journey')

    for (const [what, body, status, errorClass] of rows) {
      const answer = await system.post(body(), { 'content-type': structured })
      expect([answer.status, what], await answer.clone().text()).toEqual([status, what])
      expect((await answer.json()) as object, what).toMatchObject({ errorClass })
    }
    const unread = await system.post(text({}), { 'content-type': 'text/plain' })
    expect(unread.status).toBe(415)
    const stranger = await system.post(text({}), {
      'content-type': structured,
      authorization: 'Bearer wgw_0000000000000000_00000000000000000000000000000000000000000000',
    })
    expect(stranger.status).toBe(401)

    const { touchpoints } = topicsOf(system.namespace)
    const headers = { 'content-type': structured }
    const records = rows.map(([, body]) => ({
      topic: touchpoints,
      key: 'somebody',
      value: Buffer.from(body()),
      headers,
    }))
    const after = { topic: touchpoints, ...encodeRecord(arrival('somebody')) }
    await system.kafka.publisher.publish([...records, after], { deadlineMs: 20_000 })
    await until('the partition has gone on', system.status, ({ people }) => people === 1)
    const letters = await listDeadLetters(system.store.db, { limit: 100 })
    // A source that is ours to nobody is told apart from a type before its credential is known.
    const kinds = rows.map(([, , , kind]) => kind)
    expect(letters.map(({ errorClass }) => errorClass).sort()).toEqual([...kinds].sort())
    expect(letters.every(({ reason }) => reason !== '')).toBe(true)
    expect(await system.brokenRules()).toEqual([])

    await system.start('scheduler')
    const topic = topicsOf(system.namespace).deadLetters
    const ended = ([range]: { high: bigint }[]) => range?.high === BigInt(rows.length)
    await until('the dead letters are published', () => system.kafka.admin.endOffsets(topic), ended)
    const published = await system.recordsOf(topic)
    const bytesOf = ({ value }: { value: Buffer | null }) => String(value)
    expect(published.map(bytesOf).sort()).toEqual(records.map(bytesOf).sort())
    const classes = published.map(({ headers }) => String(headers['dlq-error-class']))
    expect(classes.sort()).toEqual([...kinds].sort())
    expect(
      published.every(({ headers }) => String(headers['dlq-original-topic']) === touchpoints),
    ).toBe(true)
  })

  test('what came before, or too late, is kept and changes nothing', async ({ open }) => {
    const system = await open()
    await system.start()
    const again = ask('text', 'p1', 'once')
    await system.publish([arrival('p1'), again, again])
    await system.publish([again])
    await system.produce([again])
    const moved = (version: number) =>
      event(
        'p2',
        'care.appointment.moved.v1',
        { reference: `version-${version}` },
        { entity: 'appointment/A-1', version },
      )
    await system.publish([arrival('p2'), moved(2), moved(1)])
    const before = new Date(Date.parse(systemClock.instant()) - 3_600_000).toISOString()
    const consent = { purpose: 'marketing', origin: 'person' }
    await system.publish([
      arrival('p3'),
      event('p3', 'consent.withdrawn.v1', consent),
      event('p3', 'consent.granted.v1', { ...consent, origin: 'import' }, { time: before }),
    ])
    await system.settled()
    await system.publish([
      ask('offer', 'p3', 'unwanted'),
      arrival('p4', { contacts: { email: null, phone: null } }),
      event('p4', askFor('reach'), { reference: 'unreachable' }),
      arrival('p5', { contacts: { phone: '+447700900005' } }),
      event('p5', askFor('reach'), { reference: 'by-phone' }),
    ])
    await system.settled()

    const sent = system.accepted().map(({ reference, channel }) => [reference, channel])
    expect(sent.sort()).toEqual([
      ['by-phone', 'sms'],
      ['once', 'sms'],
      ['version-2', 'sms'],
    ])
    const reasonOf = async (subject: string) =>
      (await system.explain(subject)).map(({ state, reason }) => [state, reason])
    expect(await reasonOf('p4')).toEqual([['skipped', 'no_usable_channel']])
    const story = await system.wegwijs('explain', 'ehr:p3', '--campaign', 'offer', '--json')
    expect(story.code).toBe(0)
    expect(story.output).toMatch(/consent/)
    expect(await system.brokenRules()).toEqual([])
  })
})
