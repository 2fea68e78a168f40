import { type Manifest, manifestFile, placeOf } from './manifest.ts'
import { type ChannelName, channelNames, type TemplateSources } from './template.ts'
import { addFault, addWarning, firstCharacter, type Work } from './work.ts'

/** The files of a template folder, and whether they and `template.yaml` tell of the same messages. */

export function appFile(locale: string): string {
  return `app.${locale}.yaml`
}

export function emailFile(locale: string): string {
  return `email.${locale}.mjml`
}

export function textFile(locale: string): string {
  return `email.${locale}.txt`
}

export function smsFile(locale: string): string {
  return `sms.${locale}.hbs`
}

export function hasFile(channel: ChannelName, locale: string, sources: TemplateSources): boolean {
  switch (channel) {
    case 'app':
      return Object.hasOwn(sources.values, appFile(locale))
    case 'email':
      return Object.hasOwn(sources.files, emailFile(locale))
    case 'sms':
      return Object.hasOwn(sources.files, smsFile(locale))
  }
}

/** A file under another name would be left out without a word. */
export function checkFileNames(work: Work): void {
  const known = new Set([manifestFile])
  for (const locale of work.sources.locales) {
    known.add(appFile(locale)).add(emailFile(locale)).add(textFile(locale)).add(smsFile(locale))
  }
  for (const file of Object.keys({ ...work.sources.files, ...work.sources.values })) {
    if (known.has(file)) continue
    const message = `no file of a template; there are ${[...known].join(', ')}`
    addFault(work, file, firstCharacter, message)
  }
}

export function checkFolder(manifest: Manifest, work: Work): void {
  const { sources, contents, result } = work
  if (manifest.name !== sources.id) {
    const message = `name: this folder is called "${sources.id}", so the template must be too`
    addFault(work, manifestFile, placeOf(sources, manifestFile, ['name']), message)
  }
  for (const channel of channelNames) checkChannel(channel, manifest, work)
  for (const locale of Object.keys(manifest.subject)) checkSubject(locale, work)
  const empty = Object.values(contents).every((byLocale) => Object.keys(byLocale).length === 0)
  if (empty && result.faults.length === 0) {
    addFault(work, manifestFile, firstCharacter, 'this template has no message on any channel')
  }
}

function checkChannel(channel: ChannelName, manifest: Manifest, work: Work): void {
  const { sources } = work
  const { defaultLocale } = sources
  const written = sources.locales.filter((locale) => hasFile(channel, locale, sources))
  if (written.length > 0 && !written.includes(defaultLocale)) {
    const message = `${channel} has no "${defaultLocale}", the language for everybody without another`
    addFault(work, manifestFile, firstCharacter, message)
  } else warnOfLanguages(channel, written, work)
  const declared = manifest.sensitivity[channel] !== undefined
  if (written.length > 0 === declared) return
  const path = declared ? ['sensitivity', channel] : ['sensitivity']
  const message = declared
    ? `sensitivity.${channel}: there is no ${channel} message in this folder`
    : `sensitivity: say how telling the ${channel} message is (neutral, personal or health)`
  addFault(work, manifestFile, placeOf(sources, manifestFile, path), message)
}

function warnOfLanguages(channel: ChannelName, written: readonly string[], work: Work): void {
  const { locales, defaultLocale } = work.sources
  if (written.length === 0) return
  const place = placeOf(work.sources, manifestFile, ['sensitivity', channel])
  for (const locale of locales.filter((each) => !written.includes(each))) {
    const message = `${channel} has no "${locale}": who reads that gets it in "${defaultLocale}"`
    addWarning(work, manifestFile, place, message)
  }
}

function checkSubject(locale: string, work: Work): void {
  if (hasFile('email', locale, work.sources)) return
  const message = `subject.${locale}: there is no ${emailFile(locale)}`
  addFault(work, manifestFile, placeOf(work.sources, manifestFile, ['subject', locale]), message)
}
