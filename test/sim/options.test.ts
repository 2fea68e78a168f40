import { expect, test } from 'vitest'
import { readOptions, whyNotKept } from './src/options.ts'

test('reads how long, which seeds and what to do with it', () => {
  const rest = { json: false, keep: false, shrink: true }
  expect(readOptions([])).toEqual(rest)
  expect(readOptions(['--', '--minutes', '2.5', '--keep'])).toEqual({
    ...rest,
    minutes: 2.5,
    keep: true,
  })
  expect(readOptions(['--seeds', '3-9', '--json', '--no-shrink'])).toEqual({
    seeds: { from: 3, to: 9 },
    json: true,
    keep: false,
    shrink: false,
  })
})

test.for([
  ['theme', 'a timer comes'],
  ['seed', 7],
  ['seeds', { from: 1, to: 9 }],
] as const)('keeps nothing of stories that were chosen by --%s', ([name, value]) => {
  const chosen = { minutes: 5, json: false, shrink: true, [name]: value }
  expect(whyNotKept({ ...chosen, keep: true })).toContain(`leave out --${name},`)
  expect(whyNotKept({ ...chosen, keep: false })).toBeNull()
})
