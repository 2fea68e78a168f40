import fc from 'fast-check'
import Handlebars from 'handlebars'
import { describe, expect, test } from 'vitest'
import { evaluate } from '../src/evaluate.ts'
import { limits } from '../src/limits.ts'
import { readTemplate } from '../src/syntax.ts'

const reader = { locale: 'nl', timeZone: 'Europe/Amsterdam' }

function pathsOf(source: string): string[] {
  return readTemplate(source).uses.map(({ path, guarded }) => (guarded ? `${path}?` : path))
}

describe('what a template may not say', () => {
  test.each([
    ['{{{person.name}}}', 'unescaped output'],
    ['{{& person.name}}', 'unescaped output'],
    ['{{> header}}', 'partials'],
    ['{{#> header}}x{{/header}}', 'partials'],
    ['{{#*inline "a"}}x{{/inline}}', 'inline helpers'],
    ['{{* decorate}}', 'inline helpers'],
    ['{{lookup person "name"}}', 'no helper "lookup"'],
    ['{{lookup}}', 'not the name of a variable'],
    ['{{log person}}', 'no helper "log"'],
    ['{{upper person.name}}', 'no helper "upper"'],
    ['{{person.name style="x"}}', 'no helper "person.name"'],
    ['{{#person}}x{{/person}}', 'no block {{#person}}'],
    ['{{^person}}x{{/person}}', 'no block {{#person}}'],
    ['{{#if (eq a b)}}x{{/if}}', 'only a variable'],
    ['{{#if "yes"}}x{{/if}}', 'only a variable'],
    ['{{#if a b}}x{{/if}}', 'takes exactly one variable'],
    ['{{#if a includeZero=true}}x{{/if}}', 'takes exactly one variable'],
    ['{{#each items as |item|}}x{{/each}}', 'names after `as`'],
    ['{{"text"}}', 'only a variable'],
    ['{{person.__proto__.x}}', 'not the name of a variable'],
    ['{{constructor}}', 'not the name of a variable'],
    ['{{person.constructor}}', 'not the name of a variable'],
    ['{{person.[given name]}}', 'not the name of a variable'],
    ['{{items.[0]}}', 'not the name of a variable'],
    ['{{person.-name}}', 'not the name of a variable'],
    ['{{person.name-}}', 'not the name of a variable'],
    ['{{person.given--name}}', 'not the name of a variable'],
    ['{{person.__proto__-x.constructor}}', 'not the name of a variable'],
    ['{{person.[a-b c]}}', 'not the name of a variable'],
    ['{{../person}}', 'steps out further'],
    ['{{this}}', 'only inside'],
    ['{{@root.person}}', 'not available'],
    ['{{@index}}', 'not available'],
    ['{{#each a}}{{@key}}{{/each}}', 'not available'],
    ['{{date}}', 'takes exactly one variable'],
    ['{{date a b}}', 'takes exactly one variable'],
    ['{{date "2026-01-01"}}', 'only a variable'],
    ['{{{{raw}}}}{{x}}{{{{/raw}}}}', 'no block {{#raw}}'],
  ])('%s', (source, message) => {
    const { faults } = readTemplate(source)
    expect(faults.map((fault) => fault.message).join()).toContain(message)
  })

  test('blocks nested deeper than the limit', () => {
    const depth = limits.nesting + 1
    const source = `${'{{#if a}}'.repeat(depth)}x${'{{/if}}'.repeat(depth)}`
    expect(readTemplate(source).faults).toMatchObject([{ line: 1, column: limits.nesting * 9 + 1 }])
  })

  test.each([
    ['blocks', '{{#if a}}'.repeat(7_000)],
    ['inverse blocks', '{{^if a}}'.repeat(7_000)],
    ['an endless chain', `{{#if a}}${'{{else if b}}x'.repeat(4_000)}{{/if}}`],
    ['braces', '{'.repeat(60_000)],
    ['placeholders', '{{a}}'.repeat(12_000)],
    ['comments that never end', '{{!--'.repeat(12_000)],
  ])('%s without end, which Handlebars would take seconds to read', (_what, source) => {
    expect(readTemplate(source).faults).toHaveLength(1)
  })

  test('while many small blocks one after the other are fine', () => {
    expect(readTemplate('{{#if a}}x{{else if b}}y{{/if}}\n'.repeat(300)).faults).toEqual([])
  })

  test('a text longer than the limit', () => {
    expect(readTemplate('x'.repeat(limits.sourceLength + 1)).faults).toHaveLength(1)
  })
})

describe('where a fault is', () => {
  test.each([
    ['een\n  {{{x}}}', 2, 3],
    ['een\n{{#if a}}\n  {{lookup b c}}\n{{/if}}', 3, 3],
    ['{{#if person.x}}\nja\n{{/unless}}', 1, 4],
    ['een\ntwee {{#each a}} drie', 2, 6],
    ['een\n\ntwee drie {{a b', 3, 15],
    ['een {{#if (f a)}}x{{/if}}', 1, 11],
  ])('%j is at line %i, column %i', (source, line, column) => {
    expect(readTemplate(source).faults[0]).toMatchObject({ line, column })
  })
})

