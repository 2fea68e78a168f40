import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerToken, answerUrl, readAnswerToken } from '../src/answer-link.ts'

const secret = 'a secret of the tests, long enough to be one'

describe('the token of an answer link', () => {
  test('names its message, and is as short as an SMS likes it', () => {
    fc.assert(
      fc.property(fc.uuid(), (intentId) => {
        const token = answerToken(intentId, secret)
        expect(token).toMatch(/^[A-Za-z0-9_-]{38}$/)
        expect(readAnswerToken(token, secret)).toBe(intentId)
      }),
    )
  })

  test('is nobody else’s to make', () => {
    const token = answerToken('0190c0de-0000-8000-8000-000000000001', secret)
    expect(readAnswerToken(token, `${secret}!`)).toBeNull()
    for (let index = 0; index < token.length; index += 1) {
      const other = token[index] === 'A' ? 'B' : 'A'
      const changed = `${token.slice(0, index)}${other}${token.slice(index + 1)}`
      expect(readAnswerToken(changed, secret)).toBeNull()
    }
    for (const text of ['', 'nonsense', `${token}A`, token.slice(1), 'ü'.repeat(38)]) {
      expect(readAnswerToken(text, secret)).toBeNull()
    }
  })
})

test('a link leads to the page of an answer, or of all of them', () => {
  expect(answerUrl('https://a.example.org/', 'T', 'confirm')).toBe(
    'https://a.example.org/a/T/confirm',
  )
  expect(answerUrl('https://a.example.org/wegwijs', 'T')).toBe('https://a.example.org/wegwijs/a/T')
})
