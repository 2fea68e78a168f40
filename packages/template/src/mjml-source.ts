import { positionAt, type SyntaxFault } from './syntax-fault.ts'

/**
 * MJML drops text that stands between its elements, and with it an {{#if}} around a section. Here
 * such placeholders are lifted into <mj-raw>, on their own line and column, and the places where a
 * placeholder would be dropped or could do harm are refused.
 *
 * HTML escaping makes a value harmless in text and in a quoted attribute, and nowhere else. So a
 * placeholder may stand in text and in href, alt, title and aria-label. Not in src: a picture with
 * an address of its own for each person is a tracking pixel.
 */
export function liftPlaceholders(
  source: string,
  locale: string,
): { mjml: string; faults: SyntaxFault[] } {
  const scan: Scan = { source, locale, open: [], faults: [] }
  const mjml = source.replace(token, (text: string, ...rest: unknown[]) =>
    lift(text, offsetOf(rest), scan),
  )
  for (const element of scan.open) {
    refuse(scan, element.offset, `<${element.name}> is never closed`)
  }
  return { mjml, faults: scan.faults }
}

type Scan = {
  source: string
  locale: string
  /** The MJML elements around the current place, the outermost first. */
  open: { name: string; offset: number }[]
  faults: SyntaxFault[]
}

const token =
  /<!--[\s\S]*?-->|<\/?[A-Za-z](?:"[^"]*"|'[^']*'|[^'">])*>|\{\{!--[\s\S]*?--\}\}|\{\{\{?[\s\S]*?\}\}\}?/g
const tagParts = /^<(\/?)([A-Za-z][A-Za-z0-9-]*)([\s\S]*?)(\/?)>$/
const attribute = /([A-Za-z_:][-A-Za-z0-9_:.]*)\s*=\s*("[^"]*"|'[^']*')/g

/** Elements whose inside MJML copies as it is. */
const verbatim = new Set([
  'mj-accordion-text',
  'mj-accordion-title',
  'mj-button',
  'mj-navbar-link',
  'mj-preview',
  'mj-raw',
  'mj-social-element',
  'mj-style',
  'mj-table',
  'mj-text',
  'mj-title',
])

const attributesWithPlaceholders = new Set(['href', 'alt', 'title', 'aria-label'])

const forbiddenElements: Record<string, string> = {
  'mj-include': 'other files cannot be included: write the part here',
  base: '<base> is not available in e-mails',
  embed: '<embed> is not available in e-mails',
  form: '<form> is not available in e-mails: link to a page',
  iframe: '<iframe> is not available in e-mails',
  link: '<link> is not available in e-mails',
  meta: '<meta> is not available in e-mails',
  object: '<object> is not available in e-mails',
  script: '<script> is not available in e-mails',
}

function lift(text: string, offset: number, scan: Scan): string {
  if (text.startsWith('{{')) return liftPlaceholder(text, offset, scan)
  if (text.startsWith('<!--')) {
    if (text.includes('{{')) {
      refuse(scan, offset, 'a placeholder in a comment is filled in too: take it out')
    }
    return text
  }
  return liftTag(text, offset, scan)
}

function liftPlaceholder(text: string, offset: number, scan: Scan): string {
  const around = scan.open.at(-1)?.name
  if (around === 'mj-style') {
    refuse(scan, offset, 'a placeholder cannot stand in a style')
    return text
  }
  if (around !== undefined && verbatim.has(around)) return text
  const inBody = scan.open.some(({ name }) => name === 'mj-body')
  if (!inBody || around === 'mj-carousel') {
    refuse(scan, offset, `a placeholder cannot stand directly in <${around ?? 'mjml'}>`)
    return text
  }
  return `<mj-raw>${text}</mj-raw>`
}

function liftTag(text: string, offset: number, scan: Scan): string {
  const [, slash = '', written = '', attributes = '', selfClosing = ''] = tagParts.exec(text) ?? []
  const name = written.toLowerCase()
  const forbidden = forbiddenElements[name]
  if (forbidden !== undefined) refuse(scan, offset, forbidden)
  checkAttributes(attributes, offset + 1 + slash.length + written.length, scan)
  if (name !== 'mjml' && !name.startsWith('mj-')) return text
  if (slash !== '') closeElement(name, offset, scan)
  else if (selfClosing === '') openElement(name, offset, scan)
  if (name !== 'mjml' || slash !== '' || /\slang\s*=/.test(attributes)) return text
  // Screen readers choose their voice by it.
  return `<mjml lang="${scan.locale}"${attributes}>`
}

function openElement(name: string, offset: number, scan: Scan): void {
  scan.open.push({ name, offset })
}

function closeElement(name: string, offset: number, scan: Scan): void {
  const last = scan.open.at(-1)
  if (last?.name === name) {
    scan.open.pop()
    return
  }
  refuse(
    scan,
    offset,
    `</${name}> closes nothing: ${last ? `<${last.name}> is open here` : 'no element is open'}`,
  )
  // MJML would close what it can silently; drop up to the element that is meant, if there is one.
  const meant = scan.open.findLastIndex((element) => element.name === name)
  if (meant >= 0) scan.open.length = meant
}

function checkAttributes(attributes: string, offset: number, scan: Scan): void {
  const rest = attributes.replace(attribute, (text: string, name: string, ...more: unknown[]) => {
    const at = offset + offsetOf(more)
    if (/^on/i.test(name)) refuse(scan, at, `"${name}" is not available: e-mails run no scripts`)
    if (text.includes('{{')) checkPlaceholder(name, at, scan)
    return ''
  })
  if (rest.includes('{{')) {
    refuse(scan, offset, 'a placeholder cannot stand bare in a tag: put the value in quotes')
  }
}

function checkPlaceholder(name: string, offset: number, scan: Scan): void {
  const lower = name.toLowerCase()
  if (attributesWithPlaceholders.has(lower)) return
  const known = [...attributesWithPlaceholders].join(', ')
  refuse(
    scan,
    offset,
    lower === 'src'
      ? 'a picture whose address differs per person is a tracking pixel: use a fixed address'
      : `a placeholder cannot stand in "${name}", only in text and in ${known}`,
  )
}

function refuse(scan: Scan, offset: number, message: string): void {
  scan.faults.push({ ...positionAt(scan.source, offset), message })
}

/** The offset that `String.replace` passes after the groups, before the whole text. */
function offsetOf(rest: unknown[]): number {
  const offset = rest.find((value) => typeof value === 'number')
  return typeof offset === 'number' ? offset : 0
}
