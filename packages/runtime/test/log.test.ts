import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fail } from '../src/failure.ts'
import { createLogger, fieldKinds, type LogFields, type Logger, silentLogger } from '../src/log.ts'

const PERSON_ID = '01980c1e-7f3a-7b21-8a6e-0123456789ab'

/** Twelve values that a patient would not want to find in a log. */
const planted = {
  givenName: 'Fatima-Canary',
  familyName: 'Özdemir-Canary',
  email: 'fatima.canary@example.org',
  phone: '+31612345678',
  birthDate: '1952-03-14',
  bsn: '123456782',
  street: 'Kanariestraat 12',
  postcode: '1234 AB',
  diagnosis: 'Sepsis canary',
  messageText: 'Beste mevrouw Canary, morgen om 10:00',
  patientNumber: 'PAT-0047.canary',
  freeText: 'line one\n    at canary (/home/canary/x.ts:1:1)\nline two',
} as const
const values = Object.values(planted)

function record(use: (log: Logger) => void): { lines: Record<string, unknown>[]; text: string } {
  const written: string[] = []
  use(createLogger('test', 'debug', { write: (line) => void written.push(line) }))
  return { lines: written.map((line) => JSON.parse(line)), text: written.join('') }
}

/** What the compiler refuses must hold at run time too: data reaches us through casts. */
const unchecked = (log: Logger) =>
  log as unknown as {
    info(message: string, fields?: unknown): void
    child(fields: unknown): Logger
  }

function expectNothingPlanted(text: string): void {
  for (const value of values) {
    for (const part of [value, JSON.stringify(value).slice(1, -1)]) expect(text).not.toContain(part)
  }
  expect(text.toLowerCase()).not.toContain('canary')
}

describe('createLogger', () => {
  it('writes one JSON object a line, with service, level, time, message and fields', () => {
    const { lines } = record((log) => {
      log.info('took in a batch from Kafka', {
        topic: 'wegwijs.touchpoints',
        partition: 3,
        offset: 12n,
        count: 500,
        personId: PERSON_ID,
        ready: true,
        host: 'kafka-1:9092',
        durationMs: undefined,
      })
    })
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        service: 'test',
        message: 'took in a batch from Kafka',
        topic: 'wegwijs.touchpoints',
        partition: 3,
        offset: 12,
        count: 500,
        personId: PERSON_ID,
        ready: true,
        host: 'kafka-1:9092',
      },
    ])
  })

  it('leaves out what is below its level', () => {
    const written: string[] = []
    const log = createLogger('test', 'warn', { write: (line) => void written.push(line) })
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    expect(written.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error'])
    silentLogger.error('nobody hears this')
  })

  it('gives a child the fields of its parent, and lets a line say otherwise', () => {
    const { lines } = record((log) => {
      const child = log.child({ channel: 'email', lane: 'bulk' }).child({ provider: 'smtp' })
      child.info('sends', { lane: 'standard' })
    })
    expect(lines[0]).toMatchObject({ channel: 'email', lane: 'standard', provider: 'smtp' })
  })
})

describe('the message (P7)', () => {
  it('is a text that stands in the code: the compiler refuses every other one', () => {
    record((log) => {
      const name: string = planted.givenName
      // @ts-expect-error a computed text
      log.info(name)
      // @ts-expect-error a text with something put into it
      log.info(`sends to ${name}`)
      log.info('sends')
      log.info(`sends`)
    })
  })

  it.each(values)('is withheld when data came into it all the same: %s', (value) => {
    const { lines, text } = record((log) => {
      unchecked(log).info(value)
      unchecked(log).info(`could not send to ${value}`)
    })
    expect(lines.map((line) => line.message)).toEqual(['withheld', 'withheld'])
    expectNothingPlanted(text)
  })

  it('is the business of the compiler alone where data reads like words of ours', () => {
    const { lines } = record((log) => unchecked(log).info('sepsis'))
    expect(lines[0]?.message).toBe('sepsis')
  })
})

describe('fields (P7)', () => {
  it('are listed in alphabetical order', () => {
    expect(Object.keys(fieldKinds)).toEqual(Object.keys(fieldKinds).sort())
  })

  it.each(values)('have no place for: %s', (value) => {
    const everyField: LogFields = {
      code: value,
      topic: value,
      personId: value,
      intentId: value,
      eventId: value,
      subject: value,
      host: value,
      dependency: value,
      error: value,
    }
    const { text } = record((log) => {
      const reckless = unchecked(log)
      reckless.info('fields', { ...everyField, count: value, ready: value })
      reckless.info('fields', { name: value, [value]: 1, nested: { email: value } })
      reckless.info('fields', { count: { toString: () => value }, code: [value], topic: { value } })
      reckless.child({ email: value, subject: value }).info('child')
      reckless.info('fields', value)
      reckless.info('fields', { error: { message: value, [value]: value } })
    })
    expectNothingPlanted(text)
  })

  it('say how many of them were withheld', () => {
    const { lines } = record((log) => {
      unchecked(log).info('fields', { email: planted.email, phone: planted.phone, count: 1 })
    })
    expect(lines[0]).toMatchObject({ withheldFields: 2, count: 1 })
  })

  it('show the id of a publisher as a hash, the same for the same id', () => {
    const { lines } = record((log) => {
      log.info('an event', { eventId: planted.patientNumber })
      log.info('the same event', { eventId: planted.patientNumber })
      log.info('another event', { eventId: 'PAT-0048' })
      log.info('an event with a uuid', { eventId: PERSON_ID })
    })
    const [first, again, other, uuid] = lines.map((line) => line.eventId)
    expect(first).toMatch(/^sha256:[0-9a-f]{16}$/)
    expect(again).toBe(first)
    expect(other).not.toBe(first)
    expect(uuid).toBe(PERSON_ID)
  })
})

