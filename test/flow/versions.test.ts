import { applyDefinition } from '@wegwijs/store/definitions'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { arrives, discharged, monday } from './src/clinic.ts'
import { openFlow, openGround, until } from './src/flow.ts'

/** Three days of aftercare, whose texts say which edition of them they are. */
function edition(words: string, steps: Parameters<typeof campaign>[0]['steps']) {
  const bundle = smallHospital([campaign({ id: 'aftercare', steps: steps ?? [] })])
  const templates = bundle.templates.map((template) => ({
    ...template,
    hash: `${template.id}-${words}`,
    channels: {
      ...template.channels,
      email: {
        sensitivity: 'personal' as const,
        variables: [],
        content: {
          nl: { subject: `${template.id}, ${words}`, html: '<p>x</p>', text: 'x' },
          en: { subject: `${template.id}, ${words}`, html: '<p>x</p>', text: 'x' },
        },
      },
    },
  }))
  return { ...bundle, templates }
}

const wait = { wait: { for: 'P2D', on: 'any-day' as const } }

test('who is in flight stays on the steps and the texts that they entered with (P5)', async () => {
  const first = edition('first edition', [message('hello'), wait, message('later')])
  const ground = await openGround(first, monday)
  onTestFinished(ground.store.close)
  const flow = await openFlow({ store: ground.store })
  await flow.play([arrives('before')])
  await flow.publish(discharged('before'))
  await until(async () => expect(await flow.emails()).toHaveLength(1))
  const second = edition('second edition', [message('later'), wait, message('hello')])
  expect((await applyDefinition(ground.store, second, 'test')).campaigns).toMatchObject([
    { id: 'aftercare', version: 2 },
  ])
  const tuesday = '2026-03-03T09:00:00.000Z'
  await flow.play([arrives('after', {}, { time: tuesday }), discharged('after', { time: tuesday })])
  const { rows } = await sql<{ intent_id: string; line: string }>`
    select i.intent_id, concat_ws(' ', k.external_id, to_char(a.business_at, 'MM-DD'), i.version) as line
    from intent i join attempt a using (person_id, intent_id) join person_identity k using (person_id)
    order by a.business_at, k.external_id desc`.execute(ground.store.db)
  const subjects = new Map((await flow.emails()).map((mail) => [mail.intentId, mail.subject]))
  expect(rows.map(({ intent_id, line }) => `${line} ${subjects.get(intent_id)}`)).toEqual([
    'before 03-02 1 hello, first edition',
    'after 03-03 2 later, second edition',
    'before 03-04 1 later, first edition',
    'after 03-05 2 hello, second edition',
  ])
  await flow.close()
})

test('a campaign that has left the definition takes nobody in and lets nobody fall (P5)', async () => {
  const first = edition('only edition', [message('hello'), wait, message('later')])
  const ground = await openGround(first, monday)
  onTestFinished(ground.store.close)
  const flow = await openFlow({ store: ground.store })
  await flow.publish(arrives('before'), discharged('before'))
  await applyDefinition(ground.store, { ...first, campaigns: [] }, 'test')
  const tuesday = '2026-03-03T09:00:00.000Z'
  await flow.play([arrives('after', {}, { time: tuesday }), discharged('after', { time: tuesday })])
  expect((await flow.emails()).map(({ to, subject }) => `${to} ${subject}`)).toEqual([
    'before@example.org hello, only edition',
    'before@example.org later, only edition',
  ])
  await flow.close()
})
