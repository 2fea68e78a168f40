import { randomUUID } from 'node:crypto'
import { fileNames } from '@wegwijs/sandbox/accepted'
import { request } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import type { SandboxStatus } from '../src/control-routes.ts'
import type { Fault } from '../src/faults.ts'
import { openGateway } from './gateway.ts'
import { emailMessage, openRig, type Rig, type RigOptions, smsMessage, untroubled } from './rig.ts'

/** On a busy machine. */
const soon = { timeout: 15_000 }

const undo: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function open(options: RigOptions = {}): Promise<Rig> {
  const rig = await openRig(options)
  undo.push(rig.close)
  return rig
}

async function put(rig: Rig, body: unknown): Promise<number> {
  const { statusCode } = await request(`${rig.sandbox.pageUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return statusCode
}

async function statusOf(rig: Rig): Promise<SandboxStatus> {
  const { body } = await request(`${rig.sandbox.pageUrl}/status`)
  return (await body.json()) as SandboxStatus
}

describe('an e-mail', () => {
  test('is written down whole before it is answered', async () => {
    const rig = await open()
    const message = emailMessage({ duplicate: true })
    expect(await rig.email.send(message, untroubled())).toEqual({
      kind: 'accepted',
      reference: 'SANDBOX1',
    })
    expect(await rig.lines(fileNames.email)).toEqual([
      {
        channel: 'email',
        seq: 1,
        receivedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        intentId: message.intentId,
        messageId: message.messageId,
        duplicate: true,
        from: 'Ziekenhuis De Linde <welkom@delinde.example.org>',
        to: 'anna@example.org',
        subject: 'Welkom thuis',
        html: '<p>Fijn dat u weer thuis bent.</p>',
        text: 'Fijn dat u weer thuis bent.\n',
      },
    ])
  })

  test('of many at once is written down once', async () => {
    const rig = await open()
    const messages = Array.from({ length: 100 }, () => emailMessage())
    await Promise.all(messages.map((message) => rig.email.send(message, untroubled())))
    const lines = await rig.lines(fileNames.email)
    expect(lines.map(({ intentId }) => intentId).sort()).toEqual(
      messages.map(({ intentId }) => intentId).sort(),
    )
    expect(lines.map(({ seq }) => seq).sort((a, b) => Number(a) - Number(b))).toEqual(
      messages.map((_, index) => index + 1),
    )
  })
})

describe('an SMS', () => {
  test('is written down before it is answered', async () => {
    const rig = await open()
    const message = smsMessage({ validForSeconds: 3_600 })
    const outcome = await rig.sms.send(message, untroubled())
    expect(outcome).toEqual({ kind: 'accepted', reference: 'sandbox-sms-1' })
    expect(await rig.lines(fileNames.sms)).toEqual([
      {
        channel: 'sms',
        seq: 1,
        receivedAt: expect.any(String),
        intentId: message.intentId,
        idempotencyKey: message.idempotencyKey,
        duplicate: false,
        from: 'DeLinde',
        to: '+31612345678',
        text: 'Tot morgen om 10:00.',
        validitySeconds: 3_600,
        reference: 'sandbox-sms-1',
      },
    ])
  })

  test('under a key that came before is answered the same and is no message, after a restart too', async () => {
    const first = await openRig()
    const message = smsMessage()
    const outcome = await first.sms.send(message, untroubled())
    const marked = { ...message, attempt: 2, duplicate: true }
    expect(await first.sms.send(marked, untroubled())).toEqual(outcome)
    const rig = await first.restart()
    undo.push(rig.close)
    expect(await rig.sms.send({ ...message, attempt: 3 }, untroubled())).toEqual(outcome)
    expect(await rig.lines(fileNames.sms)).toHaveLength(1)
    const { intentId, idempotencyKey } = message
    const repeat = { intentId, idempotencyKey, reference: 'sandbox-sms-1' }
    expect(await rig.lines(fileNames.repeatedSms)).toMatchObject([
      { seq: 1, ...repeat, duplicate: true },
      { seq: 2, ...repeat, duplicate: false },
    ])
    expect(rig.sandbox.status()).toMatchObject({ accepted: { sms: 1 }, repeatedSms: 2 })
  })

  test('and a mail under way are counted, and how far they run ahead of the answers', async () => {
    const rig = await open()
    const status = () => rig.sandbox.status()
    const slow = { mode: 'slow', delayMs: 50 } as const
    expect(
      await put(rig, [
        { channel: 'sms', ...slow },
        { channel: 'email', ...slow },
      ]),
    ).toBe(200)
    await rig.sms.send(smsMessage(), untroubled())
    // One was answered: with two at once nobody runs ahead, with three somebody does.
    const together = (count: number) =>
      Promise.all(Array.from({ length: count }, () => rig.sms.send(smsMessage(), untroubled())))
    await together(2)
    expect(status()).toMatchObject({
      underWay: 0,
      mostUnderWay: 2,
      mostAhead: { email: 0, sms: 1 },
    })
    await together(5)
    expect(status()).toMatchObject({ mostUnderWay: 5, mostAhead: { email: 0, sms: 2 } })
    await Promise.all([
      rig.email.send(emailMessage(), untroubled()),
      rig.email.send(emailMessage(), untroubled()),
    ])
    expect(status()).toMatchObject({ underWay: 0, mostAhead: { email: 2, sms: 2 } })
  })

  test('under one key from two callers at once is one message', async () => {
    const rig = await open()
    const message = smsMessage()
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => rig.sms.send(message, untroubled())),
    )
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1)
    expect(await rig.lines(fileNames.sms)).toHaveLength(1)
  })

  test('under the key of another message is refused', async () => {
    const rig = await open()
    await rig.sms.send(smsMessage({ idempotencyKey: 'key-1' }), untroubled())
    const outcome = await rig.sms.send(smsMessage({ idempotencyKey: 'key-1' }), untroubled())
    expect(outcome).toEqual({ kind: 'refused', reason: 'sms_422' })
    expect(await rig.lines(fileNames.sms)).toHaveLength(1)
  })

  test('with the wrong token is not taken', async () => {
    const rig = await open({ smsToken: 'right' })
    expect(await rig.sms.send(smsMessage(), untroubled())).toMatchObject({ kind: 'accepted' })
    const { statusCode } = await request(`${rig.sandbox.smsUrl}/messages`, {
      method: 'POST',
      headers: { authorization: 'Bearer wrong', 'content-type': 'application/json' },
      body: '{}',
    })
    expect(statusCode).toBe(401)
  })

  test.each(['[]', '{}', '{"to":"0612"}', '{"to":"+31612345678","from":"a","text":""}', 'null'])(
    'that is none is refused: %s',
    async (body) => {
      const rig = await open()
      const { statusCode } = await request(`${rig.sandbox.smsUrl}/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      expect(statusCode).toBe(400)
      expect(rig.sandbox.status()).toMatchObject({ accepted: { sms: 0 } })
    },
  )
})

