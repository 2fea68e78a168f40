import { describe, expect, test } from 'vitest'
import { applyEdit, misfitOf } from './src/edit.ts'

const text = `if (a) {
  b()
  c()
}
if (d) {
  b()
}
`
const edit = (find: string, replace = '') => ({ file: 'a.ts', find, replace })

describe('an edit', () => {
  test('replaces whole lines, whatever their indentation', () => {
    expect(applyEdit(text, edit('b()\n    c()', '  e()'))).toBe(
      'if (a) {\n  e()\n}\nif (d) {\n  b()\n}\n',
    )
  })

  test('takes lines away when nothing replaces them', () => {
    expect(applyEdit(text, edit('c()'))).not.toContain('c()')
  })

  test.each([
    ['is not there', 'z()', 0],
    ['is only a part of its line', 'c(', 0],
    ['is there twice', 'b()', 2],
  ])('does not apply when what it replaces %s', (_, find, times) => {
    expect(misfitOf(text, edit(find))).toEqual({ file: 'a.ts', times, firstLine: find })
    expect(() => applyEdit(text, edit(find))).toThrow(`a.ts has these lines ${times} times`)
  })
})
