import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrives, booked, monday } from './src/clinic.ts'
import { expectLedgerHolds, type Flow, openFlow, openGround, secret, until } from './src/flow.ts'

/** Questions through the whole pipe: asked over real channels, answered at the real gateway. */
const says = (nl: string, en: string) => ({ nl, en })

function askingClinic(): DefinitionBundle {
  const asks = (id: string, channel: 'email' | 'sms', touchpoint: string) =>
    campaign({
      id,
      journey: 'operation',
      entry: 'once-per-entity',
      trigger: { touchpoint },
      steps: [
        {
          ask: {
            id: 'coming',
            template: 'hello',
            channels: [channel],
            question: says('Komt u naar uw afspraak?', 'Are you coming?'),
            within: 'P2D',
            answers: [
              {
                answer: 'confirm',
                says: says('Ik kom', 'I am coming'),
                words: { nl: ['ja'], en: ['yes'] },
                steps: [{ message: { id: 'see-you', template: 'later', channels: [channel] } }],
              },
              {
                answer: 'move',
                says: says('Een andere dag', 'Another day'),
                words: { nl: ['anders'], en: ['move'] },
              },
            ],
          },
        },
      ],
    })
  const clinic = smallHospital([
    asks('by-mail', 'email', 'care.appointment.booked.v1'),
    asks('by-sms', 'sms', 'care.appointment.booked.v1'),
  ])
  const content = { nl: sources('Dag'), en: sources('Hello') }
  const templates = clinic.templates.map((template) =>
    template.id === 'hello'
      ? {
          ...template,
          channels: {
            email: { sensitivity: 'personal' as const, variables: [], content },
            sms: {
              sensitivity: 'neutral' as const,
              variables: [],
              content: {
                nl: { text: '{{question.text}} {{answers.confirm.word}} of {{answers.move.word}}' },
                en: { text: '{{question.text}} {{answers.confirm.word}} or {{answers.move.word}}' },
              },
            },
          },
        }
      : template,
  )
  return { ...clinic, templates }
}

function sources(subject: string) {
  return {
    subject,
    html: '<a href="{{answers.confirm.url}}">{{answers.confirm.says}}</a>',
    text: '{{answers.confirm.url}}\n{{answers.move.url}}\n',
  }
}

let flow: Flow
let close: () => Promise<void>
let count = 0

beforeAll(async () => {
  const { store } = await openGround(askingClinic(), monday)
  flow = await openFlow({ store })
  close = async () => {
    await flow.close()
    await store.close()
  }
})
afterAll(() => close())

/** Somebody new, asked by e-mail and by SMS whether they come; with the paths of the links of the mail. */
async function asked(shared?: string) {
  count += 1
  const subject = `asked-${count}`
  const phone = shared ?? `+4477009001${String(count).padStart(2, '0')}`
  await flow.publish(arrives(subject, { phone }), booked(subject, 1, '2026-03-20T09:00:00Z'))
  return { subject, phone, ...(await received(subject, phone, 1)) }
}

/** The links of the mail that somebody got as the nth, once the SMS is there, too. */
async function received(subject: string, phone: string, nth: number) {
  let links: string[] = []
  await until(async () => {
    const mails = (await flow.emails()).filter(({ to }) => to === `${subject}@example.org`)
    const texts = (await flow.sms()).filter(({ to }) => to === phone)
    expect(mails.length).toBeGreaterThanOrEqual(nth)
    expect(texts.length).toBeGreaterThanOrEqual(nth)
    links = mails[nth - 1]?.text.match(/\/a\/[\w-]+\/\w+/g) ?? []
  })
  const [confirm = '', move = ''] = links
  return { confirm, move }
}

type Standing = { answer: string | null; state: string; then: number }

/** What is known of somebody's question in a campaign, and how many messages followed it. */
async function standing(subject: string, campaignId: string): Promise<Standing | undefined> {
  const { rows } = await sql<Standing>`
    select (array_agg(i.answer order by i.planned_at desc)
        filter (where i.message_id = 'coming' and i.entity_version = run.entity_version))[1] as answer,
      run.state, count(*) filter (where i.message_id = 'see-you')::int as then
    from enrolment run join intent i using (person_id, enrolment_id)
      join person_identity known on known.person_id = run.person_id
    where known.external_id = ${subject} and run.campaign_id = ${campaignId}
    group by run.enrolment_id, run.state`.execute(flow.store.db)
  return rows[0]
}

/** What became of the events of one type about somebody, in their order. */
async function outcomes(subject: string, type: string): Promise<string[]> {
  const { rows } = await sql<{ outcome: string }>`
    select outcome from event e join person_identity known on known.person_id = e.person_id
    where known.external_id = ${subject} and e.type = ${type}
    order by e.recorded_at, e.record_offset`.execute(flow.store.db)
  return rows.map(({ outcome }) => outcome)
}

