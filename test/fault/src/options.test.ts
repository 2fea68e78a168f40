import { expect, test } from 'vitest'
import { faults } from './faults.ts'
import { readOptions } from './options.ts'

test('without a word every fault gets its round', () => {
  expect(readOptions([], faults)).toMatchObject({ faults, keep: false })
})

test('a part is never kept in the place of the whole', () => {
  const only = ['--only', 'pause,redis-flushed']
  expect(readOptions(only, faults)?.faults.map(({ name }) => name)).toEqual([
    'pause',
    'redis-flushed',
  ])
  expect(readOptions(['--keep'], faults)).toMatchObject({ faults, keep: true })
  expect(() => readOptions([...only, '--keep'], faults)).toThrow('--keep')
})

test('a fault that there is not is told with those that there are', () => {
  expect(() => readOptions(['--only', 'flood'], faults)).toThrow(/no fault flood; .*redis-flushed/)
})
