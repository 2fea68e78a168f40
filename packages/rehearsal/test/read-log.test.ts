import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attributesFileSchema } from '@wegwijs/campaign/definition/attributes'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { touchpointsFileSchema } from '@wegwijs/campaign/definition/touchpoints'
import { type LogMapping, logMappingSchema } from '@wegwijs/definition/log-mapping-schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LogOverrides, readLog } from '../src/read-log.ts'

const text = (words: string) => ({ nl: words, en: words })

const definition: Pick<DefinitionBundle, 'touchpoints' | 'attributes'> = {
  touchpoints: touchpointsFileSchema.parse({
    publishers: [{ source: 'urn:test:log', idSpace: 'log', types: ['care.*', 'person.*'] }],
    touchpoints: [
      {
        type: 'care.arrived.v1',
        name: text('arrived'),
        data: { ward: { type: 'text', sensitivity: 'personal' } },
      },
      {
        type: 'care.measured.v1',
        name: text('measured'),
        data: {
          value: { type: 'number', sensitivity: 'health', required: true },
          by: { type: 'text', sensitivity: 'neutral', values: ['lab', 'ward'] },
        },
      },
    ],
  }),
  attributes: attributesFileSchema.parse({
    person: {
      insured: { type: 'boolean', sensitivity: 'personal' },
      usesPortal: { type: 'boolean', sensitivity: 'personal' },
    },
  }),
}

const mapping: LogMapping = logMappingSchema.parse({
  case: 'Case',
  activity: 'What',
  time: 'When',
  timeFormat: 'yyyy/MM/dd HH:mm:ss',
  zone: 'Europe/Amsterdam',
  delimiter: ';',
  source: 'urn:test:log',
  subjectPrefix: 'log-',
  activities: {
    Arrival: { type: 'care.arrived.v1', data: { ward: 'Ward' } },
    Measurement: { type: 'care.measured.v1', data: { value: 'Value', by: { value: 'lab' } } },
  },
  person: {
    birthYearFromAge: 'Age',
    attributes: { insured: 'Insured' },
    invented: { usesPortal: { true: 1 } },
  },
})

const head = 'Case;What;When;Ward;Value;Age;Insured'
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wegwijs-log-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function read(lines: readonly string[], overrides: LogOverrides = {}, bom = '') {
  const file = join(folder, `${Math.abs(hash(lines.join('\n')))}.csv`)
  await writeFile(file, `${bom}${lines.join('\n')}\n`)
  return readLog(file, { mapping, definition, overrides })
}

function hash(content: string): number {
  return [...content].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7)
}

test('the order is time, then row; ids come from row numbers', async () => {
  const { events, people, faults } = await read([
    head,
    'B;Arrival;2026/03/01 10:00:00;East;;40;true',
    'A;Measurement;2026/03/01 09:00:00;;2.5;;',
    'A;Arrival;2026/03/01 09:00:00;West;;71;false',
  ])
  expect(faults).toEqual([])
  expect(people).toBe(2)
  expect(events.map(({ id, type, subject, time }) => [id, type, subject, time])).toEqual([
    ['person-row-3', 'person.upserted.v1', 'log-A', '2026-03-01T08:00:00.000Z'],
    ['row-3', 'care.measured.v1', 'log-A', '2026-03-01T08:00:00.000Z'],
    ['row-4', 'care.arrived.v1', 'log-A', '2026-03-01T08:00:00.000Z'],
    ['person-row-2', 'person.upserted.v1', 'log-B', '2026-03-01T09:00:00.000Z'],
    ['row-2', 'care.arrived.v1', 'log-B', '2026-03-01T09:00:00.000Z'],
  ])
  expect(events[1]?.data).toEqual({ value: 2.5, by: 'lab' })
  expect(events[2]?.data).toEqual({ ward: 'West' })
})

test('a case gets an invented person with what the log knows of it', async () => {
  const lines = [
    head,
    'A;Measurement;2026/03/01 09:00:00;;2.5;;',
    'A;Arrival;2026/03/01 09:30:00;West;;71;false',
  ]
  const [introduction] = (await read(lines)).events
  expect(introduction?.data).toMatchObject({
    birthYear: 1955,
    test: true,
    attributes: { insured: false, usesPortal: true },
  })
  expect((await read(lines)).events[0]).toEqual(introduction)
})

