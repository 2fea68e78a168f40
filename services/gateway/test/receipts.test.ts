import { compileDefinition } from '@wegwijs/campaign/compile'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { fail } from '@wegwijs/runtime/failure'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody, verifyEvent } from '@wegwijs/wire/signature'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRig, type Rig, secret } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await openRig()
})
afterAll(() => rig.close())

async function addMessage(
  channel: 'email' | 'sms' = 'email',
  over: object = {},
  { store }: Pick<Rig, 'store'> = rig,
) {
  const [personId, intentId] = [newUuid(), newUuid()]
  await store.db.insertInto('person').values(personRow(personId)).execute()
  await store.db
    .insertInto('intent')
    .values({
      person_id: personId,
      intent_id: intentId,
      enrolment_id: newUuid(),
      campaign_id: 'aftercare',
      version: 1,
      message_id: 'welcome',
      step: '0',
      class: 'care',
      lane: 'transactional',
      unknown_outcome: 'at-most-once',
      template_id: 'welcome',
      template_hash: 'h',
      channels: ['app', channel],
      channel_index: 1,
      state: 'sent',
      planned_at: '2026-01-01T00:00:00Z',
      planned_for: '2026-01-01T00:00:00Z',
      due_at: '2026-01-01T00:00:00Z',
      expires_at: '2027-01-01T00:00:00Z',
      ...over,
    } as never)
    .execute()
  return { personId, intentId }
}

function personRow(personId: string) {
  return {
    person_id: personId,
    fields: '{}',
    contacts: '{}',
    journeys: '{}',
  } as never
}

let count = 0
function receipt(reference: string, over: Record<string, unknown> = {}) {
  count += 1
  return {
    receiptId: `r-${count}`,
    reference,
    status: 'delivered',
    at: '2026-01-01T10:00:00+01:00',
    ...over,
  }
}

function post(
  receipts: readonly unknown[],
  over: { signature?: string; provider?: string } = {},
  { call }: Pick<Rig, 'call'> = rig,
) {
  const body = JSON.stringify({ receipts })
  return call('POST', `/v1/receipts/${over.provider ?? 'sms-http'}`, {
    body,
    headers: {
      'content-type': 'application/json',
      [receiptSignatureHeader]: over.signature ?? signBody(body, secret),
    },
  })
}

const stops = (personId: string) =>
  rig.store.db.selectFrom('person_stop').selectAll().where('person_id', '=', personId).execute()

