import { smsFile } from './folder.ts'
import { costOfLetter, costOfLetters, lettersOutsideGsm, plainText, smsSize } from './sms-size.ts'
import { textOf } from './sms-text.ts'
import { readSource } from './source.ts'
import { positionAt } from './syntax-fault.ts'
import { addFault, addWarning, firstCharacter, type Work } from './work.ts'

export function compileSms(locale: string, work: Work): void {
  const file = smsFile(locale)
  const source = work.sources.files[file]
  if (source === undefined) return
  const steps = readSource(source, { channel: 'sms', locale, file }, work)
  if (steps === undefined) return
  const text = source.trim()
  if (text === '') addFault(work, file, firstCharacter, 'this SMS is empty')
  const { known = {} } = work.sources
  work.result.smsSizes[locale] = smsSize(textOf(steps, known).text)
  // What a value of the organisation costs is not told of each text that shows it.
  const plain = Object.entries(known).map(([path, value]) => [path, plainText(value)])
  const { text: longest, isWhole } = textOf(steps, Object.fromEntries(plain))
  warnOfLetters({ source, longest, isWhole }, file, work)
  work.contents.sms[locale] = { text }
}

type OwnText = { source: string; longest: string; isWhole: boolean }

/** A letter that costs nothing now, nor may with a longer value, is nobody's trouble. */
function warnOfLetters({ source, longest, isWhole }: OwnText, file: string, work: Work): void {
  const { parts, without } = costOfLetters(longest)
  if (isWhole && parts === without) return
  const cost =
    parts > without
      ? `makes this SMS ${parts} parts instead of ${without}`
      : 'makes an SMS hold 70 characters instead of 160'
  for (const letter of lettersOutsideGsm(source))
    addWarning(work, file, positionAt(source, letter.offset), costOfLetter(letter, cost))
}
