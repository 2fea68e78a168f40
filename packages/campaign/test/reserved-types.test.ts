import {
  hasReservedName,
  isOwnType,
  isReservedType,
  type ReservedType,
  reservedTypes,
} from '@wegwijs/campaign/reserved-types'
import { describe, expect, it } from 'vitest'

const takes = (type: ReservedType, data: unknown) => reservedTypes[type].safeParse(data).success
const INTENT = '01980c1e-7f3a-7b21-8a6e-0123456789ab'

describe('the data of reserved types', () => {
  it.each<[ReservedType, unknown]>([
    ['person.upserted.v1', {}],
    [
      'person.upserted.v1',
      { givenName: 'Fatima', familyName: 'Özdemir', birthYear: 1952, test: true },
    ],
    ['person.upserted.v1', { givenName: null, locale: null, contacts: { phone: null } }],
    [
      'person.upserted.v1',
      { contacts: { email: 'fatima@example.org', phone: '+31612345678', app: 'a-1' } },
    ],
    ['person.upserted.v1', { locale: 'nl-BE', timeZone: 'Europe/Brussels' }],
    ['person.upserted.v1', { locale: 'zh-Hant-TW', timeZone: 'UTC' }],
    [
      'person.upserted.v1',
      { attributes: { hasPartner: true, stairs: 3, language: 'nl', gone: null } },
    ],
    ['person.identified.v1', { idSpace: 'ehr', externalId: 'PAT-0047' }],
    ['person.merged.v1', { idSpace: 'crm', externalId: '7' }],
    ['person.deceased.v1', {}],
    [
      'consent.granted.v1',
      { purpose: 'marketing', channel: 'email', proof: 'form 7', origin: 'person' },
    ],
    ['consent.withdrawn.v1', { purpose: 'all', origin: 'import' }],
    [
      'message.sent.v1',
      { intentId: INTENT, provider: 'smtp', channel: 'email', providerReference: 'x' },
    ],
    [
      'message.bounced.v1',
      { intentId: INTENT, provider: 'smtp', channel: 'email', detail: 'mailbox_full' },
    ],
  ])('%s takes %j', (type, data) => {
    expect(takes(type, data)).toBe(true)
  })

  it.each<[ReservedType, unknown]>([
    ['person.upserted.v1', { givenName: '' }],
    ['person.upserted.v1', { birthYear: 52 }],
    ['person.upserted.v1', { birthYear: '1952' }],
    ['person.upserted.v1', { locale: 'Dutch' }],
    ['person.upserted.v1', { timeZone: 'Europe/Utrecht' }],
    ['person.upserted.v1', { contacts: { email: 'a@example.org\r\nBcc: b@example.org' } }],
    ['person.upserted.v1', { attributes: { nested: { a: 1 } } }],
    ['person.upserted.v1', { attributes: { 'person.name': 'x' } }],
    ['person.identified.v1', { idSpace: 'ehr' }],
    ['person.merged.v1', {}],
    ['consent.granted.v1', { purpose: 'everything' }],
    ['consent.granted.v1', { purpose: 'care', channel: 'letter' }],
    ['relation.granted.v1', { idSpace: 'crm', externalId: 'c1', kind: 'caregiver' }],
    ['relation.granted.v1', { idSpace: 'crm', externalId: 'c1', kind: 'caregiver', scope: [] }],
    ['relation.granted.v1', { idSpace: 'crm', externalId: 'c1', kind: 'caregiver', scope: ['x'] }],
    ['relation.granted.v1', { idSpace: 'crm', externalId: 'c1', kind: 'friend', scope: ['care'] }],
    ['relation.ended.v1', { idSpace: 'crm', kind: 'caregiver' }],
    ['message.sent.v1', { intentId: 'x', provider: 'smtp', channel: 'email' }],
  ])('%s refuses %j', (type, data) => {
    expect(takes(type, data)).toBe(false)
  })

  it.each<[ReservedType, object, object]>([
    ['person.upserted.v1', { givenName: 'Fatima', bsn: '123456782' }, { givenName: 'Fatima' }],
    ['person.upserted.v1', { contacts: { fax: '0201234567' } }, { contacts: {} }],
    ['person.deceased.v1', { cause: 'sepsis' }, {}],
  ])('%s drops what it does not name: %j (P7)', (type, data, kept) => {
    expect(reservedTypes[type].parse(data)).toEqual(kept)
  })

  it('leaves it to a channel whether it can use an address', () => {
    const contacts = { email: 'a@example.org', phone: '0612345678' }
    expect(takes('person.upserted.v1', { contacts })).toBe(true)
  })

  it('gives a relation one form, however it was written', () => {
    const said = { idSpace: 'crm', externalId: 'c1', kind: 'parent' as const }
    const granted = reservedTypes['relation.granted.v1'].parse({
      ...said,
      scope: ['news', 'care', 'news'],
      expires: '2027-01-01T00:00:00+01:00',
    })
    expect(granted).toEqual({
      ...said,
      scope: ['care', 'news'],
      expires: '2026-12-31T23:00:00.000Z',
    })
  })

  it('holds a consent without an origin for the word of the person', () => {
    expect(reservedTypes['consent.withdrawn.v1'].parse({ purpose: 'all' }).origin).toBe('person')
  })
})

describe('names of types', () => {
  it('are reserved whole families at a time, also where there is no schema yet', () => {
    expect(Object.keys(reservedTypes).every(hasReservedName)).toBe(true)
    expect(
      ['person.erased.v1', 'relation.added.v1', 'message.sent.v9'].map(hasReservedName),
    ).toEqual([true, true, true])
    expect(['care.x.v1', 'personal.x.v1', 'xperson.y.v1', 'person'].map(hasReservedName)).toEqual([
      false,
      false,
      false,
      false,
    ])
    expect([
      isReservedType('person.upserted.v1'),
      isReservedType('person.erased.v1'),
      isReservedType('toString'),
    ]).toEqual([true, false, false])
  })

  it('belong to Wegwijs alone when they speak of messages', () => {
    expect(Object.keys(reservedTypes).filter(isOwnType)).toHaveLength(9)
    expect(isOwnType('person.deceased.v1')).toBe(false)
  })

  it('stand in alphabetical order', () => {
    const types = Object.keys(reservedTypes)
    expect(types).toEqual([...types].sort())
  })
})
