import { newUuid } from '@wegwijs/runtime/derived-id'
import { receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRig, type Rig, secret } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await openRig()
})
afterAll(() => rig.close())

let count = 0
function newPhone(): string {
  count += 1
  return `+316123${String(count).padStart(5, '0')}`
}

async function addPerson(phone: string | null, over: object = {}): Promise<string> {
  const personId = newUuid()
  const contacts = phone === null ? {} : { phone: { address: phone, refusedAt: null } }
  await rig.store.db
    .insertInto('person')
    .values({
      person_id: personId,
      fields: '{}',
      contacts: JSON.stringify(contacts),
      journeys: '{}',
      ...over,
    } as never)
    .execute()
  return personId
}

const question = {
  text: { nl: 'Komt u?', en: 'Are you coming?' },
  answers: [
    {
      answer: 'confirm',
      says: { nl: 'Ik kom', en: 'I am coming' },
      words: { nl: ['ja'], en: ['yes'] },
    },
  ],
}

/** An SMS that was sent at `at`; one that asks belongs to a run that waits for the answer. */
async function addSms(
  personId: string,
  { at = '2026-01-01T00:00:00Z', asks = false, ...over }: Record<string, unknown> = {},
): Promise<string> {
  const [intentId, enrolmentId] = [newUuid(), newUuid()]
  const run = { campaign_id: 'visit', version: 1, person_id: personId, enrolment_id: enrolmentId }
  if (asks) {
    await rig.store.db
      .insertInto('enrolment')
      .values({
        ...run,
        entry_key: enrolmentId,
        state: 'running',
        step: '0',
        entered_at: at,
        trigger: '{}',
      } as never)
      .execute()
  }
  await rig.store.db
    .insertInto('intent')
    .values({
      ...run,
      intent_id: intentId,
      message_id: 'coming',
      step: '0',
      class: 'care',
      lane: 'transactional',
      unknown_outcome: 'at-most-once',
      template_id: 'coming',
      template_hash: 'h',
      channels: ['sms'],
      channel_index: 0,
      state: 'sent',
      planned_at: at,
      planned_for: at,
      due_at: at,
      expires_at: '2027-01-01T00:00:00Z',
      question: asks ? JSON.stringify(question) : null,
      ...over,
    } as never)
    .execute()
  return intentId
}

/** What became of a reply, with its id. */
async function writes(from: string, text: string, over: object = {}) {
  count += 1
  const reply = { replyId: `s-${count}`, from, text, at: '2026-01-01T10:00:00Z', ...over }
  const body = JSON.stringify({ replies: [reply] })
  const answer = await rig.call('POST', '/v1/replies/sms-http', {
    body,
    headers: {
      'content-type': 'application/json',
      [receiptSignatureHeader]: signBody(body, secret),
    },
  })
  expect(answer.status, answer.text).toBe(202)
  return { replyId: reply.replyId, status: answer.json.replies[0].status }
}

/** The reasons of the stops of each of these people. */
async function stopsOf(...people: string[]): Promise<string[][]> {
  const { db } = rig.store
  const rows = await db
    .selectFrom('person_stop')
    .selectAll()
    .where('person_id', 'in', people)
    .execute()
  return people.map((id) => rows.filter((row) => row.person_id === id).map(({ reason }) => reason))
}

const answered = (intentIds: readonly string[]) =>
  rig
    .published()
    .filter(
      ({ type, data }) =>
        type === 'message.answered.v1' && intentIds.includes(String(data.intentId)),
    )
    .map(({ data }) => data.intentId)

describe('STOP', () => {
  test('of a caregiver is theirs, and the patient hears of it', async () => {
    const phone = newPhone()
    const [patient, caregiver] = [await addPerson(newPhone()), await addPerson(phone)]
    await addSms(patient, {
      recipient_id: caregiver,
      recipient_as: 'caregiver',
      recipient_scope: 'care',
    })
    const { replyId, status } = await writes(phone, 'STOP')
    expect(status).toBe('kept')
    expect(await stopsOf(patient, caregiver)).toEqual([[], ['replied']])
    const told = rig.published().filter(({ id }) => id === replyId)
    expect(told).toMatchObject([{ subject: patient, data: { recipientId: caregiver } }])
  })

  test('of a recipient whose record became another one stops that one', async () => {
    const phone = newPhone()
    const [patient, survivor] = [await addPerson(null), await addPerson(phone)]
    const old = await addPerson(null, { merged_into: survivor })
    await addSms(patient, { recipient_id: old, recipient_as: 'parent', recipient_scope: 'care' })
    expect((await writes(phone, 'STOP')).status).toBe('kept')
    expect(await stopsOf(patient, survivor)).toEqual([[], ['replied']])
  })

  test('counts where the only message may have arrived', async () => {
    const phone = newPhone()
    const patient = await addPerson(phone)
    await addSms(patient, { state: 'held' })
    expect((await writes(phone, '"STOP"')).status).toBe('kept')
    expect(await stopsOf(patient)).toEqual([['replied']])
  })

  test('in answer to a message by its name is of whoever got that one, from whatever number', async () => {
    const phone = newPhone()
    const [named, other] = [await addPerson(newPhone()), await addPerson(phone)]
    const reference = await addSms(named)
    await addSms(other, { at: '2026-01-01T09:00:00Z', asks: true })
    await writes(phone, 'stop', { reference })
    expect(await stopsOf(named, other)).toEqual([['replied'], []])
  })

  test('without a name is of everybody who has the number, whoever was asked last', async () => {
    const phone = newPhone()
    const people = [await addPerson(phone), await addPerson(phone), await addPerson(phone)]
    const [mother = '', child = ''] = people
    await addSms(mother)
    await addSms(child, { at: '2026-01-01T09:00:00Z', asks: true })
    await addSms(child, { recipient_id: mother, recipient_as: 'parent', recipient_scope: 'care' })
    await writes(phone, 'Afmelden.')
    expect(await stopsOf(...people)).toEqual([['replied'], ['replied'], ['replied']])
  })
})

