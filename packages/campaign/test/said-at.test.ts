import { campaign } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

test('a yes from a clock that is ahead does not lift the no that comes after it (P3)', () => {
  const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
  patient.happens('consent.granted.v1', {
    time: '2026-03-02T09:04:00.000Z',
    data: { purpose: 'marketing', origin: 'person' },
  })
  patient.comes('2026-03-02T09:02:00.000Z')
  patient.happens('consent.withdrawn.v1', { data: { purpose: 'marketing', origin: 'person' } })
  expect([...patient.state.consents.values()]).toMatchObject([{ state: 'withdrawn' }])
})

test('of a clock that is ahead, too, what was said last holds', () => {
  const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
  patient.happens('consent.withdrawn.v1', {
    time: '2026-03-02T09:04:00.000Z',
    data: { purpose: 'marketing', origin: 'person' },
  })
  patient.comes('2026-03-02T09:01:00.000Z')
  patient.happens('consent.granted.v1', {
    time: '2026-03-02T09:05:00.000Z',
    data: { purpose: 'marketing', origin: 'person' },
  })
  expect([...patient.state.consents.values()]).toMatchObject([{ state: 'granted' }])
})

test('an address from a clock that is ahead gives way to the one that comes after it', () => {
  const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
  patient.happens('person.upserted.v1', {
    time: '2026-03-02T09:04:00.000Z',
    data: { contacts: { email: 'old@example.org' } },
  })
  patient.comes('2026-03-02T09:02:00.000Z')
  patient.happens('person.upserted.v1', { data: { contacts: { email: 'new@example.org' } } })
  expect(patient.state.person.contacts.email?.address).toBe('new@example.org')
})
