import type { Difference } from '@wegwijs/campaign/definition/differences'
import type { JsonObject, JsonValue } from '@wegwijs/campaign/json'
import { valueText } from '@wegwijs/definition/value-text'
import { textOfHtml } from '@wegwijs/template/html-text'
import { structuredPatch } from 'diff'

/**
 * Differences as somebody reviews them: what is short on a line of its own, a longer text line by line as
 * in a diff, anything else as the file would have it. Nothing that has changed is left out.
 */
export function differenceLines(differences: readonly Difference[]): string[] {
  return differences.flatMap(linesOf).map(indented)
}

/** Of templates: an e-mail is told by its words, as a reader sees them, and its markup apart from them. */
export function templateDifferenceLines(differences: readonly Difference[]): string[] {
  return differences
    .filter((difference) => !isDerived(difference, differences))
    .flatMap((difference) =>
      isHtml(difference) ? htmlLines(difference) : linesOf(readable(difference)),
    )
    .map(indented)
}

function linesOf({ path, from, to }: Difference): string[] {
  if (from === undefined && to === undefined) return [`~ ${path}`]
  if (from === undefined) return wholeLines(`+ ${path}`, to)
  if (to === undefined) return wholeLines(`- ${path}`, from)
  if (isShort(from) && isShort(to)) return [`~ ${path}: ${flow(from)} → ${flow(to)}`]
  const changed = changedLines(text(from), text(to))
  if (changed.length === 0) return [`~ ${path}: only how its last line ends`]
  return [`~ ${path}:`, ...changed.map(indented)]
}

const mostCharacters = 70

function isShort(value: JsonValue | undefined): boolean {
  const line = flow(value)
  return line.length <= mostCharacters && !line.includes('\n')
}

/** As one line of YAML. */
function flow(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (!isMapping(value)) return String(value)
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${flow(field)}`)
  return `{ ${fields.join(', ')} }`
}

/** What is new, or gone: of a long text the first lines, and how many more there are. */
function wholeLines(heading: string, value: JsonValue | undefined): string[] {
  if (isShort(value)) return [`${heading}: ${flow(value)}`]
  return [
    `${heading}:`,
    ...text(abridged(value))
      .split('\n')
      .map((line) => indented(line).trimEnd()),
  ]
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : valueText(value ?? null)
}

const mostLines = 8

function abridged(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(abridged)
  if (isMapping(value))
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, abridged(field)]))
  if (typeof value !== 'string') return value ?? null
  const lines = value.trimEnd().split('\n')
  if (lines.length <= mostLines + 1) return value
  return [...lines.slice(0, mostLines), `… ${lines.length - mostLines} more lines`].join('\n')
}

/** Lines that are gone and new ones, with the line before and after; `…` where others lie between. */
function changedLines(from: string, to: string): string[] {
  const { hunks } = structuredPatch('', '', ended(from), ended(to), '', '', { context: 1 })
  return hunks.flatMap(({ lines }, index) => [
    ...(index === 0 ? [] : ['  …']),
    ...lines.map((line) => `${line[0]} | ${line.slice(1)}`.trimEnd()),
  ])
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

const htmlPath = /\.email\.[a-z]+\.html$/

/** Both sides there: of a new e-mail there is nothing to set its words beside. */
function isHtml(difference: Difference): difference is Difference & { from: string; to: string } {
  const { path, from, to } = difference
  return htmlPath.test(path) && typeof from === 'string' && typeof to === 'string'
}

function htmlLines({ path, from, to }: Difference & { from: string; to: string }): string[] {
  const words = changedLines(textOfHtml(from), textOfHtml(to))
  if (words.length === 0)
    return [
      `~ ${path}: the same words in other markup`,
      ...changedLines(tagByTag(from), tagByTag(to)).map(indented),
    ]
  const isOtherMarkup = tagsOf(from) !== tagsOf(to)
  return [
    `~ ${path}:${isOtherMarkup ? ' other words, and other markup' : ''}`,
    ...words.map(indented),
  ]
}

/** The text part that is made of the HTML says the same once more. */
function isDerived({ path, from, to }: Difference, all: readonly Difference[]): boolean {
  if (!path.endsWith('.text')) return false
  const html = all.find((each) => each.path === path.replace(/\.text$/, '.html'))
  return html !== undefined && isHtml(html) && same(html.from, from) && same(html.to, to)
}

function same(html: string, value: JsonValue | undefined): boolean {
  return value === textOfHtml(html)
}

function tagByTag(html: string): string {
  return html
    .replace(/\s*(<[^>]*>)\s*/g, '\n$1\n')
    .replace(/\n{2,}/g, '\n')
    .trim()
}

function tagsOf(html: string): string {
  return html.match(/<[^>]*>/g)?.join('') ?? ''
}

/** Of an e-mail that is new, or gone, what is read of it in place of its HTML; a text part that says the same is left out. */
function readable({ path, from, to }: Difference): Difference {
  return {
    path,
    ...(from === undefined ? {} : { from: withWords(from) }),
    ...(to === undefined ? {} : { to: withWords(to) }),
  }
}

function withWords(value: JsonValue): JsonValue {
  if (!isMapping(value)) return value
  const { html, ...others } = value
  if (typeof html !== 'string')
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withWords(field)]))
  const { text: own, ...rest } = others
  const words = textOfHtml(html)
  return { ...rest, 'html, as it is read': words, ...(own === words ? {} : { text: own ?? null }) }
}

function isMapping(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function indented(line: string): string {
  return line === '' ? '' : `    ${line}`
}