describe('errors (P7)', () => {
  /** Errors as our libraries throw them, with data in every place where they put it. */
  class DatabaseError extends Error {
    override name = 'error'
    code = '23505'
    severity = 'ERROR'
    constraint = 'person_external_id_key'
    detail = `Key (email, phone)=(${planted.email}, ${planted.phone}) already exists.`
    where = `unnamed portal parameter $1 = '${planted.diagnosis}'`
    parameters = values
  }
  const zodError = z
    .strictObject({ email: z.literal('x'), birthDate: z.iso.date() })
    .safeParse(
      { email: planted.email, [planted.freeText]: planted.bsn },
      { reportInput: true },
    ).error
  const mailError = Object.assign(
    new Error(`Can't send mail - all recipients were rejected: 550 <${planted.email}>`),
    {
      code: 'EENVELOPE',
      responseCode: 550,
      response: `550 5.1.1 <${planted.email}> ${planted.familyName}`,
      rejected: [planted.email],
      envelope: { from: 'care@example.org', to: [planted.email] },
    },
  )
  const jsonError = (() => {
    try {
      return JSON.parse(planted.messageText)
    } catch (error) {
      return error
    }
  })()
  const renamed = Object.assign(new Error('x'), { name: planted.givenName, code: planted.phone })
  const restacked = Object.assign(new Error('x'), {
    stack: `${planted.freeText}\n${values.join('\n')}`,
  })
  const likeAFrame = new Error('x\n    at canary (/home/canary/secret.ts:1:1)')
  const reworded = new Error(planted.freeText)
  reworded.message = 'another text'
  const nested = new Error(planted.email, {
    cause: new AggregateError(
      [mailError, new Error(planted.bsn, { cause: zodError })],
      planted.phone,
    ),
  })
  const coded = fail(
    'WEGWIJS_DATABASE_UNAVAILABLE',
    { reason: 'ECONNREFUSED' },
    new DatabaseError(planted.email),
  )

  it.each<[string, unknown]>([
    ['pg', new DatabaseError(values.join(' '))],
    ['zod', zodError],
    ['nodemailer', mailError],
    ['JSON.parse', jsonError],
    ['an error with another name and code', renamed],
    ['an error with another stack', restacked],
    ['an error whose message ends like a stack', likeAFrame],
    ['an error whose message was changed', reworded],
    ['errors within errors', nested],
    ['ours, with a foreign cause', coded],
    ...values.map((value): [string, unknown] => [`a message: ${value}`, new Error(value)]),
  ])('tell nothing of a person: %s', (_, error) => {
    const { text } = record((log) => {
      log.error('it failed', { error })
      log.child({ error }).error('it failed')
    })
    expectNothingPlanted(text)
  })

  it('tell type, code, constraint and where it happened', () => {
    const { lines } = record((log) => {
      log.error('it failed', { error: new DatabaseError(planted.email) })
    })
    expect(lines[0]?.error).toEqual({
      type: 'DatabaseError',
      code: '23505',
      constraint: 'person_external_id_key',
      stack: expect.arrayContaining([
        expect.stringMatching(/^packages\/runtime\/test\/log\.test\.ts:\d+:\d+$/),
      ]),
    })
  })

  it('tell the causes, and of an error of ours its text', () => {
    const { lines } = record((log) => {
      log.error('it failed', { error: coded })
      log.error('it failed', { error: nested })
    })
    expect(lines[0]?.error).toMatchObject({
      type: 'WegwijsError',
      code: 'WEGWIJS_DATABASE_UNAVAILABLE',
      message: 'PostgreSQL does not answer: ECONNREFUSED',
      cause: { type: 'DatabaseError', code: '23505' },
    })
    expect(lines[1]?.error).toMatchObject({
      type: 'Error',
      cause: {
        type: 'AggregateError',
        errors: [{ code: 'EENVELOPE' }, { cause: { type: 'ZodError' } }],
      },
    })
  })

  it('end, however deep or round the causes are', () => {
    const round = new Error('a')
    round.cause = round
    const { lines } = record((log) => {
      log.error('it failed', { error: round })
      log.error('thrown was no error', { error: planted.email })
      log.error('thrown was nothing', { error: null })
    })
    expect(lines[1]?.error).toEqual({ type: 'string' })
    expect(lines[2]?.error).toEqual({ type: 'object' })
  })
})
