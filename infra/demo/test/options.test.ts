import { expect, test } from 'vitest'
import { readOptions } from '../src/options.ts'

const read = (...words: string[]) => readOptions(words, () => {})

test('without words it invents people, on real servers, and stays up', () => {
  expect(read()).toMatchObject({ embedded: false, exit: false, people: 60, seed: '1' })
})

test('a log comes with what the columns are called', () => {
  const words = ['--log', 'a.csv', '--case', 'Patient', '--attributes', 'usesPortal=Portal,x=Y']
  expect(read(...words)).toMatchObject({
    log: 'a.csv',
    case: 'Patient',
    attributes: { usesPortal: 'Portal', x: 'Y' },
  })
})

test.each([
  [['--people', 'many'], /--people/],
  [['--seed', 'a b'], /--seed/],
  [['--embeded'], /--embeded/],
  [['now'], /too many arguments/],
])('%j is refused, and said why', (words, problem) => {
  expect(() => read(...words)).toThrow(problem)
})

test('help is no failure', () => {
  const said: string[] = []
  expect(readOptions(['--help'], (text) => said.push(text))).toBeNull()
  expect(said.join('')).toContain('--embedded')
})
