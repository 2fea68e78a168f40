import { fail } from '@wegwijs/runtime/failure'
import { decodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import { afterEach, describe, expect, test } from 'vitest'
import { event, inMinutes, openRig, type Rig, type RigOptions, until, withdrawal } from './rig.ts'

let rig: Rig
const open = async (options: RigOptions = {}) => {
  rig = await openRig(options)
  return rig
}
afterEach(() => rig.close())

const stops = () => rig.store.db.selectFrom('person_stop').selectAll().execute()
const outbox = async () => {
  const rows = await rig.store.db.selectFrom('outbox').selectAll().orderBy('outbox_id').execute()
  return rows.map((row) => ({
    topic: row.topic,
    key: row.record_key,
    event: decodeRecord({ key: row.record_key, value: row.value, headers: row.headers }).event,
  }))
}
const readiness = () => {
  const states: Record<string, boolean> = {}
  const set = (name: string, ready: boolean) => {
    states[name] = ready
  }
  return { states, set }
}

describe('while Kafka is away', () => {
  test('an event gets 503 with Retry-After, never a silent 202', async () => {
    await open()
    rig.broker.unavailable(true)
    const answer = await rig.send(event())
    expect([answer.status, answer.json.code]).toEqual([503, 'WEGWIJS_UNAVAILABLE'])
    expect(answer.headers['retry-after']).toBe('5')
    expect(answer.json.detail).toContain('Kafka')
    rig.broker.unavailable(false)
    expect((await rig.send(event())).status).toBe(202)
  })

  test('a stop is committed and answered all the same, with the record that carries it', async () => {
    await open({ kafkaAway: true })
    const stop = withdrawal({ subject: 'P-9' })
    expect((await rig.send(stop)).status).toBe(202)
    const death = { type: 'person.deceased.v1', data: {}, subject: 'P-9' }
    expect((await rig.send(event(death))).status).toBe(202)
    expect(await stops()).toMatchObject([
      { kind: 'consent', purpose: 'marketing', channel: '', at: stop.time },
      { kind: 'death', purpose: 'all', channel: '' },
    ])
    expect(new Set((await stops()).map((row) => row.person_id)).size).toBe(1)
    expect(await outbox()).toMatchObject([
      { topic: topicsOf(rig.store.namespace).urgent, key: 'P-9', event: { id: stop.id } },
      { key: 'P-9', event: { type: 'person.deceased.v1' } },
    ])
  })

  test('of a mixed batch the stops are kept, and each event is answered for itself', async () => {
    await open()
    rig.broker.unavailable(true)
    const [first, stop, bad] = [event(), withdrawal(), event({ type: 'care.unheard.of.v1' })]
    const answer = await rig.send([first, stop, bad])
    expect(answer.status).toBe(207)
    expect(answer.headers['retry-after']).toBe('5')
    expect(answer.json).toMatchObject([
      { id: first.id, status: 503, error: { code: 'WEGWIJS_UNAVAILABLE' } },
      { id: stop.id, status: 202 },
      { id: bad.id, status: 400 },
    ])
    expect(await stops()).toHaveLength(1)
  })

  test('a batch of which nothing could be kept is one 503', async () => {
    await open()
    rig.broker.unavailable(true)
    const answer = await rig.send([event(), event()])
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
  })

  test('an answer of Kafka that got lost: 503, and the same again is the same event', async () => {
    await open()
    rig.broker.loseNextAnswer()
    const one = event()
    expect((await rig.send(one)).status).toBe(503)
    expect((await rig.send(one)).status).toBe(202)
    const ids = rig.published().map(({ source, subject, id }) => [source, subject, id].join())
    expect(ids).toHaveLength(2)
    expect(new Set(ids).size).toBe(1)
  })

  test('a start without it: 503, not ready, and by itself 202 once it is there', async () => {
    const { states, set } = readiness()
    await open({ kafkaAway: true, over: { readiness: { set } } })
    expect((await rig.send(event())).status).toBe(503)
    await until(() => expect(states).toEqual({ PostgreSQL: true, Kafka: false }))
    await until(() => expect(rig.logged()).toContain('waits for'))
    rig.broker.unavailable(false)
    await until(async () => expect((await rig.send(event())).status).toBe(202))
    await until(() => expect(states).toEqual({ PostgreSQL: true, Kafka: true }))
  })
})

describe('while PostgreSQL is away', () => {
  test('a key that is known goes on: events are kept by Kafka, stops get 503', async () => {
    await open()
    expect((await rig.send(event())).status).toBe(202)
    rig.database.cut()
    expect((await rig.send(event())).status).toBe(202)
    const answer = await rig.send(withdrawal())
    expect([answer.status, answer.json.code]).toEqual([503, 'WEGWIJS_UNAVAILABLE'])
    expect(answer.headers['retry-after']).toBe('5')
    expect(answer.json.detail).toContain('PostgreSQL')
    const mixed = await rig.send([event(), withdrawal()])
    expect(mixed.json).toMatchObject([{ status: 202 }, { status: 503 }])
    rig.database.mend()
    await until(async () => expect((await rig.send(withdrawal())).status).toBe(202))
  })

  test('an event that may be right by now is refused by nobody who cannot ask: 503', async () => {
    await open({
      over: {
        refreshDefinition: async () => {
          throw fail('WEGWIJS_DATABASE_UNAVAILABLE', {})
        },
      },
    })
    expect((await rig.send(event())).status).toBe(202)
    rig.database.cut()
    const unheard = await rig.send(event({ type: 'care.unheard.of.v1' }))
    expect([unheard.status, unheard.json.code]).toEqual([503, 'WEGWIJS_UNAVAILABLE'])
    const ahead = await rig.send([event(), event({ time: inMinutes(6) })])
    expect([ahead.status, ahead.headers['retry-after']]).toEqual([207, '5'])
    expect(ahead.json.map(({ status }: { status: number }) => status)).toEqual([202, 503])
    const binary = await rig.send(event({ data_base64: 'AAAA' }))
    expect([binary.status, binary.json.errorClass]).toEqual([400, 'data_invalid'])
  })

  test('a key is not believed for ever: past its grace 503', async () => {
    await open({ limits: { keyGraceMs: 1 } })
    expect((await rig.send(event())).status).toBe(202)
    rig.database.cut()
    await until(async () => {
      const answer = await rig.send(event())
      expect([answer.status, answer.json.code]).toEqual([503, 'WEGWIJS_UNAVAILABLE'])
    })
  })

  test('a server that neither answers nor hangs up: 503 in time', async () => {
    await open({ limits: { databaseDeadlineMs: 1_000 } })
    // Its own first connection may take longer than that.
    await until(async () => expect((await rig.send(event())).status).toBe(202))
    rig.database.hush()
    const answer = await rig.send(withdrawal())
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    rig.database.mend()
    await until(async () => expect((await rig.send(withdrawal())).status).toBe(202))
  })

  test('a start without it: 503 and not ready, and by itself 202 once it is there', async () => {
    const { states, set } = readiness()
    await open({ databaseAway: true, over: { readiness: { set } } })
    const answer = await rig.send(event())
    expect([answer.status, answer.json.code]).toEqual([503, 'WEGWIJS_UNAVAILABLE'])
    expect(answer.headers['retry-after']).toBe('5')
    await until(() => expect(states).toEqual({ PostgreSQL: false, Kafka: true }))
    rig.database.mend()
    await until(async () => expect((await rig.send(event())).status).toBe(202))
    await until(() => expect(states.PostgreSQL).toBe(true))
  })

  test('the stop that could not be told to be kept is kept once, sent again', async () => {
    await open()
    const stop = withdrawal()
    await Promise.all([rig.send(stop), rig.send(stop), rig.send([stop, stop])])
    expect((await rig.send(stop)).status).toBe(202)
    expect(await stops()).toHaveLength(1)
    expect(await outbox()).toHaveLength(1)
  })
})

test('no definition yet: 503 that says so', async () => {
  await open({ over: { definition: () => null } })
  const answer = await rig.send(event())
  expect([answer.status, answer.json.code]).toEqual([503, 'WEGWIJS_DEFINITION_MISSING'])
  expect(answer.headers['retry-after']).toBe('5')
})

test('many stops about the same new people at once: one person each', async () => {
  await open()
  const batch = (shift: number) =>
    Array.from({ length: 50 }, (_, index) => withdrawal({ subject: `P-${(index + shift) % 50}` }))
  const answers = await Promise.all([0, 13, 26, 39].map((shift) => rig.send(batch(shift))))
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202])
  expect(await rig.store.db.selectFrom('person').selectAll().execute()).toHaveLength(50)
  expect(await stops()).toHaveLength(200)
})