describe('a receipt', () => {
  test('becomes an event of ours, signed, about the person of the message', async () => {
    const { personId, intentId } = await addMessage()
    const one = receipt(intentId, { detail: 'mailbox_full', status: 'bounced' })
    const answer = await post([one])
    expect(answer.status, answer.text).toBe(202)
    expect(answer.json).toEqual({ receipts: [{ receiptId: one.receiptId, status: 'accepted' }] })
    const event = rig.published().find(({ id }) => id === one.receiptId)
    expect(event).toMatchObject({
      source: 'urn:wegwijs:receipts:sms-http',
      type: 'message.bounced.v1',
      subject: personId,
      time: '2026-01-01T09:00:00.000Z',
      data: { intentId, provider: 'sms-http', channel: 'email', detail: 'mailbox_full' },
    })
    expect(event && verifyEvent(event, secret)).toBe(true)
  })

  test('of a message to somebody else is about both: what became of it, and what its recipient wants', async () => {
    const recipientId = newUuid()
    await rig.store.db.insertInto('person').values(personRow(recipientId)).execute()
    const to = { recipient_id: recipientId, recipient_as: 'caregiver', recipient_scope: 'care' }
    const { personId, intentId } = await addMessage('email', to)
    const bounced = receipt(intentId, { status: 'bounced' })
    const complained = receipt(intentId, { status: 'complained' })
    const answer = await post([bounced, complained])
    expect(answer.json).toEqual({
      receipts: [bounced, complained].map(({ receiptId }) => ({ receiptId, status: 'accepted' })),
    })
    const subjectsOf = (one: { receiptId: string }) =>
      rig
        .published()
        .filter(({ id, data }) => id === one.receiptId && data.recipientId === recipientId)
        .map(({ subject }) => subject)
        .sort()
    expect(subjectsOf(bounced)).toEqual([personId, recipientId].sort())
    expect(await stops(personId)).toEqual([])
    expect(await stops(recipientId)).toMatchObject([{ kind: 'consent', purpose: 'marketing' }])
  })

  test('is about the channel over which its provider had the message, also when the next one is tried', async () => {
    const { personId, intentId } = await addMessage()
    const attempt = { person_id: personId, intent_id: intentId, fence: 1, duplicate: false }
    const tried = { channel: 'app', provider: 'inbox', outcome: 'unknown' as const }
    await rig.store.db
      .insertInto('attempt')
      .values({ ...attempt, ...tried, business_at: '2026-01-01T00:00:00Z' })
      .execute()
    const late = receipt(intentId)
    const stop = receipt(intentId, { status: 'replied', detail: 'STOP' })
    await post([late, stop], { provider: 'inbox' })
    const current = receipt(intentId)
    await post([current])
    const channelOf = (one: { receiptId: string }) =>
      rig.published().find(({ id }) => id === one.receiptId)?.data
    expect(channelOf(late)).toMatchObject({ channel: 'app' })
    expect(channelOf(current)).toMatchObject({ channel: 'email' })
    expect(await stops(personId)).toMatchObject([{ channel: 'app' }])
  })

  test('that nothing arrived is about the address to which its provider may have sent it first', async () => {
    const addressOf = async (
      tried: readonly [since: string, provider: string, outcome: string][],
    ) => {
      const { personId, intentId } = await addMessage('email', {
        provider: 'smtp',
        address_since: 'now',
      })
      const attempts = tried.map(([address_since, provider, outcome], index) => ({
        ...{ person_id: personId, intent_id: intentId, fence: index + 1, duplicate: false },
        ...{ channel: 'email', provider, outcome: outcome as 'accepted', address_since },
        ...{ business_at: '2026-01-01T00:00:00Z' },
      }))
      for (const attempt of attempts)
        await rig.store.db.insertInto('attempt').values(attempt).execute()
      const bounced = receipt(intentId, { status: 'bounced' })
      await post([bounced], { provider: 'smtp' })
      return rig.published().find(({ id }) => id === bounced.receiptId)?.data.addressSince
    }
    // Its receipt came before our own record of the attempt.
    expect(await addressOf([])).toBe('now')
    expect(await addressOf([['first', 'smtp', 'deferred']])).toBe('now')
    expect(await addressOf([['first', 'smtp', 'unknown']])).toBe('first')
    expect(
      await addressOf([
        ['refused', 'smtp', 'refused'],
        ['first', 'smtp', 'unknown'],
        ['second', 'smtp', 'accepted'],
        ['other', 'elsewhere', 'accepted'],
      ]),
    ).toBe('first')
  })

  test('of what the class of its message does not let us keep goes no further', async () => {
    const bundle = smallHospital([
      campaign({ id: 'aftercare' }),
      campaign({ id: 'news', class: 'marketing' }),
    ])
    const versions = bundle.campaigns.map((file) => ({
      ...{ id: file.id, version: 1, live: true, file },
      templates: { hello: 'hello-1' },
    }))
    const definition = compileDefinition(1, bundle, versions)
    const own = await openRig({ over: { definition: () => definition } })
    try {
      const ofCare = await addMessage('email', {}, own)
      const ofNews = await addMessage('email', { campaign_id: 'news', class: 'marketing' }, own)
      const receipts = [ofCare, ofNews].flatMap(({ intentId }) => [
        receipt(intentId, { status: 'opened' }),
        receipt(intentId, { status: 'clicked' }),
      ])
      const answer = await post(receipts, {}, own)
      // Whoever tells it has done nothing wrong, and need not tell it again.
      expect(answer.json.receipts.map((each: { status: string }) => each.status)).toEqual(
        Array(4).fill('accepted'),
      )
      expect(own.published().map(({ type, data }) => [type, data.intentId])).toEqual([
        ['message.opened.v1', ofNews.intentId],
        ['message.clicked.v1', ofNews.intentId],
      ])
    } finally {
      await own.close()
    }
  })

  test('of tracking is judged by the definition as it is now, whatever was known a moment ago', async () => {
    const bundle = smallHospital([campaign({ id: 'news', class: 'marketing' })])
    const definitionOf = (newest: number, tracking: 'allowed' | 'none' = 'allowed') => {
      const { marketing } = bundle.policies.classes
      const classes = { ...bundle.policies.classes, marketing: { ...marketing, tracking } }
      const versions = Array.from({ length: newest }, (_, index) => index + 1).flatMap((version) =>
        bundle.campaigns.map((file) => ({
          ...{ id: 'news', version, live: version === newest, file },
          templates: {},
        })),
      )
      const policies = { ...bundle.policies, classes }
      return compileDefinition(newest, { ...bundle, policies }, versions)
    }
    let known = definitionOf(1)
    let stored = definitionOf(2)
    const own = await openRig({
      over: {
        definition: () => known,
        refreshDefinition: async () => {
          known = stored
        },
      },
    })
    try {
      const of = (version: number) =>
        addMessage('email', { campaign_id: 'news', class: 'marketing', version }, own)
      const newer = await of(2)
      const tell = async ({ intentId }: { intentId: string }) =>
        post([receipt(intentId, { status: 'opened' })], {}, own)
      expect((await tell(newer)).status).toBe(202)
      expect(own.published()).toMatchObject([{ data: { intentId: newer.intentId } }])

      // The message says its class itself, whether or not anybody reads its version.
      expect((await tell(await of(3))).status).toBe(202)
      expect(own.published()).toHaveLength(2)

      // Whoever lets nobody be tracked any more means what was sent before, too.
      stored = definitionOf(3, 'none')
      expect((await tell(await of(1))).status).toBe(202)
      expect(own.published()).toHaveLength(2)
    } finally {
      await own.close()
    }
  })

  test('of a stop is kept, and of a bounce, while nobody reads what is in force', async () => {
    const bundle = smallHospital([campaign({ id: 'news', class: 'marketing' })])
    const versions = bundle.campaigns.map((file) => ({
      ...{ id: 'news', version: 1, live: true, file },
      templates: {},
    }))
    const definition = compileDefinition(1, bundle, versions)
    const problem = { what: 'revision 2', problem: 'gossip: not known' }
    const own = await openRig({
      over: {
        definition: () => definition,
        refreshDefinition: async () => {
          throw fail('WEGWIJS_STORED_DEFINITION_UNREADABLE', problem)
        },
      },
    })
    try {
      const of = (number: number) =>
        addMessage('email', { campaign_id: 'news', class: 'marketing', version: number }, own)
      const [first, newer] = [await of(1), await of(2)]
      const answer = await post(
        [
          receipt(newer.intentId, { status: 'opened' }),
          receipt(newer.intentId, { status: 'complained' }),
          receipt(first.intentId, { status: 'opened' }),
          receipt(first.intentId, { status: 'bounced' }),
        ],
        {},
        own,
      )
      // What was kept counts once when it is told again.
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
      expect(own.published().map(({ type }) => type)).toEqual(['message.bounced.v1'])
      const stopped = await own.store.db.selectFrom('person_stop').select('person_id').execute()
      expect(stopped).toEqual([{ person_id: newer.personId }])
    } finally {
      await own.close()
    }
  })

  test('about a message that nobody sent is unknown, and no error', async () => {
    const { intentId } = await addMessage()
    const answer = await post([
      receipt(newUuid()),
      receipt('somebody else’s id'),
      receipt(intentId),
    ])
    expect(answer.status).toBe(202)
    expect(answer.json.receipts.map((each: { status: string }) => each.status)).toEqual([
      'unknown',
      'unknown',
      'accepted',
    ])
  })

  test('that says what it should not is refused with its path, beside others', async () => {
    const { intentId } = await addMessage()
    const answer = await post([
      receipt(intentId, { status: 'lost' }),
      'no receipt',
      receipt(intentId),
    ])
    expect(answer.status).toBe(202)
    expect(answer.json.receipts).toMatchObject([
      { status: 'refused', path: 'receipts[0].status' },
      { status: 'refused', path: 'receipts[1]' },
      { status: 'accepted' },
    ])
    expect((await post([receipt(intentId, { at: 'yesterday' })])).status).toBe(400)
  })

  test('never from the future: it happened now at the latest', async () => {
    const { intentId } = await addMessage()
    const one = receipt(intentId, { at: '2099-01-01T00:00:00Z' })
    await post([one])
    const event = rig.published().find(({ id }) => id === one.receiptId)
    expect(Date.parse(event?.time ?? '')).toBeLessThan(Date.parse('2099-01-01'))
  })

  test('what a server or a person wrote in it is not kept', async () => {
    const { intentId } = await addMessage()
    const one = receipt(intentId, { status: 'bounced', detail: '550 jan@example.org unknown' })
    const answer = receipt(intentId, { status: 'replied', detail: 'My knee still hurts' })
    await post([one, answer])
    for (const { receiptId } of [one, answer]) {
      expect(rig.published().find(({ id }) => id === receiptId)?.data.detail).toBeUndefined()
    }
  })
})

