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
  warnOfLetters(source, file, work)
  work.result.smsSizes[locale] = smsSize(longestText(steps).trim())
  work.contents.sms[locale] = { text }
}

function warnOfLetters(source: string, file: string, work: Work): void {
  for (const { letter, offset, instead } of lettersOutsideGsm(source)) {
    const advice = instead === undefined ? '' : `; "${instead}" does not`
    const message = `"${letter}" makes an SMS hold 70 characters instead of 160${advice}`
    addWarning(work, file, positionAt(source, offset), message)
  }
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
