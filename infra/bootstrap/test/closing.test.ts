import { expect, test } from 'vitest'
import { closing } from '../closing.mjs'

const tally = { passed: 7, failed: 0, skipped: [], errors: [] }
const local = { runnerCode: 0, ci: false }

test('all is well', () => {
  expect(closing(tally, local)).toEqual({ line: '7 passed, 0 failed', failed: 0 })
})

test('tests that failed, and what broke outside of them, are counted', () => {
  const broken = { ...tally, failed: 2, errors: ['a file that cannot be loaded'] }
  expect(closing(broken, { ...local, runnerCode: 1 }).line).toBe('7 passed, 3 failed')
})

test('a skipped test is told, and under CI it is a failure', () => {
  const skipping = { ...tally, skipped: ['a page without a browser'] }
  expect(closing(skipping, local)).toEqual({ line: '7 passed, 0 failed, 1 skipped', failed: 0 })
  expect(closing(skipping, { ...local, ci: true })).toEqual({
    line: '7 passed, 1 failed',
    failed: 1,
  })
})

test.each([
  ['was killed', null, 137],
  ['failed without saying why', tally, 1],
  ['found no test', { ...tally, passed: 0 }, 0],
])('a runner that %s is a failure', (_, left, runnerCode) => {
  expect(closing(left, { ...local, runnerCode }).failed).toBe(1)
})