const press = (path: string, answer: string) =>
  flow.call(path, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `answer=${answer}`,
  })

async function writes(from: string, text: string, over: object = {}) {
  count += 1
  const at = '2026-03-02T09:05:00Z'
  const body = JSON.stringify({ replies: [{ replyId: `r${count}`, from, text, at, ...over }] })
  return flow.call('/v1/replies/sms-http', {
    headers: { [receiptSignatureHeader]: signBody(body, secret) },
    body,
  })
}

describe('the link of a question', () => {
  test('shows it and answers nothing, however often it is looked at', async () => {
    const { subject, confirm } = await asked()
    for (let look = 0; look < 3; look += 1) {
      const page = await flow.call(confirm, { method: 'GET' })
      expect(page).toMatchObject({ status: 200 })
      expect(page.text).toContain('Komt u naar uw afspraak?')
      expect(page.text).toContain('value="confirm" class="wanted"')
      expect(page.text).toContain('value="move"')
      expect(page.headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
    }
    await flow.read()
    expect(await standing(subject, 'by-mail')).toMatchObject({ answer: null, state: 'running' })
  })

  test('answers it when a button is pressed; the first answer counts and the page says which', async () => {
    const { subject, confirm, move } = await asked()
    const pressed = await press(confirm, 'confirm')
    expect(pressed.status).toBe(200)
    expect(pressed.text).toContain('Uw antwoord is:')
    expect(pressed.text).toContain('Ik kom')
    const other = await press(move, 'move')
    expect(other.text).toContain('U had deze vraag al beantwoord')
    expect(other.text).toContain('Ik kom')
    expect(await standing(subject, 'by-mail')).toEqual({
      answer: 'confirm',
      state: 'completed',
      then: 1,
    })
    expect(await outcomes(subject, 'message.answered.v1')).toEqual(['answered'])
    // The other campaign asked, too, and was not answered.
    expect(await standing(subject, 'by-sms')).toMatchObject({ answer: null, state: 'running' })
  })

  test('of two answers at once one counts, and both pages say which', async () => {
    const { subject, confirm } = await asked()
    const pages = await Promise.all([press(confirm, 'confirm'), press(confirm, 'move')])
    await flow.read()
    const { answer } = (await standing(subject, 'by-mail')) ?? {}
    const label = answer === 'confirm' ? 'Ik kom' : 'Een andere dag'
    for (const { text } of pages) expect(text).toContain(`<p class="answer">${label}</p>`)
    expect(
      (await outcomes(subject, 'message.answered.v1')).filter((each) => each === 'answered'),
    ).toHaveLength(1)
  })

  test('that somebody has changed is none of ours', async () => {
    const { confirm } = await asked()
    const page = await flow.call(confirm.replace(/(..)(\/\w+)$/, 'AA$2'), { method: 'GET' })
    expect(page.status).toBe(404)
    expect(page.text).toContain('niet (meer) geldig')
    expect((await press('/a/nonsense/confirm', 'confirm')).status).toBe(404)
  })

  test('takes none but its answers', async () => {
    const { subject, confirm } = await asked()
    expect((await press(confirm, 'maybe')).status).toBe(400)
    expect((await flow.call(confirm, { body: '' })).status).toBe(400)
    expect(await standing(subject, 'by-mail')).toMatchObject({ answer: null, state: 'running' })
  })

  test('of an appointment that has moved since does not confirm the other one', async () => {
    const { subject, phone, confirm } = await asked()
    await flow.publish(booked(subject, 2, '2026-03-25T09:00:00Z'))
    const again = await received(subject, phone, 2)
    const old = await press(confirm, 'confirm')
    expect(old.status).toBe(410)
    expect(old.text).toContain('Er is intussen iets veranderd')
    expect(await standing(subject, 'by-mail')).toMatchObject({ answer: null, state: 'running' })
    expect((await press(again.confirm, 'confirm')).text).toContain('Uw antwoord is:')
    expect(await standing(subject, 'by-mail')).toMatchObject({ answer: 'confirm', then: 1 })
  })
})

describe('a word by SMS', () => {
  test('answers the newest open question to that number', async () => {
    const { subject, phone } = await asked()
    const { status, json } = await writes(phone, ' JA! ')
    expect([status, json.replies[0].status]).toEqual([202, 'answered'])
    await until(async () =>
      expect(await standing(subject, 'by-sms')).toMatchObject({ answer: 'confirm', then: 1 }),
    )
    expect(await standing(subject, 'by-mail')).toMatchObject({ answer: null })
  })

  test('that is none of its words leaves it open, and is kept without what it said', async () => {
    const { subject, phone } = await asked()
    const { json } = await writes(phone, 'geheim: bel mij liever')
    expect(json.replies[0].status).toBe('kept')
    await until(async () =>
      expect(await outcomes(subject, 'message.replied.v1')).toEqual(['answer_unclear']),
    )
    expect(await standing(subject, 'by-sms')).toMatchObject({ answer: null, state: 'running' })
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from event where data::text like '%geheim%'`.execute(
      flow.store.db,
    )
    expect(rows).toEqual([{ count: 0 }])
    expect(flow.logged()).not.toContain('geheim')
    expect((await writes(phone, 'move')).json.replies[0].status).toBe('answered')
  })

  test('STOP stops, and answers nothing', async () => {
    const { subject, phone } = await asked()
    expect((await writes(phone, 'STOP')).json.replies[0].status).toBe('kept')
    await until(async () =>
      expect(await outcomes(subject, 'message.replied.v1')).toEqual(['replied']),
    )
    const { rows } = await sql<{ state: string }>`
      select c.state from consent c join person_identity known on known.person_id = c.person_id
      where known.external_id = ${subject}`.execute(flow.store.db)
    expect(rows).toEqual([{ state: 'withdrawn' }])
  })

  test('STOP of somebody to whom no SMS ever went stops them all the same', async () => {
    const phone = '+447700900299'
    await flow.publish(arrives('never-written-to', { phone }))
    await flow.read()
    expect((await writes(phone, 'STOP')).json.replies[0].status).toBe('kept')
    await until(async () =>
      expect(await outcomes('never-written-to', 'message.replied.v1')).toEqual(['replied']),
    )
    const { rows } = await sql`
      select c.purpose, c.channel, c.state from consent c
        join person_identity known on known.person_id = c.person_id
      where known.external_id = 'never-written-to'`.execute(flow.store.db)
    expect(rows).toEqual([{ purpose: 'all', channel: 'sms', state: 'withdrawn' }])
  })

  test('that comes twice answers one question, and STOP is of everybody with that number', async () => {
    const one = await asked()
    const other = await asked(one.phone)
    const replyId = 'told-twice'
    expect((await writes(one.phone, 'ja', { replyId })).json.replies[0].status).toBe('answered')
    const answers = async () =>
      Promise.all(
        [one, other].map(
          async ({ subject }) => (await standing(subject, 'by-sms'))?.answer ?? null,
        ),
      )
    await until(async () => expect((await answers()).filter(Boolean)).toEqual(['confirm']))
    expect((await writes(one.phone, 'ja', { replyId })).json.replies[0].status).toBe('answered')
    await flow.read()
    expect((await answers()).filter(Boolean)).toEqual(['confirm'])
    await writes(one.phone, '"STOP"')
    await until(async () => {
      for (const { subject } of [one, other]) {
        expect(await outcomes(subject, 'message.replied.v1')).toEqual(['replied'])
      }
    })
    const { rows } = await sql<{ subject: string }>`
      select known.external_id as subject from consent c
        join person_identity known on known.person_id = c.person_id
      where c.state = 'withdrawn' and known.external_id in (${one.subject}, ${other.subject})`.execute(
      flow.store.db,
    )
    expect(rows.map(({ subject }) => subject).sort()).toEqual([one.subject, other.subject].sort())
  })

  test('is only heard of a number that we wrote to, signed, and as it should be', async () => {
    expect((await writes('+447700900999', 'ja')).json.replies).toMatchObject([
      { status: 'unknown' },
    ])
    const bad = await writes('0612', 'ja')
    expect([bad.status, bad.json.replies[0]]).toMatchObject([
      400,
      { status: 'refused', path: 'replies[0].from' },
    ])
    const unsigned = await flow.call('/v1/replies/sms-http', { body: '{"replies":[]}' })
    expect(unsigned.status).toBe(401)
  })

  test('may come through the sandbox, as from a provider', async () => {
    const { subject, phone } = await asked()
    const { pageUrl } = flow.pipe.sandbox
    const answer = await fetch(`${pageUrl}/replies`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ from: phone, text: 'anders' }),
    })
    expect(answer.status).toBe(202)
    await until(async () =>
      expect(await standing(subject, 'by-sms')).toMatchObject({
        answer: 'move',
        state: 'completed',
      }),
    )
  })
})

test('an answer that comes when its time is over changes nothing, and the page says so', async () => {
  const { subject, phone, confirm } = await asked()
  await stepBusinessTime(flow.store.db, '2026-03-05T09:00:00.000Z')
  await until(async () => {
    expect(await standing(subject, 'by-mail')).toMatchObject({ state: 'completed' })
    expect(await standing(subject, 'by-sms')).toMatchObject({ state: 'completed' })
  })
  const late = await press(confirm, 'confirm')
  expect(late.status).toBe(410)
  expect(late.text).toContain('kan niet meer worden beantwoord')
  expect((await writes(phone, 'ja')).json.replies[0].status).toBe('kept')
  expect(await standing(subject, 'by-mail')).toEqual({ answer: null, state: 'completed', then: 0 })
  await until(() => expectLedgerHolds(flow))
})