describe('a receipt by which the person stops us is committed first', () => {
  test.each([
    ['a complaint', { status: 'complained' }, { purpose: 'marketing', reason: 'complained' }],
    ['STOP by SMS', { status: 'replied', detail: 'Stop aub!' }, { purpose: 'all' }],
  ])('%s', async (_, over, stop) => {
    const { personId, intentId } = await addMessage('sms')
    const one = receipt(intentId, over)
    rig.broker.unavailable(true)
    const answer = await post([one])
    rig.broker.unavailable(false)
    expect([answer.status, answer.json.receipts[0].status]).toEqual([202, 'accepted'])
    expect(await stops(personId)).toMatchObject([{ kind: 'consent', channel: 'sms', ...stop }])
    await post([one])
    expect(await stops(personId)).toHaveLength(1)
  })

  // What nobody set, and a clock that lost its battery: a yes of last year must not lift what was said just now.
  test.each(['1970-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '2019-03-01T12:00:00Z'])(
    'as of now when its provider tells it of %s, and the others are kept beside it (P3)',
    async (at) => {
      const { personId, intentId } = await addMessage('sms')
      const before = Date.now()
      const told = [
        receipt(intentId, { status: 'complained', at }),
        receipt(intentId, { status: 'bounced' }),
      ]
      const answer = await post(told)
      expect([answer.status, answer.text]).toEqual([202, expect.stringContaining('accepted')])
      const [stop] = await stops(personId)
      expect(Date.parse(stop?.at ?? '')).toBeGreaterThanOrEqual(before)
      expect(rig.published().map(({ id }) => id)).toContain(told[1]?.receiptId)
    },
  )

  test('and reaches whom the person was merged into', async () => {
    const { personId, intentId } = await addMessage('sms')
    const survivor = newUuid()
    await rig.store.db.insertInto('person').values(personRow(survivor)).execute()
    await rig.store.db
      .updateTable('person')
      .set({ merged_into: survivor })
      .where('person_id', '=', personId)
      .execute()
    await post([receipt(intentId, { status: 'complained' })])
    expect(await stops(survivor)).toHaveLength(1)
  })
})

test('a provider may have any name that channels.yaml takes', async () => {
  const provider = 'the-sms-service-of-the-whole-region-and-of-its-hospitals'
  const { intentId } = await addMessage('sms', { provider })
  const answer = await post([receipt(intentId)], { provider })
  expect(answer.json).toMatchObject({ receipts: [{ status: 'accepted' }] })
})

describe('who may send them', () => {
  test.each([
    ['no signature', ''],
    ['a wrong one', 'a'.repeat(64)],
    ['another secret', signBody('{"receipts":[]}', 'x'.repeat(32))],
  ])('%s: 401', async (_, signature) => {
    const answer = await post([receipt(newUuid())], { signature })
    expect([answer.status, answer.json.code]).toEqual([401, 'WEGWIJS_CREDENTIAL_INVALID'])
  })

  test('the signature is that of the bytes: one more space and it is wrong', async () => {
    const body = '{"receipts":[]}'
    const answer = await rig.call('POST', '/v1/receipts/sms-http', {
      body: `${body} `,
      headers: {
        'content-type': 'application/json',
        [receiptSignatureHeader]: signBody(body, secret),
      },
    })
    expect(answer.status).toBe(401)
  })

  test('a provider without a name', async () => {
    expect((await post([receipt(newUuid())], { provider: 'Jan%20Jansen' })).status).toBe(400)
  })
})

test.each([
  ['no list', {}, 400],
  ['an empty list', { receipts: [] }, 400],
  ['not JSON', 'nonsense', 400],
  ['more than 500', { receipts: Array(501).fill(1) }, 413],
])('%s', async (_, content, status) => {
  const body = typeof content === 'string' ? content : JSON.stringify(content)
  const answer = await rig.call('POST', '/v1/receipts/sms-http', {
    body,
    headers: {
      'content-type': 'application/json',
      [receiptSignatureHeader]: signBody(body, secret),
    },
  })
  expect(answer.status).toBe(status)
})

test('while Kafka is away: 503, so that the provider sends them again', async () => {
  const { intentId } = await addMessage()
  rig.broker.unavailable(true)
  const answer = await post([receipt(intentId)])
  rig.broker.unavailable(false)
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
})
