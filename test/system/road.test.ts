import { fileURLToPath } from 'node:url'
import { loadDefinition } from '@wegwijs/definition/load-definition'
import { systemClock } from '@wegwijs/runtime/clock'
import { newUuid } from '@wegwijs/runtime/derived-id'
import type { JsonObject } from '@wegwijs/wire/json'
import { receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import { topicsOf } from '@wegwijs/wire/topics'
import { formatEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { describe, expect } from 'vitest'
import { arrival, ask, askAll, names } from './src/events.ts'
import { type System, secret } from './src/system.ts'
import { cannotRun, test } from './src/test.ts'
import { checkDeliveries } from './src/truth.ts'
import { until } from './src/until.ts'

const structured = 'application/cloudevents+json'
const roads = ['mail', 'text', 'note'] as const

/** Every way in: a publisher may speak over HTTP or Kafka, in each mode of CloudEvents. */
const entrances: Record<string, (system: System, event: TouchpointEvent) => Promise<unknown>> = {
  'http-structured': (system, event) =>
    taken(system.post(JSON.stringify(formatEvent(event)), { 'content-type': structured })),
  'http-binary': (system, { data, ...event }) => {
    const attributes = Object.entries(formatEvent({ ...event, data: {} }))
    const headers = attributes
      .filter(([name]) => name !== 'data' && name !== 'datacontenttype')
      .map(([name, value]) => [`ce-${name}`, encodeURIComponent(String(value))])
    const all = { ...Object.fromEntries(headers), 'content-type': 'application/json' }
    return taken(system.post(JSON.stringify(data), all))
  },
  'http-batch': (system, event) => system.publish([event]),
  'kafka-binary': (system, event) => system.produce([event]),
  'kafka-structured': (system, event) => {
    const { touchpoints } = topicsOf(system.namespace)
    const value = Buffer.from(JSON.stringify(formatEvent(event)))
    const headers = { 'content-type': structured }
    const record = { topic: touchpoints, key: event.subject, value, headers }
    return system.kafka.publisher.publish([record], { deadlineMs: 20_000 })
  },
}

async function taken(answering: Promise<Response>): Promise<void> {
  const answer = await answering
  if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`)
}

describe.skipIf(cannotRun)('the road', () => {
  test('events by every entrance become messages by every channel', async ({ open }) => {
    const system = await open()
    await system.start()
    const people = Object.keys(entrances)
    for (const [subject, send] of Object.entries(entrances)) {
      await send(system, arrival(subject, { givenName: subject }))
      for (const road of roads) await send(system, ask(road, subject))
    }
    const many = names('p', 100)
    await system.publish(askAll(many, ['mail', 'text']))
    const { messages } = await system.settled()

    const { unsent, marked } = await checkDeliveries(system, [...people, ...many], ['mail', 'text'])
    expect({ unsent, marked }).toEqual({ unsent: [], marked: [] })
    for (const subject of people) expect(await system.inbox(subject)).toEqual([`${subject}-note`])
    const mail = system.accepted().find(({ reference }) => reference === 'kafka-binary-mail')
    expect(mail).toMatchObject({
      channel: 'email',
      to: 'kafka-binary@example.org',
      from: 'Test Clinic <post@clinic.example.org>',
      subject: 'Over kafka-binary-mail',
      text: expect.stringContaining('Dag kafka-binary'),
      html: expect.stringContaining('Dag kafka-binary'),
    })

    const { accepted, receiptsSent } = await system.sandboxStatus()
    const { delivered = 0, bounced = 0, sent = 0, ...others } = messages
    expect(others).toEqual({})
    expect(accepted).toEqual({ email: 105, sms: 105 })
    // What lies in the app inbox is there; of some messages no provider ever says anything.
    expect(delivered + bounced).toBe(people.length + receiptsSent)
    expect(sent).toBe(210 - receiptsSent)

    await bounce(system, mail?.intentId ?? '')
    const toldStates = async () => (await system.explain('kafka-binary')).map(({ state }) => state)
    await until('the bounce is known', toldStates, (states) => states.includes('bounced'))
    const told = await until(
      'every message has been told of',
      () => system.recordsOf(topicsOf(system.namespace).messages),
      (records) => intentsOf(records).size === people.length + 210,
    )
    expect(told.every(({ headers }) => String(headers.ce_source) === 'urn:wegwijs')).toBe(true)
    expect(await system.brokenRules()).toEqual([])
    const check = await system.wegwijs('ledger', 'check')
    expect([check.code, check.output]).toEqual([0, expect.not.stringContaining('BROKEN')])
  })

  test('the example hospital welcomes, confirms and answers a cancellation', async ({ open }) => {
    const folder = fileURLToPath(new URL('../../examples/hospital', import.meta.url))
    const { bundle } = await loadDefinition(folder)
    if (bundle === null) throw new Error('the example has faults')
    const system = await open({ definition: bundle })
    await system.start()
    const say = (type: string, subject: string, data: JsonObject, over = {}): TouchpointEvent => ({
      id: newUuid(),
      source: 'urn:example:delinde:ehr',
      type,
      subject,
      time: systemClock.instant(),
      data,
      ...over,
    })
    const startsAt = new Date(Date.parse(systemClock.instant()) + 9 * 86_400_000).toISOString()
    const booking = { startsAt, kind: 'consultation', location: 'Route 12' }
    const inThat = (version: number) => ({ entity: 'appointment/A-7', version })
    const contacts = { email: 'noor@example.org', phone: '+447700900111' }
    const senior = { birthYear: 1948, attributes: { usesPortal: true }, locale: 'nl' }
    await system.produce([
      say('person.upserted.v1', 'noor', { givenName: 'Noor', contacts, locale: 'nl' }),
      say('person.upserted.v1', 'wim', { contacts: { app: 'wim' }, ...senior }),
      say('care.admission.started.v1', 'noor', { department: 'cardiologie' }),
      say('care.admission.started.v1', 'wim', { department: 'cardiologie' }),
      say('care.appointment.booked.v1', 'noor', booking, inThat(1)),
    ])
    // By e-mail, or by SMS once a mail has bounced.
    const toNoor = () => system.accepted()
    await until(
      'welcome and confirmation have come',
      () => toNoor().length,
      (count) => count === 2,
    )
    const stateOf = async (id: string) =>
      (await system.explain('noor')).find(({ messageId }) => messageId === id)?.state
    expect(await stateOf('reminder')).toBe('planned')
    await system.produce([say('care.appointment.cancelled.v1', 'noor', { startsAt }, inThat(2))])
    await until(
      'the cancellation has come',
      () => toNoor().length,
      (count) => count === 3,
    )
    expect(await stateOf('reminder')).toBe('cancelled')
    const addresses = new Set(toNoor().map(({ to }) => to))
    expect([contacts.email, contacts.phone]).toEqual(expect.arrayContaining([...addresses]))
    // Neither an e-mail nor an SMS ever names a department.
    expect(JSON.stringify(toNoor())).not.toContain('cardiologie')
    await until(
      'the app has it',
      async () => (await system.inboxOf('wim')).length,
      (n) => n === 1,
    )
    expect(await system.brokenRules()).toEqual([])
  })
})

function intentsOf(records: readonly { value: Buffer | null }[]): Set<string> {
  return new Set(records.map(({ value }) => JSON.parse(String(value)).intentId))
}

/** As a mail server does hours later, about something it had taken. */
async function bounce(system: System, reference: string): Promise<void> {
  const at = systemClock.instant()
  const receipt = { receiptId: newUuid(), reference, status: 'bounced', at, detail: 'mailbox_full' }
  const body = JSON.stringify({ receipts: [receipt] })
  const headers = {
    'content-type': 'application/json',
    [receiptSignatureHeader]: signBody(body, secret),
  }
  await taken(system.post(body, headers, '/v1/receipts/smtp'))
  const forged = { ...headers, [receiptSignatureHeader]: 'f'.repeat(64) }
  expect((await system.post(body, forged, '/v1/receipts/smtp')).status).toBe(401)
}
