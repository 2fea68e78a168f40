import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileNames } from '@wegwijs/sandbox/accepted'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acceptedIn, handOversIn } from './provider-files.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wegwijs-provider-files-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const write = (name: string, ...entries: object[]) =>
  writeFile(join(directory, name), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))

test('a repeat that was folded is a hand-over of what it repeats, with its own moment and mark', async () => {
  const sms = {
    channel: 'sms',
    intentId: 'i1',
    duplicate: false,
    receivedAt: '1',
    text: '[p1-text]',
  }
  const mail = { channel: 'email', intentId: 'i2', duplicate: false, receivedAt: '2', text: '[m]' }
  await write(fileNames.sms, sms)
  await write(fileNames.email, mail)
  await write(fileNames.repeatedSms, { intentId: 'i1', duplicate: true, receivedAt: '3' })
  expect(acceptedIn(directory)).toHaveLength(2)
  const repeats = handOversIn(directory).filter(({ reference }) => reference === 'p1-text')
  expect(repeats).toMatchObject([
    { channel: 'sms', receivedAt: '1', duplicate: false },
    { channel: 'sms', receivedAt: '3', duplicate: true },
  ])
})

test('a repeat of what was never accepted is a fault of the files', async () => {
  await write(fileNames.repeatedSms, { intentId: 'i1', duplicate: true, receivedAt: '3' })
  expect(() => handOversIn(directory)).toThrow('i1 repeats nothing')
})
