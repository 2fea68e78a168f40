/** HTML that is safe as it stands. Only `markup` makes it, so no text gets into a page unescaped. */
export type Markup = { readonly html: string }

type Value = string | number | Markup | null | undefined | readonly Value[]

/** A template literal whose values are escaped, but for those that are markup themselves. */
export function markup(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return { html: strings.reduce((html, text, index) => html + textOf(values[index - 1]) + text) }
}

function textOf(value: Value): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return escaped(value)
  if (typeof value === 'number') return String(value)
  if ('html' in value) return value.html
  return value.map(textOf).join('')
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
