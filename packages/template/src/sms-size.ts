import { SegmentedMessage } from 'sms-segments-calculator'
import type { SmsSize } from './template.ts'

/** How many parts an SMS takes, and in which alphabet: one letter outside GSM-7 makes it UCS-2. */
export function smsSize(text: string): SmsSize {
  if (plainAndShort.test(text)) return { segments: 1, encoding: 'GSM-7' }
  const message = new SegmentedMessage(text)
  return { segments: message.segmentsCount, encoding: message.encodingName }
}

/** Most messages. The library goes over each letter, and took a quarter of a hand-over. */
const plainAndShort = /^[A-Za-z0-9 !"#$%&'()*+,./:;<=>?@_\n\r-]{1,160}$/

/** Each letter outside the GSM alphabet once, with where it first stands and what to write instead. */
export function lettersOutsideGsm(
  text: string,
): { letter: string; offset: number; instead?: string }[] {
  const letters = new Set(new SegmentedMessage(text).getNonGsmCharacters())
  return [...letters].map((letter) => {
    const plain = likenesses[letter] ?? letter.normalize('NFD').replace(/\p{M}/gu, '')
    const replaces = plain !== letter && new SegmentedMessage(plain).encodingName === 'GSM-7'
    return { letter, offset: text.indexOf(letter), ...(replaces ? { instead: plain } : {}) }
  })
}

/** What a letter outside the GSM alphabet does, and which one does not, as a sentence. */
export function costOfLetter(
  { letter, instead }: { letter: string; instead?: string },
  does: string,
): string {
  const advice = instead === undefined ? '' : `; ${nameOf(instead)} does not`
  return `${nameOf(letter)} ${does}${advice}`
}

/** A space of any kind cannot be told from another one when it is shown. */
function nameOf(letter: string): string {
  if (letter === ' ') return 'a plain space'
  return letter === '\u00a0' ? 'a non-breaking space' : `"${letter}"`
}

/** The same in letters of the GSM alphabet, with `?` for what has no likeness there. */
export function plainText(text: string): string {
  return lettersOutsideGsm(text).reduce(
    (rest, { letter, instead = '?' }) => rest.replaceAll(letter, instead),
    text,
  )
}

/** How many parts an SMS takes, and how many without its letters outside the GSM alphabet. */
export function costOfLetters(text: string): { parts: number; without: number } {
  return { parts: smsSize(text).segments, without: smsSize(plainText(text)).segments }
}

/** What word processors write for what a telephone knows. */
const likenesses: Record<string, string> = {
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  '…': '...',
  '\u00a0': ' ',
  '•': '-',
}
