import type { JsonObject } from '@wegwijs/wire/json'
import type { Random } from './random.ts'

/**
 * People who do not exist, and whom nothing can reach: every address lies in `example.org`, which
 * RFC 2606 keeps for examples, and every number in the range that Ofcom keeps for drama. The
 * Netherlands keep no such range (neither in the numbering plan nor otherwise), and a Dutch number
 * that is free today may be somebody's tomorrow.
 *
 * Ofcom, "Telephone numbers for use in TV and radio drama programmes": 07700 900000 to 900999.
 */
const DRAMA_NUMBERS = { prefix: '+447700900', count: 1_000 }

const familyNames = [
  'de Boer',
  'Bakker',
  'van Dijk',
  'Visser',
  'Smit',
  'Meijer',
  'Mulder',
  'Bos',
  'Vos',
  'Peters',
  'Hendriks',
  'van Leeuwen',
  'Dekker',
  'Brouwer',
  'de Wit',
  'Yılmaz',
  'El Amrani',
  'Kowalski',
  'Nguyen',
  'Martina',
] as const

const givenNames = [
  'Anna',
  'Bram',
  'Cor',
  'Daan',
  'Eva',
  'Fatima',
  'Geert',
  'Hanna',
  'Ibrahim',
  'Joke',
  'Kees',
  'Lotte',
  'Mehmet',
  'Noor',
  'Olga',
  'Piet',
  'Rosa',
  'Sjoerd',
  'Tineke',
  'Wim',
] as const

export type InventedPerson = {
  givenName: string
  familyName: string
  birthYear?: number
  locale: 'nl' | 'en'
  contacts: JsonObject
  attributes: JsonObject
}

export type InventedPersonOptions = {
  /** Unique among the people of one list: it is the local part of the address. */
  handle: string
  random: Random
  birthYear?: number
  attributes: JsonObject
}

/**
 * Nine in ten have an e-mail address, nine in ten a telephone; who uses the portal has the app, and
 * some have no way to be reached at all, as in life.
 */
export function inventPerson(options: InventedPersonOptions): InventedPerson {
  const { handle, random } = options
  const contacts: JsonObject = {}
  if (random.chance(0.9)) contacts.email = `${handle}@example.org`
  if (random.chance(0.9)) contacts.phone = dramaNumber(random)
  if (options.attributes.usesPortal === true) contacts.app = handle
  return {
    givenName: random.pick(givenNames),
    familyName: random.pick(familyNames),
    ...(options.birthYear === undefined ? {} : { birthYear: options.birthYear }),
    locale: random.chance(0.85) ? 'nl' : 'en',
    contacts,
    attributes: options.attributes,
  }
}

/** The data of `person.upserted.v1`, marked as a test. */
export function profileOf(person: InventedPerson): JsonObject {
  return { ...person, test: true }
}

function dramaNumber(random: Random): string {
  const number = random.between(0, DRAMA_NUMBERS.count - 1)
  return `${DRAMA_NUMBERS.prefix}${String(number).padStart(3, '0')}`
}
