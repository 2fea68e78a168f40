import { appFile, hasFile } from './folder.ts'
import { isAppLink } from './link.ts'
import { appFileSchema, placeOf, readValue } from './manifest.ts'
import { readSource } from './source.ts'
import { addFault, type Work } from './work.ts'

export function compileApp(locale: string, work: Work): void {
  if (!hasFile('app', locale, work.sources)) return
  const file = appFile(locale)
  const content = readValue(appFileSchema, file, work)
  if (content === undefined) return
  const { title, body, url } = content
  const parts: Record<string, string> = { title, body, ...(url === undefined ? {} : { url }) }
  const place = (part: string) => placeOf(work.sources, file, [part])
  for (const [part, source] of Object.entries(parts)) {
    readSource(source, { channel: 'app', locale, file, start: place(part) }, work)
  }
  if (url !== undefined && !url.includes('{{') && !isAppLink(url)) {
    const message = `url: "${url}" leads nowhere from the app: write https://… or a page such as /appointments`
    addFault(work, file, place('url'), message)
  }
  work.contents.app[locale] = parts
}
