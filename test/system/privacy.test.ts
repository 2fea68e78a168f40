import { systemClock } from '@wegwijs/runtime/clock'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import { topicsOf } from '@wegwijs/wire/topics'
import { formatEvent } from '@wegwijs/wire/touchpoint-event'
import { describe, expect } from 'vitest'
import { askFor } from './src/clinic.ts'
import { arrival, ask, event } from './src/events.ts'
import { leaksIn, shownBy } from './src/planted.ts'
import { startQuotingProviders } from './src/quoting-providers.ts'
import { secret } from './src/system.ts'
import { cannotRun, test } from './src/test.ts'
import { until } from './src/until.ts'

const structured = 'application/cloudevents+json'
const planted = {
  givenName: 'Zwaantje',
  familyName: 'Kwikstaart',
  email: 'roerdomp@example.org',
  phone: '+447700900987',
  appId: 'wielewaal-app',
  remark: 'houdt van baardmannetjes',
  ward: 'afdeling Klapekster',
  proof: 'getekend door Dodaars',
  header: 'Waterhoen',
  brokenBody: 'Tureluur',
  receipt: 'Blauwborst is verhuisd',
  provider: 'Boomklever woont hier niet',
}

describe.skipIf(cannotRun)('personal data (P7)', () => {
  test('of twelve kinds, through every entrance and error: in no log, metric, queue or title', async ({
    open,
    onTestFinished,
  }) => {
    const system = await open()
    await system.start()
    const { touchpoints } = topicsOf(system.namespace)
    const contacts = { email: planted.email, phone: planted.phone, app: planted.appId }
    const { givenName, familyName, remark, ward } = planted
    const profile = { givenName, familyName, contacts, attributes: { remark } }
    system.process('delivery').signal('SIGSTOP')
    await system.publish([
      arrival('p1', profile),
      ask('mail', 'p1'),
      ask('text', 'p1'),
      event('p1', askFor('note'), { reference: 'p1-note', ward }),
    ])
    await system.produce([arrival('p2', profile), ask('mail', 'p2'), ask('text', 'p2')])
    await system.publish([
      event('p1', 'consent.granted.v1', { purpose: 'marketing', proof: planted.proof }),
    ])
    await until('jobs are queued', system.status, ({ messages }) => messages.queued === 5)
    const queued = await shownBy(system)
    expect(queued.get('Redis')).toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-/)
    expect(leaksIn(queued, Object.values(planted))).toEqual([])
    system.process('delivery').signal('SIGCONT')
    await system.settled()
    // They did travel: otherwise that nothing was found would say nothing.
    const sent = JSON.stringify(system.accepted())
    for (const value of [givenName, planted.email, planted.phone]) expect(sent).toContain(value)
    expect(JSON.stringify(await system.inboxOf('p1'))).toContain(ward)

    const text = JSON.stringify(formatEvent(ask('mail', 'p1')))
    const refused = async (body: string, headers: Record<string, string>, path?: string) =>
      expect((await system.post(body, headers, path)).status).toBeGreaterThanOrEqual(400)
    const json = { 'content-type': structured }
    await refused(`{"name": "${planted.brokenBody}"`, json)
    await refused(text.replace('"reference":"', `"reference":7,"${planted.brokenBody}":"`), json)
    await refused(text, { ...json, authorization: `Bearer ${planted.header}` })
    await refused(text, { 'content-type': planted.header })
    await refused('{}', { 'content-type': 'application/json', 'ce-time': planted.header })
    await refused('{}', json, `/v1/${planted.header}`)
    await refused('{}', json, `/v1/app/people/ehr/${planted.header}/messages`)
    await system.kafka.publisher.publish(
      [
        { value: Buffer.from(planted.brokenBody), headers: { 'x-note': planted.header } },
        { value: Buffer.from(`{"a":"${givenName}"}`), headers: json },
        { value: Buffer.from(text.replace('care.mail', `care.${'tureluur'}`)), headers: json },
        {
          value: Buffer.from(
            JSON.stringify({ ...formatEvent(ask('mail', 'p3')), data: { reference: { remark } } }),
          ),
          headers: json,
        },
      ].map((record) => ({ topic: touchpoints, key: 'p3', ...record })),
      { deadlineMs: 20_000 },
    )
    await until('dead letters are kept', system.status, ({ deadLetters }) => deadLetters.open === 4)

    const [mail] = system.accepted()
    for (const status of ['bounced', 'replied', 'unheard-of']) {
      const at = systemClock.instant()
      const receipt = { receiptId: newUuid(), reference: mail?.intentId, at, status }
      const body = JSON.stringify({ receipts: [{ ...receipt, detail: planted.receipt }] })
      const signature = { [receiptSignatureHeader]: signBody(body, secret) }
      const type = { 'content-type': 'application/json' }
      await system.post(body, { ...type, ...signature }, '/v1/receipts/smtp')
    }
    await system.settled()

    // A provider that refuses in its own words, quoting the address.
    const providers = await startQuotingProviders(planted.provider)
    onTestFinished(providers.close)
    await system.process('delivery').kill()
    await system.launch('delivery', 'delivery-refused', {
      WEGWIJS_SMTP_URL: providers.smtpUrl,
      WEGWIJS_SMS_URL: providers.smsUrl,
    })
    await system.publish([
      arrival('p4', profile),
      ask('mail', 'p4', 'refused'),
      ask('text', 'p4', 'refused-too'),
    ])
    await until('both are refused', system.status, ({ messages }) => messages.failed === 2)
    expect(providers.refused()).toBeGreaterThanOrEqual(2)

    const shown = await shownBy(system)
    expect([...shown.keys()].filter((place) => place.startsWith('metrics')).length).toBe(5)
    expect(shown.get('log of gateway')).toContain('listens')
    expect(leaksIn(shown, Object.values(planted))).toEqual([])
    // Nor what lets somebody in.
    const passwords = [
      system.key,
      secret,
      new URL(system.environment.WEGWIJS_DATABASE_URL ?? '').password,
    ]
    expect(leaksIn(shown, passwords.filter(Boolean))).toEqual([])
    const commands = await system.wegwijs('status', '--json')
    expect(leaksIn(new Map([['status', commands.output]]), Object.values(planted))).toEqual([])
  })
})
