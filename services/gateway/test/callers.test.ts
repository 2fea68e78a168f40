import { manualClock, systemClock } from '@wegwijs/runtime/clock'
import { createApiKey, isKey, listApiKeys, revokeApiKey } from '@wegwijs/store/api-keys'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { event, openRig, type Rig, source, until } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await openRig()
})
afterAll(() => rig.close())

const sendAs = (key: string, one = event()) =>
  rig.send(one, { headers: { authorization: `Bearer ${key}` } })

describe('who may speak', () => {
  test.each([
    ['nothing', ''],
    ['something else', 'Basic dXNlcjpwYXNz'],
    ['a key of another shape', 'Bearer secret'],
    ['a key that nobody has', `Bearer wgw_${'0'.repeat(16)}_${'A'.repeat(43)}`],
  ])('%s: 401', async (_, authorization) => {
    const answer = await rig.send(event(), { headers: { authorization } })
    expect(answer.status).toBe(401)
    expect(answer.json.code).toBe('WEGWIJS_CREDENTIAL_INVALID')
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
  })

  test('the right id with another secret: 401, and no word more than for an unknown id', async () => {
    const other = await rig.makeKey()
    const mixed = rig.key.slice(0, 21) + other.slice(21)
    const [wrong, unknown] = [
      await sendAs(mixed),
      await sendAs(`wgw_${'0'.repeat(16)}_${'A'.repeat(43)}`),
    ]
    expect([wrong.status, wrong.text]).toEqual([401, unknown.text])
  })

  test('a caller that is not known has its body neither read nor waited for', async () => {
    const answer = await rig.call('POST', '/v1/events', {
      headers: { 'content-type': 'application/cloudevents+json', authorization: 'Bearer no' },
      body: Buffer.alloc(2_000_000, 'x'),
    })
    expect(answer.status).toBe(401)
  })

  test('a key without the scope: 403', async () => {
    const reader = await rig.makeKey({ scopes: ['app.read'] })
    const answer = await sendAs(reader)
    expect([answer.status, answer.json.code]).toEqual([403, 'WEGWIJS_CREDENTIAL_NOT_ALLOWED'])
  })

  test('a type outside the patterns of the key: 403', async () => {
    const survey = await rig.makeKey({ types: ['care.survey.*'] })
    const refused = await sendAs(survey)
    expect([refused.status, refused.json.errorClass]).toEqual([403, 'type_not_allowed'])
    const taken = await sendAs(survey, event({ type: 'care.survey.answered.v1', data: {} }))
    expect(taken.status).toBe(202)
  })

  test('a source that names people in another id space than the key: 403', async () => {
    const stray = await rig.makeKey({ idSpace: 'crm', sources: [source] })
    const answer = await sendAs(stray)
    expect([answer.status, answer.json.errorClass]).toEqual([403, 'source_not_allowed'])
  })

  test('a key that could speak as Wegwijs is not made', async () => {
    const wanted = { label: 'x', sources: [source], types: ['care.*'] }
    for (const over of [
      { ...wanted, idSpace: 'wegwijs' },
      { ...wanted, idSpace: 'ehr', sources: ['urn:wegwijs:receipts:x'] },
    ]) {
      await expect(createApiKey(rig.store.db, over)).rejects.toMatchObject({
        code: 'WEGWIJS_USAGE',
      })
    }
  })

  test.each([
    ['care*', 'no event has a type that matches "care*"'],
    ['*', 'no event has a type that matches "*"'],
    ['care.survey.answered', 'no event has a type that matches "care.survey.answered"'],
    ['message.*', 'only Wegwijs itself publishes what matches "message.*"'],
  ])('a key for a type that nobody can publish is not made: %s', async (pattern, problem) => {
    const wanted = { label: 'x', idSpace: 'ehr', sources: [source], types: ['care.*', pattern] }
    await expect(createApiKey(rig.store.db, wanted)).rejects.toMatchObject({
      code: 'WEGWIJS_USAGE',
      detail: { problem: expect.stringContaining(problem) },
    })
  })

  test('what is stored cannot be turned back into a key', async () => {
    const key = await rig.makeKey({ label: 'look' })
    const secret = key.slice(21)
    const row = await rig.store.db
      .selectFrom('api_key')
      .selectAll()
      .where('label', '=', 'look')
      .executeTakeFirstOrThrow()
    expect(JSON.stringify({ ...row, hash: row.hash.toString('latin1') })).not.toContain(secret)
    expect(row.hash).toHaveLength(32)
    const [listed] = (await listApiKeys(rig.store.db)).filter(({ label }) => label === 'look')
    expect(listed).not.toHaveProperty('hash')
    expect(listed && isKey({ ...listed, hash: row.hash }, key)).toBe(true)
  })
})

describe('a key that is revoked', () => {
  test('is refused as soon as it is asked about again', async () => {
    const key = await rig.makeKey()
    expect((await sendAs(key)).status).toBe(202)
    expect(await revokeApiKey(rig.store.db, key.split('_')[1] ?? '')).toBe(true)
    expect((await sendAs(key)).status).toBe(401)
    expect(await revokeApiKey(rig.store.db, '0'.repeat(16))).toBe(false)
  })

  test('is asked about once in its lifetime, whatever the number of requests', async () => {
    const clock = manualClock(systemClock.instant())
    const lasting = await openRig({ limits: { keyLifetimeMs: 300 }, over: { clock } })
    try {
      const key = await lasting.makeKey()
      const send = () => lasting.send(event(), { headers: { authorization: `Bearer ${key}` } })
      expect((await send()).status).toBe(202)
      await revokeApiKey(lasting.store.db, key.split('_')[1] ?? '')
      await clock.advance(299)
      expect((await send()).status).toBe(202)
      await clock.advance(1)
      expect((await send()).status).toBe(401)
    } finally {
      await lasting.close()
    }
  })
})

describe('how much is let in', () => {
  test('each key has its own rate, counted in events: 429 with Retry-After', async () => {
    const small = await openRig({ limits: { eventsPerSecond: 1, eventsAtOnce: 10 } })
    try {
      expect((await small.send(Array.from({ length: 8 }, () => event()))).status).toBe(202)
      const answer = await small.send(Array.from({ length: 8 }, () => event()))
      expect([answer.status, answer.json.code]).toEqual([429, 'WEGWIJS_RATE_LIMITED'])
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
      expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(6)
      expect(small.published()).toHaveLength(8)
      const other = await small.makeKey()
      const headers = { authorization: `Bearer ${other}` }
      expect((await small.send(event(), { headers })).status).toBe(202)
    } finally {
      await small.close()
    }
  })

  test('requests that are being answered have their bound: 503 with Retry-After', async () => {
    const small = await openRig({ limits: { requestsInFlight: 2 } })
    const held = Promise.withResolvers<void>()
    const publish = small.broker.publisher.publish
    try {
      small.broker.publisher.publish = async (records, options) => {
        await held.promise
        return publish(records, options)
      }
      const first = [small.send(event()), small.send(event())]
      await until(async () =>
        expect(await small.metrics.text()).toMatch(/requests_in_flight{[^}]*} 2/),
      )
      const answer = await small.send(event())
      expect([answer.status, answer.json.code]).toEqual([503, 'WEGWIJS_OVERLOADED'])
      expect(answer.headers['retry-after']).toBe('5')
      held.resolve()
      expect((await Promise.all(first)).map(({ status }) => status)).toEqual([202, 202])
      await until(async () => expect((await small.send(event())).status).toBe(202))
    } finally {
      held.resolve()
      await small.close()
    }
  })
})
