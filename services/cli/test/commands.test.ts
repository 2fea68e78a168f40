import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { exitCodes } from '@wegwijs/runtime/failure'
import { silentLogger } from '@wegwijs/runtime/log'
import { findApiKey, isKey, keyIdOf } from '@wegwijs/store/api-keys'
import type { Store } from '@wegwijs/store/database'
import { standingOf } from '@wegwijs/store/positions'
import { listOperationalStops, listPersonStops } from '@wegwijs/store/stops'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { groupsOf } from '@wegwijs/wire/topics'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { exampleFolder } from '../src/log-options.ts'
import { type Ran, run } from './run.ts'

const { databaseUrl, kafkaBrokers, redisUrl } = inject('servers')
const cannotRun = kafkaBrokers.length === 0 || redisUrl === ''

let store: Store
beforeAll(async () => {
  store = await openNamespace(databaseUrl, 'cli')
})
afterAll(() => store.close())

function cli(words: readonly string[], input = ''): Promise<Ran> {
  const environment = {
    WEGWIJS_NAMESPACE: store.namespace,
    WEGWIJS_DATABASE_URL: databaseUrl,
    WEGWIJS_KAFKA_BROKERS: kafkaBrokers.join(','),
    WEGWIJS_REDIS_URL: redisUrl,
  }
  return run(words, environment, input)
}

test('a namespace that was never migrated says what to do', async () => {
  const { code, err } = await cli(['status', '--namespace', 'nobody_was_here'])
  expect(code).toBe(exitCodes.temporary)
  expect(err).toContain('wegwijs migrate')
})

test('a campaign is drawn where nothing was ever migrated', async () => {
  const { code, out, err } = await cli([
    ...['graph', exampleFolder, 'patient-panel'],
    ...['--namespace', 'nobody_was_here'],
  ])
  expect(code).toBe(0)
  expect(out).toContain('flowchart TD')
  expect(err).toContain('without counts: nothing was ever published here')
})

describe('before a definition is there', () => {
  test('status tells so, and what cannot be asked', async () => {
    const { code, out } = await cli(['status'])
    expect(code).toBe(0)
    expect(out).toContain('definition  none applied')
  })

  test('status says with which settings PostgreSQL may lose what it has committed', async () => {
    const { durability } = (await cli(['status', '--json'])).json() as {
      durability: { lax: string[] }
    }
    const { out } = await cli(['status'])
    const [, lines = ''] = out.split('PostgreSQL may lose what it has committed\n')
    expect(lines.split('\n').slice(0, durability.lax.length)).toEqual(
      durability.lax.map((each) => `  ${each}`),
    )
    // The server of the tests is made to be quick.
    expect(durability.lax).toContain('fsync = off')
  })

  test('events are not sent blindly', async () => {
    const { code, err } = await cli(['events', 'send', '-'], '{}')
    expect(code).toBe(exitCodes.dataInvalid)
    expect(err).toContain('none was')
  })
})

