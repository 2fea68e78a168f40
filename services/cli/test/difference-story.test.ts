import { expect, test } from 'vitest'
import { differenceLines, templateDifferenceLines } from '../src/difference-story.ts'

test('what is short stands on one line, before and after', () => {
  const lines = differenceLines([
    { path: 'steps[1].wait.for', from: 'P2D', to: 'P3D' },
    { path: 'steps[2].message.until', to: 'PT12H' },
    { path: 'exit', from: ['a', 'b'] },
    { path: 'steps (order)' },
  ])
  expect(lines).toEqual([
    '    ~ steps[1].wait.for: P2D → P3D',
    '    + steps[2].message.until: PT12H',
    '    - exit: [a, b]',
    '    ~ steps (order)',
  ])
})

test('a long text that changes is told line by line, and nothing of it is cut off', () => {
  const long = 'one thing at a time, in short sentences, with a telephone number underneath'
  const [first, second, third] = ['Dear reader,', `We tell ${long}.`, 'Call us.']
  const lines = differenceLines([
    {
      path: 'app.en.body',
      from: [first, second, third, '1', '2', '3', 'Bye.'].join('\n'),
      to: [first, `They tell ${long}!`, third, '1', '2', '3', 'Goodbye.'].join('\n'),
    },
  ])
  expect(lines).toEqual([
    '    ~ app.en.body:',
    `          | ${first}`,
    `        - | We tell ${long}.`,
    `        + | They tell ${long}!`,
    `          | ${third}`,
    '          …',
    '          | 3',
    '        - | Bye.',
    '        + | Goodbye.',
  ])
})

test('what is new is told as a file has it, of a long text the first lines and how many follow', () => {
  const body = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join('\n')
  const lines = templateDifferenceLines([
    {
      path: 'templates[first-visit]',
      to: { id: 'first-visit', app: { sensitivity: 'personal', nl: { title: 'Welkom', body } } },
    },
  ])
  expect(lines).toEqual([
    '    + templates[first-visit]:',
    '        id: first-visit',
    '        app:',
    '          sensitivity: personal',
    '          nl:',
    '            title: Welkom',
    '            body: |-',
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((line) => `              line ${line}`),
    '              … 4 more lines',
  ])
})

const html = (words: string, color: string) =>
  `<html><head><style>p { margin: 0 }</style></head><body><p style="color:${color}">${words}</p><a href="https://a.example">More</a></body></html>`
const path = 'templates[tips].email.en'

test('an e-mail is told by its words, once, and its markup apart from them', () => {
  const [from, to] = [html('Walk three times.', 'red'), html('Walk four times.', 'red')]
  const derived = (words: string) => `${words}\n\nMore (https://a.example)\n`
  const text = {
    path: `${path}.text`,
    from: derived('Walk three times.'),
    to: derived('Walk four times.'),
  }
  const words = ['        - | Walk three times.', '        + | Walk four times.', '          |']
  expect(templateDifferenceLines([{ path: `${path}.html`, from, to }, text])).toEqual([
    `    ~ ${path}.html:`,
    ...words,
  ])
  const both = [{ path: `${path}.html`, from, to: html('Walk four times.', 'blue') }, text]
  expect(templateDifferenceLines(both)).toEqual([
    `    ~ ${path}.html: other words, and other markup`,
    ...words,
  ])
  const [own] = templateDifferenceLines([both[0] ?? text, { ...text, to: 'Walk.\n' }]).slice(-1)
  expect(own).toBe('        + | Walk.')
})

test('an e-mail with the same words in other markup shows the markup', () => {
  const difference = {
    path: `${path}.html`,
    from: html('Walk three times.', 'red'),
    to: html('Walk three times.', 'blue'),
  }
  expect(templateDifferenceLines([difference])).toEqual([
    `    ~ ${path}.html: the same words in other markup`,
    '          | <body>',
    '        - | <p style="color:red">',
    '        + | <p style="color:blue">',
    '          | Walk three times.',
  ])
})

test('of a new e-mail the words are told, and the text part that says the same is not', () => {
  const value = {
    subject: 'Tips',
    html: html('Walk three times.', 'red'),
    text: 'Walk three times.\n\nMore (https://a.example)\n',
  }
  expect(templateDifferenceLines([{ path, to: value }])).toEqual([
    `    + ${path}:`,
    '        subject: Tips',
    '        html, as it is read: |',
    '          Walk three times.',
    '',
    '          More (https://a.example)',
  ])
  const own = templateDifferenceLines([{ path, to: { ...value, text: 'Of its own' } }])
  expect(own.at(-1)).toBe('        text: Of its own')
})
