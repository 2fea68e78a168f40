import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js'

/**
 * A phone number in E.164, read as people in `country` write it. Undefined if it cannot be one.
 *
 * Only its length is checked: number plans change faster than any library's copy of them, and a
 * number that it does not know yet belongs to somebody all the same.
 */
export function parsePhone(text: string, country: CountryCode): string | undefined {
  const number = parsePhoneNumberFromString(text, { defaultCountry: country, extract: false })
  return number?.isPossible() && number.ext === undefined ? number.number : undefined
}

const senderName = /^(?=.*[A-Za-z])[A-Za-z0-9 .&-]{1,11}$/

/** What an SMS may come from: a name of at most 11 letters and digits, or a number. */
export function parseSender(text: string, country: CountryCode): string | undefined {
  return senderName.test(text) ? text : parsePhone(text, country)
}