describe('with the example hospital applied', () => {
  beforeAll(async () => {
    const { code, json } = await cli(['apply', exampleFolder, '--by', 'test', '--json'])
    expect(code).toBe(0)
    expect(json()).toMatchObject({ revision: 1 })
  }, 60_000)

  test('applying it again changes nothing', async () => {
    const { json } = await cli(['apply', exampleFolder, '--json'])
    const { campaigns } = json() as { campaigns: { change: string }[] }
    expect(new Set(campaigns.map(({ change }) => change))).toEqual(new Set(['unchanged']))
  }, 60_000)

  test('nothing to do is said, and a misspelt team is asked back', async () => {
    const none = await cli(['tasks', '--team', 'home-nurses'])
    expect([none.code, none.err]).toEqual([0, 'no task is to be done\n'])
    const wrong = await cli(['tasks', '--team', 'nurses'])
    expect(wrong.code).toBe(exitCodes.usage)
    expect(wrong.err).toContain('there is no team "nurses"; did you mean home-nurses?')
  })

  test('a campaign is stopped and goes on again; a misspelt one is asked back', async () => {
    const stopped = await cli(['stop', 'campaign', 'aftercare-at-home', '--reason', 'typo in it'])
    expect(stopped.code).toBe(0)
    expect(await listOperationalStops(store.db)).toMatchObject([
      { scope: 'campaign', target: 'aftercare-at-home', reason: 'typo in it' },
    ])
    expect((await cli(['status'])).out).toContain('typo in it')
    const wrong = await cli(['stop', 'campaign', 'aftercare-at-hone', '--reason', 'x'])
    expect(wrong.code).toBe(exitCodes.usage)
    expect(wrong.err).toContain('did you mean aftercare-at-home?')
    const resumed = await cli([
      'resume',
      'campaign',
      'aftercare-at-home',
      '--reason',
      'corrected',
      '--json',
    ])
    expect((resumed.json() as { lifted: string[] }).lifted).toHaveLength(1)
    expect(await listOperationalStops(store.db)).toEqual([])
  })

  test('a campaign and a template that have left the definition are stopped: people are in them still', async () => {
    const published = { version: 1, templates: '{}', hash: 'h', revision: 1 } as const
    await store.db
      .insertInto('campaign_version')
      .values({
        ...{ ...published, campaign_id: 'gone-campaign', content: '{}' },
        published_at: new Date().toISOString(),
      })
      .execute()
    await store.db
      .insertInto('campaign')
      .values({ campaign_id: 'gone-campaign', live_version: null, state: 'ended' })
      .execute()
    await store.db
      .insertInto('template_version')
      .values({ template_id: 'gone-template', hash: 'h', channels: '{}' })
      .execute()
    for (const words of [
      ['campaign', 'gone-campaign'],
      ['template', 'gone-template'],
    ]) {
      const { err } = await cli(['stop', ...words, '--reason', 'x'])
      expect(err).toContain('stopped')
      expect((await cli(['resume', ...words, '--reason', 'x'])).code).toBe(0)
    }
    for (const table of ['campaign', 'campaign_version'] as const)
      await store.db.deleteFrom(table).where('campaign_id', '=', 'gone-campaign').execute()
  })

  test('what is in force need not be readable to stop something, and stop all asks for nothing', async () => {
    const newer = { bundle: '{"campaigns":[]}', hash: 'newer', applied_by: 'a newer Wegwijs' }
    await store.db.insertInto('definition').values(newer).execute()
    try {
      for (const words of [['all'], ['campaign', 'aftercare-at-home'], ['channel', 'email']]) {
        const { err } = await cli(['stop', ...words, '--reason', 'x'])
        expect(err).toContain('stopped')
        expect((await cli(['resume', ...words, '--reason', 'x'])).code).toBe(0)
      }
    } finally {
      await store.db.deleteFrom('definition').where('hash', '=', 'newer').execute()
    }
  })

  test.each([['channel', 'email'], ['provider', 'smtp'], ['template', 'home-again'], ['all']])(
    'stop and resume %s %s',
    async (...words) => {
      expect((await cli(['stop', ...words, '--reason', 'x'])).code).toBe(0)
      expect(await listOperationalStops(store.db)).toHaveLength(1)
      expect((await cli(['resume', ...words, '--reason', 'x'])).code).toBe(0)
      expect(await listOperationalStops(store.db)).toEqual([])
    },
  )

  test('an appointment of which a newer version was put aside is counted, and explains what waits for it', async () => {
    const entity = { entity_type: 'appointment', entity_id: 'A-1' }
    const dueAt = new Date(Date.now() + 3_600_000).toISOString()
    const [seeded] = await seedMessages(store, 1, {
      enrolment: { campaign_id: 'patient-panel' },
      intent: {
        ...{ ...entity, entity_version: 1, campaign_id: 'patient-panel' },
        ...{ due_at: dueAt, reason: 'entity_unapplied' },
      },
    })
    const person_id = seeded?.personId ?? ''
    const row = { ...entity, version: 1, state: 'active', data: '{}', changed_at: dueAt } as const
    await store.db
      .insertInto('entity')
      .values({ person_id, ...row, unapplied_version: 2 })
      .execute()
    expect((await cli(['status'])).out).toMatch(
      /waiting for a version that was put aside\n +appointment +1\n/,
    )
    expect((await cli(['explain', person_id])).out).toContain(
      'a newer version of the appointment or stay could not be applied yet',
    )
    await store.db.updateTable('entity').set({ version: 2 }).execute()
    expect((await cli(['status'])).out).not.toContain('put aside')
    for (const table of ['intent', 'enrolment', 'entity', 'person'] as const)
      await store.db.deleteFrom(table).where('person_id', '=', person_id).execute()
  })

  test('a campaign that has reached as far as expected asks, and goes on by a word', async () => {
    const panel = { campaign_id: 'patient-panel', reason: 'reach_used' }
    const dueAt = new Date(Date.now() + 3_600_000).toISOString()
    await seedMessages(store, 3, { intent: { ...panel, due_at: dueAt } })
    const asked = await cli(['status'])
    expect(asked.out).toContain('asks: wegwijs reach allow patient-panel')
    const words = ['--reason', 'a campaign of the radio', '--by', 'noor']
    const allow = ['reach', 'allow', 'patient-panel', '--more', '400']
    const allowed = await cli([...allow, ...words, '--json'])
    expect(allowed.json()).toMatchObject({ campaign: 'patient-panel', more: 400, released: 3 })
    const told = await cli(['reach'])
    expect(told.out).toMatch(/patient-panel\s+0\s+700\s+0/)
    expect(told.out).toMatch(/patient-panel\s+400 more\s+cli:noor\s+a campaign of the radio/)
    const wrong = await cli(['reach', 'allow', 'aftercare-at-home', '--more', '1', ...words])
    expect(wrong.code).toBe(exitCodes.usage)
    await store.db.deleteFrom('intent').where('campaign_id', '=', 'patient-panel').execute()
  })

  test('a person is stopped by a publisher id, known or not', async () => {
    const { json } = await cli(['stop', 'person', 'ehr:new', '--reason', 'asked', '--json'])
    const { personId } = json() as { personId: string }
    expect(await listPersonStops(store.db, personId)).toMatchObject([
      { kind: 'staff', reason: 'asked' },
    ])
    const explained = await cli(['explain', 'ehr:new'])
    expect(explained.out).toContain('stopped (staff)')
    await cli(['resume', 'person', personId, '--reason', 'asked'])
    expect(await listPersonStops(store.db, personId)).toEqual([])
    expect((await cli(['resume', 'person', newUuid(), '--reason', 'x'])).code).toBe(exitCodes.usage)
  })

  test('a stop of a person says when nobody is known by that id, and asks back where nobody can be', async () => {
    const stop = (reference: string) => cli(['stop', 'person', reference, '--reason', 'asked'])
    const unknown = await stop('ehr:not-seen-yet')
    expect([unknown.code, unknown.err]).toEqual([0, expect.stringContaining('nobody is known')])
    const known = await stop('ehr:not-seen-yet')
    expect([known.code, known.err]).toEqual([0, expect.not.stringContaining('nobody is known')])
    const people = () => store.db.selectFrom('person_identity').selectAll().execute()
    const before = await people()
    const misspelt = await stop('EHR:not-seen-yet')
    expect(misspelt.code).toBe(exitCodes.usage)
    expect(misspelt.err).toContain('there is no id space "EHR"; did you mean ehr?')
    expect(await people()).toEqual(before)
    await cli(['resume', 'person', 'ehr:not-seen-yet', '--reason', 'asked'])
  })

  test('a key is shown once and recognised, listed, revoked', async () => {
    const made = await cli([
      'keys',
      'create',
      '--label',
      'EHR',
      '--id-space',
      'ehr',
      '--source',
      'urn:example:delinde:ehr',
      '--type',
      'care.*',
      'person.*',
    ])
    const key = made.out.trim()
    const keyId = keyIdOf(key) ?? ''
    const stored = await findApiKey(store.db, keyId)
    expect(stored && isKey(stored, key)).toBe(true)
    expect(stored).toMatchObject({ types: ['care.*', 'person.*'], scopes: ['events'] })
    expect((await cli(['keys', 'list'])).out).toContain(keyId)
    expect((await cli(['keys', 'list'])).out).not.toContain(key)
    expect((await cli(['keys', 'revoke', keyId])).code).toBe(0)
    expect((await cli(['keys', 'revoke', 'none'])).code).toBe(exitCodes.usage)
  })

  test('explain tells of every campaign, also of one that never looked', async () => {
    const [seeded] = await seedMessages(store, 1)
    const { code, out } = await cli(['explain', seeded?.personId ?? '', '--story'])
    expect(code).toBe(0)
    expect(out).toContain(
      'The campaign "Welkom op de afdeling" never began for the person: it waits for "Admitted to the ward", and that has not happened.',
    )
    const dutch = await cli(['explain', seeded?.personId ?? '', '--locale', 'nl'])
    expect(dutch.out).toContain('zij wacht op "Opgenomen op de afdeling", en dat is niet gebeurd.')
    const one = await cli([
      'explain',
      seeded?.personId ?? '',
      '--campaign',
      'patient-panel',
      '--json',
    ])
    expect(one.json()).toMatchObject({
      verdicts: [{ campaignId: 'patient-panel', reason: 'trigger_other_touchpoint' }],
    })
    const none = await cli(['explain', seeded?.personId ?? '', '--campaign', 'patient-pannel'])
    expect(none.err).toContain('did you mean patient-panel?')
    expect((await cli(['explain', 'ehr:nobody'])).err).toContain('WEGWIJS_PERSON_UNKNOWN')
  })

  test('a held message is listed, sent once more, and closed for a reason that explain tells', async () => {
    const [one, two] = await seedMessages(store, 2, {
      intent: { state: 'held', reason: 'outcome_unknown', settled_at: new Date().toISOString() },
    })
    const first = one?.intentId ?? ''
    const listed = (await cli(['messages', 'held'])).out
    expect(listed).toContain(first)
    expect(listed).toContain('email')
    const words = ['--reason', 'provider lost it', '--by', 'jan']
    const resent = await cli(['messages', 'resend', first, ...words, '--json'])
    expect(resent.json()).toEqual({ resent: [first] })
    const again = await cli(['messages', 'resend', first, ...words])
    expect(again.code).toBe(exitCodes.usage)
    expect(again.err).toContain('is not held but planned')
    const closed = await cli(['messages', 'close', two?.intentId ?? '', '--sent', ...words])
    expect(closed.code).toBe(0)
    expect((await cli(['messages', 'held', '--json'])).json()).toEqual([])
    const told = await cli(['explain', one?.personId ?? '', '--story'])
    expect(told.out).toContain('sent once more ("provider lost it", cli:jan)')
    expect((await cli(['messages', 'close', 'x', ...words])).code).toBe(exitCodes.usage)
    expect((await cli(['messages', 'close', newUuid(), ...words])).err).toContain('no message')
    expect((await cli(['messages', 'close', first])).code).toBe(exitCodes.usage)
  })

  test('an event that the definition does not know is not sent, and told by its place', async () => {
    const event = {
      specversion: '1.0',
      id: '1',
      source: 'urn:example:delinde:ehr',
      subject: 'P-1',
      time: '2026-03-01T10:00:00Z',
      type: 'care.discharge.completed.v1',
      data: { destination: 'the moon' },
    }
    const wrong = await cli(['events', 'send', '-'], JSON.stringify([event]))
    expect(wrong.code).toBe(exitCodes.dataInvalid)
    expect(wrong.err).toContain('event 1: data.destination')
    expect(wrong.err).not.toContain('the moon')
    const source = { ...event, source: 'urn:wegwijs' }
    expect((await cli(['events', 'send', '-'], JSON.stringify(source))).code).toBe(
      exitCodes.dataInvalid,
    )
  })

  test('a rehearsal refuses a namespace that lives in real time', async () => {
    const { code, err } = await cli(['rehearse', '--people', '1'])
    expect(code).toBe(cannotRun ? exitCodes.configuration : exitCodes.usage)
    if (!cannotRun) expect(err).toContain('people who live in real time')
    expect((await cli(['rehearse', '--end'])).err).toContain('real time already')
  })

  describe.skipIf(cannotRun)('with Kafka and Redis', () => {
    test('migrate makes the topics, and again changes nothing', async () => {
      const { code, out } = await cli(['migrate', '--partitions', '2'])
      expect(code).toBe(0)
      expect(out).toContain('up to date')
      expect((await cli(['migrate'])).code).toBe(0)
    })

    test('an event is sent, lags, and is late for the ledger after the sweep', async () => {
      const words = ['events', 'send', '--type', 'care.discharge.completed.v1', '--subject', 'P-1']
      const sent = await cli([...words, '--data', '{"destination":"home"}', '--json'])
      expect(sent.code).toBe(0)
      expect(sent.json()).toMatchObject([{ topic: `${store.namespace}.touchpoints`, offset: '0' }])
      const status = (await cli(['status', '--json'])).json() as { positions: { lag: number }[] }
      expect(status.positions.reduce((sum, { lag }) => sum + lag, 0)).toBe(1)
      const ledger = await cli(['ledger', 'check', '--sweep', '0'])
      expect(ledger.code).toBe(exitCodes.checkFailed)
      expect(ledger.out).toMatch(/^BROKEN P1 .*no event waits in Kafka/m)
      expect(ledger.err).toContain('WEGWIJS_LEDGER_BROKEN')
    })

    test('positions go back to what Kafka has, and only while nobody reads', async () => {
      const topic = `${store.namespace}.touchpoints.urgent`
      await cli(['migrate'])
      expect((await cli(['positions', 'reset', 'touchpoints.urgent'])).err).toContain('nothing of')
      await store.db
        .insertInto('consumer_position')
        .values({ topic, partition: 0, next_offset: '7', last_offset: '6', last_hash: 'x' })
        .execute()
      const kafka = connectKafkajs({ brokers: kafkaBrokers, clientId: 'test', log: silentLogger })
      const group = groupsOf(store.namespace).urgent
      const reader = await kafka.source.consume({
        topic,
        group,
        positionOf: async () => null,
        onBatch: async () => ({ kind: 'done' }),
      })
      const refused = await cli(['positions', 'reset', topic])
      expect(refused.code).toBe(exitCodes.temporary)
      expect(refused.err).toContain('WEGWIJS_POSITION_IN_USE')
      await reader.close()
      await vi.waitUntil(async () => (await kafka.admin.groupMembers(group)) === 0, 20_000)
      await kafka.close()
      const { json } = await cli(['positions', 'reset', 'touchpoints.urgent', '--json'])
      expect(json()).toEqual({ topic, partitions: [{ partition: 0, from: '7', to: '0' }] })
      expect(await standingOf(store.db, topic, 0)).toEqual({ next: 0n, last: null })
      const unread = await cli(['positions', 'reset', 'messages'])
      expect(unread.code).toBe(exitCodes.usage)
    })

    test('a dead letter is listed, shown without content, replayed with its bytes', async () => {
      const id = newUuid()
      const topic = `${store.namespace}.touchpoints.urgent`
      await store.db
        .insertInto('dead_letter')
        .values({
          dead_letter_id: id,
          topic,
          partition: 0,
          record_offset: '0',
          record_key: Buffer.from('A'),
          value: Buffer.from('not JSON'),
          headers: JSON.stringify({ ce_id: Buffer.from('e1').toString('base64') }),
          error_class: 'not_json',
          reason: 'not JSON',
        })
        .execute()
      expect((await cli(['dead-letters', 'list'])).out).toContain(id)
      expect((await cli(['dead-letters', 'show', id])).out).not.toContain('ce_id')
      expect((await cli(['dead-letters', 'show', id, '--content'])).out).toContain('ce_id')
      const replayed = await cli(['dead-letters', 'replay', '--class', 'not_json', '--json'])
      expect(replayed.json()).toEqual({ replayed: [id] })
      expect((await cli(['dead-letters', 'list', '--json'])).json()).toEqual([])
      const gone = await cli(['dead-letters', 'replay', newUuid()])
      expect(gone.code).toBe(exitCodes.usage)
    })

    test('however many of a class there are, all are replayed, in the order in which they came', async () => {
      const topic = `${store.namespace}.touchpoints.urgent`
      const letters = Array.from({ length: 10_020 }, (_, index) => ({
        dead_letter_id: newUuid(),
        ...{ topic, partition: 0, record_offset: String(index) },
        ...{ headers: '{}', error_class: 'unknown_type', reason: 'not applied yet' },
      }))
      for (let from = 0; from < letters.length; from += 2_000) {
        const page = letters.slice(from, from + 2_000)
        await store.db.insertInto('dead_letter').values(page).execute()
      }
      const replayed = await cli(['dead-letters', 'replay', '--class', 'unknown_type', '--json'])
      expect(replayed.code, replayed.err).toBe(0)
      expect(replayed.json()).toEqual({
        replayed: letters.map(({ dead_letter_id: id }) => id),
      })
      expect((await cli(['dead-letters', 'list', '--json'])).json()).toEqual([])
    }, 120_000)
  })
})
