import { emailFile, textFile } from './folder.ts'
import { limits } from './limits.ts'
import { badLinks } from './link.ts'
import { type Manifest, manifestFile, placeOf } from './manifest.ts'
import { compileMjml } from './mjml.ts'
import { type Place, readSource } from './source.ts'
import { readTemplate } from './syntax.ts'
import { positionAt } from './syntax-fault.ts'
import { addFault, addWarning, firstCharacter, type Work } from './work.ts'

/**
 * An e-mail goes through MJML here, once, and not when it is sent. Its text part is
 * `email.<locale>.txt`, else what html-to-text makes of the HTML.
 */
export async function compileEmail(locale: string, manifest: Manifest, work: Work): Promise<void> {
  const file = emailFile(locale)
  const source = work.sources.files[file]
  if (source === undefined) return checkLoneText(locale, work)
  const subject = readSubject(locale, manifest, work)
  if (readSource(source, { channel: 'email', locale, file }, work) === undefined) return
  const { html, text, faults } = await compileMjml({ source, locale })
  for (const { message, ...position } of faults) addFault(work, file, position, message)
  if (html === undefined || text === undefined) return
  checkLinks(html, source, locale, work)
  checkSize(html, locale, work)
  const written = readOwnText(locale, work) ?? checkDerivedText(text, locale, work)
  if (subject !== undefined) work.contents.email[locale] = { subject, html, text: written }
}

function checkLoneText(locale: string, work: Work): void {
  if (!Object.hasOwn(work.sources.files, textFile(locale))) return
  const message = `there is no ${emailFile(locale)} beside this text part`
  addFault(work, textFile(locale), firstCharacter, message)
}

function readSubject(locale: string, { subject }: Manifest, work: Work): string | undefined {
  const source = subject[locale]
  if (source === undefined) {
    const place = placeOf(work.sources, manifestFile, ['subject'])
    addFault(work, manifestFile, place, `subject: ${emailFile(locale)} has none`)
    return undefined
  }
  const start = placeOf(work.sources, manifestFile, ['subject', locale])
  const place: Place = { channel: 'email', locale, file: manifestFile, start }
  return readSource(source, place, work) === undefined ? undefined : source
}

function readOwnText(locale: string, work: Work): string | undefined {
  const file = textFile(locale)
  const text = work.sources.files[file]
  if (text !== undefined) readSource(text, { channel: 'email', locale, file }, work)
  return text
}

/** Entities are decoded in it, so `&#123;{…` may have become a placeholder: it is read again. */
function checkDerivedText(text: string, locale: string, work: Work): string {
  if (readTemplate(text, limits.compiledLength).faults.length > 0) {
    const message = `no text part can be derived from this: write ${textFile(locale)}`
    addFault(work, emailFile(locale), firstCharacter, message)
  }
  return text
}

function checkLinks(html: string, source: string, locale: string, work: Work): void {
  for (const link of badLinks(html)) {
    const place = positionAt(source, Math.max(source.indexOf(`"${link}"`), 0))
    const message = `"${link}" leads nowhere from an e-mail: write https://…, mailto:… or tel:…`
    addFault(work, emailFile(locale), place, message)
  }
}

function checkSize(html: string, locale: string, work: Work): void {
  const file = emailFile(locale)
  if (html.length > limits.compiledLength) {
    const message = `MJML makes more than ${limits.compiledLength} characters of this`
    addFault(work, file, firstCharacter, message)
  }
  if (Buffer.byteLength(html) > limits.clippedBytes) {
    const message = `as HTML this takes more than ${limits.clippedBytes / 1024} kB: Gmail cuts it off`
    addWarning(work, file, firstCharacter, message)
  }
}