test('rows that cannot be read are counted with line and reason, the rest goes on', async () => {
  const { events, faults } = await read([
    head,
    ';Arrival;2026/03/01 10:00:00;East;;;',
    'A;Departure;2026/03/01 10:00:00;East;;;',
    'A;Arrival;01-03-2026 10:00;East;;;',
    'A;Arrival;2026/02/30 10:00:00;East;;;',
    'A;Measurement;2026/03/01 10:00:00;East;;;',
    'A;Measurement;2026/03/01 10:00:00;East;much;;',
    'A;Arrival;2026/03/01 10:00:00;East',
    'A;Arrival;2026/03/01 10:00:00;East;;;',
  ])
  expect(events.map((event) => event.id)).toEqual(['person-row-9', 'row-9'])
  expect(faults).toEqual([
    { line: 2, reason: 'has no Case' },
    { line: 3, reason: 'the mapping does not know the activity "Departure"' },
    { line: 4, reason: '"01-03-2026 10:00" is not a time like yyyy/MM/dd HH:mm:ss' },
    { line: 5, reason: '"2026/02/30 10:00:00" is not a time like yyyy/MM/dd HH:mm:ss' },
    { line: 6, reason: 'has no value for "value", which is required' },
    { line: 7, reason: 'its value for "value" is not of that type' },
    { line: 8, reason: 'has 4 cells where the first line has 7' },
  ])
})

test('a quote in the middle of a cell is a letter like any other', async () => {
  const { events, faults } = await read([
    head,
    'A;Arrival;2026/03/01 10:00:00;"East" side;;;',
    'A;Arrival;2026/03/01 11:00:00;"East; upstairs";;;',
  ])
  expect(faults).toEqual([])
  expect(events.slice(1).map((event) => event.data)).toEqual([
    { ward: '"East" side' },
    { ward: 'East; upstairs' },
  ])
})

test('a quote that is never closed is told, with what it swallowed', async () => {
  const { events, faults } = await read([
    head,
    'A;Arrival;2026/03/01 10:00:00;East;;;',
    'A;Arrival;2026/03/01 11:00:00;"East;;;',
    'A;Arrival;2026/03/01 12:00:00;East;;;',
  ])
  expect(events.map((event) => event.id)).toEqual(['person-row-2', 'row-2'])
  expect(faults).toEqual([{ line: 4, reason: 'is not CSV: quote not closed' }])
})

test('what the command line says goes before the mapping', async () => {
  const { events } = await read(
    [
      'Id;Step;At;Ward;Value;Age;Yes',
      'A;Arrival;2026-03-01T10:00:00;East;;;true',
      'A;Arrival;2026-03-01T10:00:00Z;East;;;true',
    ],
    {
      case: 'Id',
      activity: 'Step',
      time: 'At',
      timeFormat: 'iso',
      zone: 'America/New_York',
      attributes: { insured: 'Yes' },
    },
    '﻿',
  )
  expect(events.map((event) => event.time)).toEqual([
    '2026-03-01T10:00:00.000Z',
    '2026-03-01T10:00:00.000Z',
    '2026-03-01T15:00:00.000Z',
  ])
})

describe('hours that clocks skip or show twice', () => {
  test.each([
    ['2026/03/29 02:30:00', '2026-03-29T01:30:00.000Z'],
    ['2026/10/25 02:30:00', '2026-10-25T00:30:00.000Z'],
    ['2026/10/25 03:00:00', '2026-10-25T02:00:00.000Z'],
  ])('%s is %s', async (local, instant) => {
    const { events } = await read([head, `A;Arrival;${local};East;;;`])
    expect(events[1]?.time).toBe(instant)
  })
})

test('a log that cannot be read at all says why', async () => {
  const missing = readLog(join(folder, 'none.csv'), { mapping, definition })
  await expect(missing).rejects.toMatchObject({ code: 'WEGWIJS_LOG_UNREADABLE' })
  await expect(read(['Case;What', 'A;B'])).rejects.toThrow('does not name "When"')
  const empty = join(folder, 'empty.csv')
  await writeFile(empty, '')
  await expect(readLog(empty, { mapping, definition })).rejects.toThrow('it is empty')
})