describe('the variables of a text', () => {
  test.each([
    ['{{person.givenName}}', ['person.givenName']],
    ['{{date appointment.start}}', ['appointment.start']],
    ['{{answers.yes-i-do.word}}', ['answers.yes-i-do.word']],
    [
      '{{#if journey.planned-operation.phase}}{{journey.planned-operation.phase}}{{/if}}',
      ['journey.planned-operation.phase?', 'journey.planned-operation.phase?'],
    ],
    ['{{#with enrolment.a-b}}{{status}}{{/with}}', ['enrolment.a-b?', 'enrolment.a-b.status']],
    ['{{#if a.b}}{{a.b}}{{/if}}', ['a.b?', 'a.b?']],
    ['{{#if a.b}}{{a.c}}{{else}}{{a.b}}{{/if}}', ['a.b?', 'a.c', 'a.b']],
    ['{{#unless a}}x{{else}}{{a}}{{/unless}}', ['a?', 'a?']],
    ['{{#if a}}1{{else if b}}{{b}}{{/if}}', ['a?', 'b?', 'b?']],
    ['{{#each items}}{{name}} {{../title}}{{/each}}', ['items?', 'items[].name', 'title']],
    ['{{#each items}}{{this}}{{@index}}{{/each}}', ['items?', 'items[]']],
    [
      '{{#each a}}{{#each b}}{{c}}{{../d}}{{../../e}}{{/each}}{{/each}}',
      ['a?', 'a[].b?', 'a[].b[].c', 'a[].d', 'e'],
    ],
    ['{{#with a.b}}{{c}}{{this.d}}{{/with}}', ['a.b?', 'a.b.c', 'a.b.d']],
  ])('%s', (source, expected) => {
    expect(readTemplate(source).faults).toEqual([])
    expect(pathsOf(source)).toEqual(expected)
  })

  test('each use is at its place', () => {
    const { uses } = readTemplate('Beste\n{{#if a}}\n  {{b}}{{/if}}')
    expect(uses).toEqual([
      { path: 'a', guarded: true, line: 2, column: 7 },
      { path: 'b', guarded: false, line: 3, column: 3 },
    ])
  })
})

/** Templates of the allowed language, for data in which every variable has a value. */
const template = fc.letrec<{ part: string; text: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('tekst ', '\n', ' & <b> ', "'", 'é', '  \n'),
    fc.constantFrom(
      '{{name}}',
      '{{ note }}',
      '{{~count}}',
      '{{flag~}}',
      '{{inner.note}}',
      '{{of-two-words}}',
    ),
    tie('text').map((text) => `{{#if flag}}\n${text}{{else}}nee{{/if}}`),
    tie('text').map((text) => `{{#unless empty}}${text}{{/unless}}\n`),
    tie('text').map((text) => `{{#if none}}x{{else if name}}${text}{{/if}}`),
    tie('text').map(
      (text) =>
        `{{#each list}}${text.replaceAll('{{inner.note}}', '{{../name}}').replace(/\{\{(#(?:if|unless|each|with)) (?!this)/g, '{{$1 ../')}{{name}}{{@index}}\n{{/each}}`,
    ),
    tie('text').map(() => '{{#with inner}}\n {{note}} {{../name}}{{else}}niets{{/with}}'),
    tie('text').map(() => '{{#each none}}x{{else}}leeg{{/each}}'),
  ),
  text: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
})).text

describe('evaluation agrees with Handlebars', () => {
  test('for every template of the allowed language and complete data', () => {
    const item = {
      ...{ name: 'i', note: 'n&', count: 1, flag: true, empty: '', none: [], list: [] },
      'of-two-words': 'two',
    }
    const data = {
      ...item,
      name: '<Anna> & "co" =`\'',
      // Fresh items each time: Handlebars forgets a level of `../` where one list is walked within
      // itself and both items are the same object.
      get list() {
        return [
          { ...item, inner: { note: 'x' } },
          { ...item, name: 'twee', inner: { note: 'y' } },
        ]
      },
      inner: { note: "d'", 'of-two-words': 3 },
      count: 0,
    }
    fc.assert(
      fc.property(template, (source) => {
        const { steps, faults } = readTemplate(source)
        // `../` steps out of the innermost list only: what steps out further is refused.
        fc.pre(faults.length === 0)
        const expected = Handlebars.compile(source)(data)
        fc.pre(!hasMissing(source, data))
        expect(evaluate(steps, data, reader, true)).toBe(expected)
      }),
      { numRuns: 500 },
    )
  })
})

/** Handlebars in its strict mode tells whether some variable has no value. */
function hasMissing(source: string, data: unknown): boolean {
  try {
    Handlebars.compile(source, { strict: true })(data)
    return false
  } catch {
    return true
  }
}
