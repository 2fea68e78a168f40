import fc from 'fast-check'
import { SegmentedMessage } from 'sms-segments-calculator'
import { expect, it } from 'vitest'
import { smsSize } from '../src/sms-size.ts'

it('gives for every text what the library gives', () => {
  const letters = fc.constantFrom(
    ...'abc XYZ 019 @$_!?/+-=:;<>()&%#"\'*,.\n\r[]{}~^|\\€éàùèñçëïêâ§ß…’\u00a0😀'.split(''),
  )
  const text = fc.string({ unit: letters, maxLength: 340 })
  const around160 = fc.string({
    unit: fc.constantFrom('a', ' ', '?'),
    minLength: 158,
    maxLength: 162,
  })
  fc.assert(
    fc.property(fc.oneof(text, around160), (words) => {
      const { segmentsCount: segments, encodingName: encoding } = new SegmentedMessage(words)
      if (words !== '') expect(smsSize(words)).toEqual({ segments, encoding })
    }),
    { numRuns: 2_000 },
  )
})

it('gives for each single letter what the library gives', () => {
  for (let code = 1; code < 0x3000; code += 1) {
    const letter = String.fromCharCode(code)
    const { segmentsCount: segments, encodingName: encoding } = new SegmentedMessage(letter)
    expect(smsSize(letter), String(code)).toEqual({ segments, encoding })
  }
})
