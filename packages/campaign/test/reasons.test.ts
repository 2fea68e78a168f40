import { localeNames } from '@wegwijs/campaign/definition/words'
import { reasons } from '@wegwijs/campaign/reasons'
import { describe, expect, test } from 'vitest'

describe.each(Object.entries(reasons))('%s', (_, { text, whatToDo }) => {
  test.each(localeNames)('ends a sentence in %s', (locale) => {
    for (const words of [text[locale], whatToDo[locale]]) {
      expect(words).toMatch(/^[a-zé"]/)
      expect(words).not.toMatch(/[.!]$/)
    }
  })
  test('says something else in each language', () => {
    expect(text.nl).not.toBe(text.en)
  })
})