describe('told to fail', () => {
  type Row = [Fault['channel'], Fault['mode'], string, number]
  const rows: Row[] = [
    ['email', 'accept', 'accepted', 1],
    ['email', 'refuse4xx', 'deferred smtp_451', 0],
    ['email', 'refuse5xx', 'refused smtp_554', 0],
    ['email', 'rateLimit', 'deferred smtp_450', 0],
    ['email', 'resetBeforeAccept', 'unknown smtp_connection_lost', 0],
    ['email', 'resetAfterAccept', 'unknown smtp_connection_lost', 1],
    ['email', 'hang', 'unknown smtp_timed_out', 0],
    ['email', 'hangAfterAccept', 'unknown smtp_timed_out', 1],
    ['email', 'slow', 'accepted', 1],
    ['sms', 'accept', 'accepted', 1],
    ['sms', 'refuse4xx', 'refused sms_422', 0],
    ['sms', 'refuse5xx', 'unknown sms_500', 0],
    ['sms', 'rateLimit', 'deferred sms_429', 0],
    ['sms', 'resetBeforeAccept', 'unknown sms_connection_lost', 0],
    ['sms', 'resetAfterAccept', 'unknown sms_connection_lost', 1],
    ['sms', 'hang', 'unknown sms_timed_out', 0],
    ['sms', 'hangAfterAccept', 'unknown sms_timed_out', 1],
    ['sms', 'slow', 'accepted', 1],
  ]

  test.each(rows)('%s %s: our channel says %s', async (channel, mode, expected, written) => {
    const rig = await open(mode.startsWith('hang') ? { sendTimeoutMs: 2_000 } : {})
    expect(await put(rig, { channel, mode, delayMs: 1 })).toBe(200)
    const message = channel === 'email' ? emailMessage() : smsMessage()
    const outcome = await rig[channel].send(message, untroubled())
    const reason = 'reason' in outcome ? ` ${outcome.reason}` : ''
    expect(`${outcome.kind}${reason}`).toBe(expected)
    expect(await rig.lines(fileNames[channel])).toHaveLength(written)
    const met = { receivedAt: expect.any(String), channel, mode, intentId: message.intentId }
    const isAccepted = mode === 'accept' || mode === 'slow'
    expect(await rig.lines(fileNames.metFaults)).toEqual(isAccepted ? [] : [met])
    const other =
      channel === 'email'
        ? rig.sms.send(smsMessage(), untroubled())
        : rig.email.send(emailMessage(), untroubled())
    expect(await other).toMatchObject({ kind: 'accepted' })
  })

  test('an SMS that was reset after it was taken is found again by its key', async () => {
    const rig = await open()
    await put(rig, { channel: 'sms', mode: 'resetAfterAccept', times: 1 })
    const message = smsMessage()
    expect(await rig.sms.send(message, untroubled())).toMatchObject({ kind: 'unknown' })
    expect(await rig.sms.send(message, untroubled())).toMatchObject({ kind: 'accepted' })
    expect(await rig.lines(fileNames.sms)).toHaveLength(1)
    expect(await rig.lines(fileNames.repeatedSms)).toHaveLength(1)
  })

  test('a rate limit says when to come back', async () => {
    const rig = await open()
    await put(rig, { channel: 'sms', mode: 'rateLimit', retryAfterSeconds: 7 })
    expect(await rig.sms.send(smsMessage(), untroubled())).toEqual({
      kind: 'deferred',
      reason: 'sms_429',
      retryAfterMs: 7_000,
    })
  })

  test('by a list, and to stop', async () => {
    const rig = await open()
    const faults = [
      { channel: 'email', mode: 'hang', rate: 0.5 },
      { channel: 'sms', mode: 'hang' },
    ]
    expect(await put(rig, faults)).toBe(200)
    expect(await put(rig, { channel: 'sms', mode: 'explode' })).toBe(400)
    expect(rig.sandbox.faults.list()).toHaveLength(2)
    await request(`${rig.sandbox.pageUrl}/faults?channel=sms`, { method: 'DELETE' })
    expect(rig.sandbox.faults.list()).toMatchObject([{ channel: 'email' }])
    await request(`${rig.sandbox.pageUrl}/faults`, { method: 'DELETE' })
    expect(rig.sandbox.faults.list()).toEqual([])
  })
})

