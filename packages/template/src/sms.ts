import { smsFile } from './folder.ts'
import { lettersOutsideGsm, smsSize } from './sms-size.ts'
import { readSource } from './source.ts'
import type { Step } from './syntax.ts'
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
  const longest = longestText(steps).trim()
  work.result.smsSizes[locale] = smsSize(longest)
  warnOfLetters({ source, longest, isWhole: steps.every(isText) }, file, work)
  work.contents.sms[locale] = { text }
}

/** `longest` is what is certain to be there; unless it is the whole text, values make it longer. */
type SmsText = { source: string; longest: string; isWhole: boolean }

/** A letter that costs nothing now, nor may with a longer value, is nobody's trouble. */
function warnOfLetters({ source, longest, isWhole }: SmsText, file: string, work: Work): void {
  const letters = lettersOutsideGsm(source)
  const plain = letters.reduce(
    (text, { letter, instead = '?' }) => text.replaceAll(letter, instead),
    longest,
  )
  const [parts, without] = [smsSize(longest).segments, smsSize(plain).segments]
  if (isWhole && parts === without) return
  const cost =
    parts > without
      ? `makes this SMS ${parts} parts instead of ${without}`
      : 'makes an SMS hold 70 characters instead of 160'
  for (const { letter, offset, instead } of letters) {
    const advice = instead === undefined ? '' : `; "${instead}" does not`
    addWarning(work, file, positionAt(source, offset), `"${letter}" ${cost}${advice}`)
  }
}

function isText(step: Step): boolean {
  return step.kind === 'text'
}

/** The static text with the longer branch of each choice: what an author should reckon with. */
function longestText(steps: readonly Step[]): string {
  return steps.map(longestOf).join('')
}

function longestOf(step: Step): string {
  if (step.kind === 'text') return step.text
  if (step.kind === 'value' || step.kind === 'moment') return ''
  const [body, otherwise] = [longestText(step.body), longestText(step.otherwise)]
  return body.length >= otherwise.length ? body : otherwise
}
