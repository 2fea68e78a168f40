import { receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import { afterEach, expect, test } from 'vitest'
import { type Answer, event, openRig, type Rig, secret, withdrawal } from './rig.ts'

// P7: what was sent about a person is found in no answer, no log line and no metric, whatever way
// in it took and whatever went wrong with it.

const planted = [
  'Wilhelmina',
  'van-der-Plantage',
  'w.plantage@example.org',
  '+31612345678',
  '0612345678',
  'Dorpsstraat-17',
  '1234AB',
  '1949-03-14',
  'BSN-123456782',
  'MRN-9988776',
  'oncologie-4C',
  'sepsis-antibiotica',
] as const

let rig: Rig
afterEach(() => rig.close())

/** Values may come back percent-encoded or as JSON; both hold them as they are, or parts of them. */
function expectNowhere(where: string, text: string): void {
  for (const value of planted) {
    expect(text.includes(value), `${value} in ${where}: ${text.slice(0, 2_000)}`).toBe(false)
  }
}

const all = planted.join(' ')
const everywhere = {
  subject: all,
  data: { ward: all, [planted[0]]: all, nested: { [planted[1]]: [all] } },
}

/** Requests of every kind with the values in every place; what comes of them is of no matter. */
function ways(): (() => Promise<Answer>)[] {
  const bodies = [
    event(everywhere),
    withdrawal({ ...everywhere, data: { purpose: 'care', origin: 'person', proof: all } }),
    event({ type: 'person.deceased.v1', ...everywhere }),
    event({
      type: 'person.upserted.v1',
      subject: all,
      data: { givenName: planted[0], contacts: { email: planted[2], phone: planted[3] } },
    }),
    event({ type: 'person.upserted.v1', data: { birthYear: planted[7], locale: all } }),
    event({ ...everywhere, type: all }),
    event({ ...everywhere, type: `care.${planted[0].toLowerCase()}.v1` }),
    event({ ...everywhere, source: `urn:${planted[2]}` }),
    event({ ...everywhere, time: all }),
    event({ ...everywhere, time: '2099-01-01T00:00:00Z' }),
    event({ ...everywhere, entity: `appointment/${all}`, version: all }),
    event({ ...everywhere, specversion: all }),
    event({ ...everywhere, data: { ward: `${all}\u0000` } }),
    event({ ...everywhere, data: all }),
    event({ ...everywhere, datacontenttype: all }),
    event({ ...everywhere, traceparent: all, wegwijssignature: all }),
  ]
  const texts = [all, `{"id":"${all}"`, `["${all}"]`, `{"${all}":`, `"${all}"`]
  const receipts = [
    { receiptId: 'r-1', reference: all, status: all, at: all, detail: all },
    { receiptId: 'r-2', reference: all, status: 'replied', at: '2026-01-01T00:00:00Z' },
    { [all]: all },
    all,
  ]
  const receiptBodies = [...receipts.map((each) => JSON.stringify({ receipts: [each] })), ...texts]
  const person = encodeURIComponent(all)
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
  return [
    ...bodies.map((body) => () => rig.send(body)),
    () => rig.send(bodies),
    ...texts.map((body) => () => rig.send({}, { body })),
    ...texts.map((body) => () => rig.send([], { body })),
    () => rig.send(event(everywhere), { headers: bearer(encodeURIComponent(all)) }),
    () => rig.send(event(everywhere), { headers: { 'content-type': `text/${planted[0]}` } }),
    () => rig.send(event(everywhere), { headers: { 'content-encoding': planted[0] } }),
    () =>
      rig.call('POST', '/v1/events', {
        body: JSON.stringify(everywhere.data),
        headers: {
          ...bearer(rig.key),
          'content-type': 'application/json',
          'ce-specversion': '1.0',
          'ce-id': person,
          'ce-subject': person,
          'ce-type': person,
          'ce-source': person,
          'ce-time': person,
        },
      }),
    ...receiptBodies.flatMap((body) =>
      [signBody(body, secret), planted[0]].map(
        (signature) => () =>
          rig.call('POST', '/v1/receipts/sms-http', {
            body,
            headers: { 'content-type': 'application/json', [receiptSignatureHeader]: signature },
          }),
      ),
    ),
    () => rig.call('POST', `/v1/receipts/${person}`, { body: all }),
    ...['ehr', planted[0]].flatMap((space) =>
      [
        `${person}/messages`,
        `${person}/messages/${person}/read`,
        person,
        `${planted[0]}%ZZ`,
      ].flatMap((path) =>
        (['GET', 'POST'] as const).map(
          (method) => async () =>
            rig.call(method, `/v1/app/people/${space}/${path}?after=${person}`, {
              headers: bearer(await rig.makeKey({ scopes: ['app.read'] })),
            }),
        ),
      ),
    ),
    () => rig.call('GET', `/${person}?${person}=${person}`, { headers: { referer: planted[2] } }),
  ]
}

async function expectSilence(): Promise<void> {
  const statuses = new Set<number>()
  for (const [index, way] of ways().entries()) {
    const answer = await way()
    statuses.add(answer.status)
    expectNowhere(`answer ${index}`, `${answer.text} ${JSON.stringify(answer.headers)}`)
  }
  expectNowhere('the log', rig.logged())
  expectNowhere('the metrics', await rig.metrics.text())
  expect(statuses.size).toBeGreaterThan(1)
}

test('when all is well', async () => {
  rig = await openRig()
  await expectSilence()
})

test('while Kafka and PostgreSQL are away', async () => {
  rig = await openRig()
  await rig.send(event())
  rig.broker.unavailable(true)
  rig.database.cut()
  await expectSilence()
})

test('when something breaks that quotes what it was given', async () => {
  rig = await openRig({
    over: {
      publisher: {
        publish: async () => {
          throw Object.assign(new Error(all), { code: planted[0], detail: all, cause: all })
        },
        close: async () => {},
      },
    },
  })
  const answer = await rig.send(event(everywhere))
  expect([answer.status, answer.json.code]).toEqual([500, 'WEGWIJS_INTERNAL'])
  expect(rig.logged()).toContain('WEGWIJS_INTERNAL')
  await expectSilence()
})

test('the log says nothing of who called either', async () => {
  rig = await openRig()
  await rig.send(event())
  expect(rig.logged()).not.toContain(rig.key)
  expect(rig.logged()).not.toContain(rig.key.slice(21))
})
