const end = '<!-- /figures -->'

/**
 * The document with `text` in its part of that name: what stands between the line that says what makes it and
 * the next end.
 *
 * @throws Error when it has no such part
 */
export function withMadePart(
  document: string,
  { name, madeBy, text }: { name: string; madeBy: string; text: string },
): string {
  const begin = `<!-- figures ${name}: made by \`${madeBy}\` -->`
  const from = document.indexOf(begin)
  const to = document.indexOf(end, from)
  if (from < 0 || to < from) throw new Error(`the document has no part that begins with ${begin}`)
  return `${document.slice(0, from)}${begin}\n${text}\n${document.slice(to)}`
}