test('STOP that its provider tells of a time long gone is as of now (P3)', async () => {
  const phone = newPhone()
  const patient = await addPerson(phone)
  const before = Date.now()
  expect((await writes(phone, 'STOP', { at: '1970-01-01T00:00:00Z' })).status).toBe('kept')
  const { at } = await rig.store.db
    .selectFrom('person_stop')
    .select('at')
    .where('person_id', '=', patient)
    .executeTakeFirstOrThrow()
  expect(Date.parse(at)).toBeGreaterThanOrEqual(before)
})

describe('STOP from a number to which no SMS of ours went', () => {
  test('stops everybody who has it, however it is written, and nobody else (P3)', async () => {
    const phone = newPhone()
    const spelled = `0${phone.slice(3, 4)} ${phone.slice(4)}`
    const people = [await addPerson(phone), await addPerson(spelled), await addPerson(newPhone())]
    const { replyId, status } = await writes(phone, 'STOP')
    expect(status).toBe('kept')
    expect(await stopsOf(...people)).toEqual([['replied'], ['replied'], []])
    // A doubled reply is the same stop.
    await writes(phone, 'STOP', { replyId })
    expect(await stopsOf(...people)).toEqual([['replied'], ['replied'], []])
  })

  test('is of the record that they have become', async () => {
    const phone = newPhone()
    const survivor = await addPerson(null)
    await addPerson(phone, { merged_into: survivor })
    await writes(phone, 'stop')
    expect(await stopsOf(survivor)).toEqual([['replied']])
  })

  test('that nobody has is unknown, and so is any other word', async () => {
    expect((await writes(newPhone(), 'STOP')).status).toBe('unknown')
    const phone = newPhone()
    await addPerson(phone)
    expect((await writes(phone, 'bedankt')).status).toBe('unknown')
  })
})

describe('a word', () => {
  test('that comes twice answers one question', async () => {
    const phone = newPhone()
    const patient = await addPerson(phone)
    const older = await addSms(patient, { at: '2026-01-01T08:00:00Z', asks: true })
    const newer = await addSms(patient, { at: '2026-01-01T09:00:00Z', asks: true })
    const { replyId } = await writes(phone, 'ja')
    const { db } = rig.store
    await db
      .updateTable('intent')
      .set({ answer: 'confirm' } as never)
      .where('intent_id', '=', newer)
      .execute()
    expect((await writes(phone, 'ja', { replyId })).status).toBe('answered')
    expect(answered([older, newer])).toEqual([newer, newer])
    expect((await writes(phone, 'ja')).status).toBe('answered')
    expect(answered([older])).toEqual([older])
  })

  test('that comes late answers nothing that was asked after it was written', async () => {
    const phone = newPhone()
    const patient = await addPerson(phone)
    const before = await addSms(patient, { at: '2026-01-01T08:00:00Z', asks: true })
    const after = await addSms(patient, { at: '2026-01-01T11:00:00Z', asks: true })
    await writes(phone, 'ja')
    expect(answered([before, after])).toEqual([before])
  })

  test('about a message by its name answers no other', async () => {
    const phone = newPhone()
    const patient = await addPerson(phone)
    const reference = await addSms(patient)
    const open = await addSms(patient, { at: '2026-01-01T09:00:00Z', asks: true })
    expect((await writes(phone, 'ja', { reference })).status).toBe('kept')
    expect(answered([reference, open])).toEqual([])
  })

  test('is not written down', async () => {
    const phone = newPhone()
    await addSms(await addPerson(phone), { asks: true })
    const { replyId } = await writes(phone, 'geheim: bel mij')
    const rows = await rig.store.db
      .selectFrom('reply')
      .selectAll()
      .where('reply_id', '=', replyId)
      .execute()
    expect(rows).toMatchObject([{ provider: 'sms-http', meant: { status: 'kept' } }])
    expect(JSON.stringify(rows)).not.toContain('geheim')
  })
})
