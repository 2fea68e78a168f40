import { expect, test } from 'vitest'
import { languageAsked } from '../src/page/words.ts'

test.each([
  ['nl-NL,nl;q=0.9,en;q=0.8', 'nl'],
  ['en-GB,en;q=0.9,nl;q=0.8', 'en'],
  ['fr;q=1, nl;q=0.5, en;q=0.4', 'nl'],
  ['en;q=0.3, nl-BE;q=0.7', 'nl'],
  ['nl;q=0, en', 'en'],
  ['de-DE', 'en'],
  ['nl;q=much', 'en'],
  ['', 'en'],
  [undefined, 'en'],
])('a browser that asks for %j gets the page in %s', (header, language) => {
  expect(languageAsked(header)).toBe(language)
})
