import { convert } from 'html-to-text'

/** What somebody reads of an e-mail's HTML: its words, with the address behind a link; ends with a new line. */
export function textOfHtml(html: string): string {
  const text = convert(html, {
    wordwrap: false,
    formatters: {
      alternative: ({ attribs }, _walk, builder) => builder.addInline(attribs.alt ?? ''),
    },
    selectors: [
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
        selector,
        // Capitals would turn {{person.givenName}} into another variable.
        options: { uppercase: false },
      })),
      { selector: 'table', options: { uppercaseHeaderCells: false } },
      { selector: 'img', format: 'alternative' },
      { selector: 'div[style*="display:none"]', format: 'skip' },
      // A number that is to be called stands in the text already.
      { selector: 'a[href^="tel:"]', format: 'anchor', options: { ignoreHref: true } },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, linkBrackets: ['(', ')'] } },
    ],
  })
  return `${text
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}
