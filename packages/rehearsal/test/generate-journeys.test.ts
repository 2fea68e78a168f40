import { fileURLToPath } from 'node:url'
import { createEventCheck } from '@wegwijs/campaign/event-check'
import type { PersonUpserted } from '@wegwijs/campaign/reserved-types'
import { loadDefinition } from '@wegwijs/definition/load-definition'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { expect, test } from 'vitest'
import { generateJourneys } from '../src/generate-journeys.ts'

const example = fileURLToPath(new URL('../../../examples/hospital', import.meta.url))
const events = generateJourneys({ people: 300, seed: '7' })

test('the same seed gives the same events, another seed others', () => {
  expect(generateJourneys({ people: 300, seed: '7' })).toEqual(events)
  const others = generateJourneys({ people: 300, seed: '8' })
  expect(others.map((event) => event.subject)).not.toEqual(events.map((event) => event.subject))
})

test('a person is the same however many others there are', () => {
  const few = generateJourneys({ people: 10, seed: '7' })
  const ofFirst = (list: readonly TouchpointEvent[]) =>
    list.filter((event) => event.subject.endsWith('P-7-1'))
  expect(ofFirst(few)).toEqual(ofFirst(events))
  expect(ofFirst(few).length).toBeGreaterThan(3)
})

test('every event is one that examples/hospital promises', async () => {
  const { bundle, faults } = await loadDefinition(example)
  if (bundle === null) throw new Error(faults.map((fault) => fault.message).join('\n'))
  const check = createEventCheck(bundle)
  const refused = events
    .map((event) => ({ type: event.type, fault: check(event) }))
    .filter(({ fault }) => 'errorClass' in fault)
  expect(refused).toEqual([])
  // Who refers people to us does not walk their roads.
  const touchpoints = bundle.touchpoints.touchpoints.filter(
    ({ journey }) => journey !== 'working-together',
  )
  const known = new Set(touchpoints.map((touchpoint) => touchpoint.type))
  const happened = new Set(events.map((event) => event.type))
  expect([...known].filter((type) => !happened.has(type))).toEqual([])
})

test('life goes wrong in every way it should', () => {
  const count = (type: string) => events.filter((event) => event.type === type).length
  for (const type of [
    'care.appointment.moved.v1',
    'care.appointment.cancelled.v1',
    'care.emergency.returned.v1',
    'consent.withdrawn.v1',
    'person.deceased.v1',
    'person.merged.v1',
  ])
    expect(count(type), type).toBeGreaterThan(0)
  const identities = events.map((event) => `${event.subject} ${event.source} ${event.id}`)
  expect(new Set(identities).size, 'doubled').toBeLessThan(identities.length)
  const isLate = (event: TouchpointEvent, index: number) =>
    index > 0 && event.time < (events[index - 1]?.time ?? '')
  expect(events.some(isLate), 'late').toBe(true)
})

test('a person is introduced before anything else happens at the hospital', () => {
  const introduced = new Set<string>()
  for (const event of events) {
    if (event.type === 'person.upserted.v1') introduced.add(event.subject)
    if (event.source.endsWith(':ehr')) expect(introduced).toContain(event.subject)
  }
})

test('nothing happens to somebody who has died', () => {
  const deaths = new Map(
    events
      .filter((event) => event.type === 'person.deceased.v1')
      .map((event) => [event.subject, event.time]),
  )
  for (const event of events) {
    const diedAt = deaths.get(event.subject.replace(/^W-/, ''))
    if (diedAt !== undefined) expect(event.time <= diedAt, event.id).toBe(true)
  }
})

test('contacts cannot reach anybody and are marked as a test', () => {
  const profiles = events
    .filter((event) => event.type === 'person.upserted.v1')
    .map((event) => event.data as PersonUpserted)
  for (const { contacts, test: isTest } of profiles) {
    expect(isTest).toBe(true)
    if (contacts?.email) expect(contacts.email).toMatch(/^[a-z0-9-]+@example\.org$/)
    if (contacts?.phone) expect(contacts.phone).toMatch(/^\+447700900\d{3}$/)
  }
  expect(new Set(profiles.map((profile) => profile.locale))).toEqual(new Set(['nl', 'en']))
  expect(profiles.some((profile) => Object.keys(profile.contacts ?? {}).length === 0)).toBe(true)
})