describe('receipts', () => {
  const certain = { bounced: 0, none: 0 }

  test('are sent under the provider of the channel, signed, once for each message', async () => {
    const gateway = await openGateway()
    undo.push(gateway.close)
    const rig = await open({ gatewayUrl: gateway.url, rates: certain })
    const [mail, text] = [emailMessage(), smsMessage()]
    await rig.email.send(mail, untroubled())
    await rig.email.send({ ...mail, attempt: 2, duplicate: true }, untroubled())
    await rig.sms.send(text, untroubled())
    await gateway.untilTaken(2)
    const found = gateway.taken.map(({ reference, status, provider }) => [
      reference,
      status,
      provider,
    ])
    expect(found.sort()).toEqual(
      [
        [mail.intentId, 'delivered', 'smtp'],
        [text.intentId, 'delivered', 'sms-http'],
      ].sort(),
    )
  })

  test('reach a gateway whose address ends with a slash', async () => {
    const gateway = await openGateway()
    undo.push(gateway.close)
    const rig = await open({ gatewayUrl: `${gateway.url}/`, rates: certain })
    const text = smsMessage()
    await rig.sms.send(text, untroubled())
    await gateway.untilTaken(1)
    expect(gateway.taken).toMatchObject([{ reference: text.intentId, provider: 'sms-http' }])
  })

  test('come as the rates say that are in force when a message is accepted', async () => {
    const gateway = await openGateway()
    undo.push(gateway.close)
    const rig = await open({ gatewayUrl: gateway.url, rates: certain })
    const outcomes = `${rig.sandbox.pageUrl}/outcomes`
    const setRates = async (rates: unknown) => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify(rates)
      return (await request(outcomes, { method: 'PUT', headers, body })).statusCode
    }
    expect(await setRates({ bounced: 2 })).toBe(400)
    await rig.sms.send(smsMessage(), untroubled())
    expect(await setRates({ answered: 1, seed: 'spring' })).toBe(200)
    await rig.sms.send(smsMessage(), untroubled())
    await gateway.untilTaken(3)
    const statuses = gateway.taken.map(({ status }) => status)
    expect(statuses).toEqual(['delivered', 'delivered', 'replied'])
    const inForce = await (await request(outcomes)).body.json()
    expect(inForce).toEqual({ bounced: 0, none: 0, answered: 1, seed: 'spring' })
  })

  test('are sent until they are taken; until then the sandbox is not idle', async () => {
    const gateway = await openGateway()
    undo.push(gateway.close)
    const rig = await open({ gatewayUrl: gateway.url, rates: certain })
    gateway.answer(503)
    await rig.sms.send(smsMessage(), untroubled())
    await gateway.untilCalled(3)
    expect(await statusOf(rig)).toMatchObject({ receiptsPending: 1, receiptsSent: 0, idle: false })
    gateway.answer(202)
    await gateway.untilTaken(1)
    await expect
      .poll(() => statusOf(rig), soon)
      .toMatchObject({
        accepted: { email: 0, sms: 1 },
        receiptsPending: 0,
        receiptsSent: 1,
        underWay: 0,
        idle: true,
      })
  })

  test('that were not sent when the sandbox ended are sent by the next one, and only they', async () => {
    const gateway = await openGateway()
    undo.push(gateway.close)
    const first = await openRig({ gatewayUrl: gateway.url, rates: certain })
    const [before, after] = [smsMessage(), smsMessage()]
    await first.sms.send(before, untroubled())
    await expect.poll(() => first.sandbox.status().receiptsSent, soon).toBe(1)
    gateway.answer(500)
    await first.sms.send(after, untroubled())
    await gateway.untilCalled(2)
    gateway.answer(202)
    const rig = await first.restart()
    undo.push(rig.close)
    await expect
      .poll(() => rig.sandbox.status(), soon)
      .toMatchObject({ receiptsSent: 2, idle: true })
    const ids = gateway.taken.map(({ reference }) => reference)
    expect(new Set(ids)).toEqual(new Set([before.intentId, after.intentId]))
    expect(ids.filter((id) => id === before.intentId)).toHaveLength(1)
  })

  test('are the same in every rehearsal of the same messages', async () => {
    const messages = Array.from({ length: 60 }, () => smsMessage())
    const outcomes = async () => {
      const gateway = await openGateway()
      const rig = await openRig({ gatewayUrl: gateway.url, rates: { bounced: 0.3, none: 0.3 } })
      await Promise.all(messages.map((message) => rig.sms.send(message, untroubled())))
      await expect.poll(() => rig.sandbox.status().idle, soon).toBe(true)
      await rig.close()
      await gateway.close()
      return gateway.taken
        .map(({ reference, status, receiptId }) => `${reference} ${status} ${receiptId}`)
        .sort()
    }
    const first = await outcomes()
    expect(first.length).toBeLessThan(messages.length)
    expect(await outcomes()).toEqual(first)
  })

  test('come late, twice or in another order when told to', async () => {
    const gateway = await openGateway()
    undo.push(gateway.close)
    const rig = await open({ gatewayUrl: gateway.url, rates: certain })
    for (const mode of ['receiptLate', 'receiptTwice', 'receiptDisordered'] as const) {
      rig.sandbox.faults.set({ channel: 'sms', mode, rate: 1, delayMs: 150 })
    }
    const [plain, troubled] = [emailMessage(), smsMessage()]
    await rig.sms.send(troubled, untroubled())
    expect(rig.sandbox.status()).toMatchObject({ receiptsPending: 3, idle: false })
    await rig.email.send(plain, untroubled())
    await expect
      .poll(() => rig.sandbox.status(), soon)
      .toMatchObject({ receiptsPending: 0, receiptsSent: 2, idle: true })
    const statusesOf = (intentId: string) =>
      gateway.taken.filter((each) => each.reference === intentId).map((each) => each.status)
    expect(statusesOf(troubled.intentId)).toEqual(['opened', 'delivered', 'delivered'])
    expect(statusesOf(plain.intentId)).toEqual(['delivered'])
    const ids = gateway.taken.filter((each) => each.reference === troubled.intentId)
    expect(new Set(ids.map((each) => each.receiptId)).size).toBe(2)
  })

  test('are not sent for what is not ours, nor without a gateway', async () => {
    const gateway = await openGateway()
    undo.push(gateway.close)
    const rig = await open({ gatewayUrl: gateway.url, rates: certain })
    await rig.sms.send(smsMessage({ intentId: 'not-a-uuid' }), untroubled())
    expect(await statusOf(rig)).toMatchObject({ receiptsPending: 0, idle: true })
    const alone = await open({ rates: certain })
    await alone.sms.send(smsMessage(), untroubled())
    expect(await statusOf(alone)).toMatchObject({ accepted: { sms: 1 }, receiptsPending: 0 })
  })
})

test('our channels know that it is a sandbox', async () => {
  const rig = await open()
  expect(await rig.email.isSandbox()).toBe(true)
  expect(await rig.sms.isSandbox()).toBe(true)
})

test('it closes while a client still hangs', async () => {
  const rig = await openRig({ sendTimeoutMs: 2_000 })
  await put(rig, [
    { channel: 'email', mode: 'hang' },
    { channel: 'sms', mode: 'hang' },
  ])
  const stop = new AbortController()
  const hanging = [
    rig.email.send(emailMessage({ intentId: randomUUID() }), stop.signal),
    rig.sms.send(smsMessage(), stop.signal),
  ]
  await expect.poll(() => rig.sandbox.status().underWay, soon).toBeGreaterThan(0)
  await rig.close()
  for (const outcome of await Promise.all(hanging))
    expect(outcome).toMatchObject({ kind: 'unknown' })
})
