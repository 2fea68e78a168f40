import { chmod, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { canonicalText } from '../src/canonical.ts'
import { kindOf } from '../src/file-kinds.ts'
import { checkFormat, formatFolder } from '../src/format-folder.ts'
import { sound, withFolder } from './planted-folder.ts'

const hospital = join(import.meta.dirname, '../../../examples/hospital')
const guide = 'campaigns/guide.yaml'

function form(file: string, text: string): string {
  const kind = kindOf(file)
  if (!kind) throw new Error(`${file} is no kind of file`)
  return canonicalText(kind, text)
}

test('the example is in form', async () => {
  expect(await checkFormat(hospital), 'run `wegwijs fmt examples/hospital`').toEqual({
    changed: [],
    faults: [],
  })
})

test('the brackets of a list over several lines stand below each other', () => {
  const names = Array.from({ length: 12 }, (_, index) => `appointment-${index}`)
  const file = `touchpoints:\n  - type: care.x.v1\n    values: [${names.join(', ')}]\n`
  expect(form('touchpoints.yaml', file)).toContain(
    `    values:
      [
${names.map((name) => `        ${name}`).join(',\n')}
      ]
`,
  )
})

test("names of one's own keep the order of their author", () => {
  const file =
    'id: guide\nsteps:\n  - message: { template: { senior: one, otherwise: two, child: three } }\n'
  expect(form(guide, file)).toContain('{ senior: one, otherwise: two, child: three }')
})

test('keys stand in the order of the reference, comments with what they are about', () => {
  expect(
    form(
      guide,
      `# Filed by hand.

# How often.
entry:   once   # in a lifetime
# What it is called.
name: 'Gids'
id: guide

steps:
    # First of all.
    - message: {template: booked, id: a, channels: [ sms,app ]}

    # Then rest.
    - wait:
        # In the evening.
        at: "18:00"
        for: P2D # two days
class: care
`,
    ),
  ).toBe(`# Filed by hand.

id: guide
# What it is called.
name: 'Gids'
class: care
# How often.
entry: once # in a lifetime

steps:
  # First of all.
  - message: { id: a, template: booked, channels: [sms, app] }

  # Then rest.
  - wait:
      for: P2D # two days
      # In the evening.
      at: "18:00"
`)
})

test('names of the author keep their order', () => {
  const text = 'touchpoints:\n  - data:\n      zip: { type: text }\n      age: { type: number }\n'
  expect(form('touchpoints.yaml', text)).toBe(text)
})

test('a name that is declared further down than it would then be used keeps its place', () => {
  const text = `description: &text A guide
name: *text
id: guide
`
  expect(form(guide, text)).toBe(text)
})

test.each([
  ['CRLF', 'id: guide\r\nname: Gids\r\n', 'id: guide\nname: Gids\n'],
  ['no line break at the end', 'id: guide', 'id: guide\n'],
  ['a key that nobody knows', 'nickname: G\nid: guide\n', 'id: guide\nnickname: G\n'],
  ['an empty file', '', ''],
  ['a text over several lines', 'description: |\n   a\n    b\n', 'description: |\n  a\n   b\n'],
])('%s', (_, text, expected) => {
  expect(form(guide, text)).toBe(expected)
})

/** Any order of keys, any style of brackets, comments anywhere: what people type. */
const files = Object.entries(sound).filter(([path]) => kindOf(path))
const disorder = fc.record({
  file: fc.constantFrom(...files),
  seeds: fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
  indent: fc.constantFrom(2, 4),
})

test('whatever the order, the brackets and the comments: the form is one, and means the same', () => {
  fc.assert(
    fc.property(disorder, ({ file: [path, text], seeds, indent }) => {
      const value = parse(text) as unknown
      const { text: typed, comments } = write(value, seeds, indent)
      expect(parse(typed)).toEqual(value)
      const formed = form(path, typed)
      expect(parse(formed)).toEqual(value)
      expect(form(path, formed)).toBe(formed)
      for (const comment of comments) expect(formed.split(comment)).toHaveLength(2)
    }),
    { numRuns: 200 },
  )
})

/** Writes a value as block YAML with its keys in an order of `seeds`, and a comment here and there. */
function write(
  root: unknown,
  seeds: readonly number[],
  indent: number,
): { text: string; comments: string[] } {
  const comments: string[] = []
  let turn = 0
  const next = () => seeds[turn++ % seeds.length] ?? 0
  const comment = () => {
    comments.push(`# comment ${comments.length}.`)
    return comments.at(-1) ?? ''
  }
  const lines = (value: unknown, depth: number): string[] => {
    const pad = ' '.repeat(depth * indent)
    if (typeof value !== 'object' || value === null) throw new Error('only what holds others')
    const entries = Array.isArray(value)
      ? value.map((item): [string, unknown] => ['-', item])
      : Object.entries(value)
          .map((entry) => ({ entry, rank: next() }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ entry: [key, item] }): [string, unknown] => [`${key}:`, item])
    return entries.flatMap(([mark, item]) => {
      const above = next() % 5 === 0 ? [`${pad}${comment()}`] : []
      if (typeof item !== 'object' || item === null || next() % 3 === 0) {
        const behind = next() % 7 === 0 ? ` ${comment()}` : ''
        return [...above, `${pad}${mark} ${JSON.stringify(item)}${behind}`]
      }
      return [...above, `${pad}${mark}`, ...lines(item, depth + 1)]
    })
  }
  const text = `${lines(root, 0).join('\n')}\n`
  return { text, comments }
}

/** Root may write everywhere, so that nothing would be refused. */
async function asNobody(work: () => Promise<unknown>): Promise<void> {
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

describe('a folder', () => {
  const untidy = {
    [guide]: sound[guide]?.replace('id: guide\nname: Guide', 'name: Guide\nid: guide') ?? '',
  }

  test('is put into form, once', async () => {
    await withFolder(untidy, async (folder) => {
      const { changed } = await checkFormat(folder)
      expect(changed).toContain(guide)
      expect(await readFile(join(folder, guide), 'utf8')).toBe(untidy[guide])
      expect(await formatFolder(folder)).toEqual({ changed, faults: [] })
      expect(await readFile(join(folder, guide), 'utf8')).toMatch(/^id: guide\nname: Guide\n/)
      expect(await formatFolder(folder)).toEqual({ changed: [], faults: [] })
      const names = await readdir(folder, { recursive: true })
      expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([])
    })
  })

  test.each([
    ['that is not YAML', '"'],
    ['that is not UTF-8', Buffer.from([0xe9])],
    ['that never ends', 'a: &a [*a]\n'],
  ])('with a file %s stays as it is, and tells where', async (_, text) => {
    await withFolder(untidy, async (folder) => {
      await writeFile(join(folder, 'personas.yaml'), text)
      const { changed, faults } = await formatFolder(folder)
      expect(changed).toEqual([])
      expect(faults).toMatchObject([{ file: 'personas.yaml', line: 1 }])
      expect(await readFile(join(folder, guide), 'utf8')).toBe(untidy[guide])
    })
  })

  test('with a link that leads nowhere stays as it is, and tells where', async () => {
    await withFolder(untidy, async (folder) => {
      await rm(join(folder, 'personas.yaml'))
      await symlink('nowhere', join(folder, 'personas.yaml'))
      const { changed, faults } = await formatFolder(folder)
      expect(changed).toEqual([])
      expect(faults).toMatchObject([
        { file: 'personas.yaml', message: 'this is a link that leads nowhere' },
      ])
    })
  })

  test('that the disk refuses stays as it is', async () => {
    await withFolder(
      { ...untidy, 'personas.yaml': `# Who.\n\n${sound['personas.yaml']}` },
      async (folder) => {
        await chmod(folder, 0o755)
        await chmod(join(folder, 'campaigns'), 0o555)
        await asNobody(() => expect(formatFolder(folder)).rejects.toMatchObject({ code: 'EACCES' }))
        await chmod(join(folder, 'campaigns'), 0o755)
        expect(await readFile(join(folder, guide), 'utf8')).toBe(untidy[guide])
        const names = await readdir(folder, { recursive: true })
        expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([])
      },
    )
  })

  test('that is a file is a fault', async () => {
    const file = fileURLToPath(import.meta.url)
    expect((await formatFolder(file)).faults).toMatchObject([
      { message: 'this is a file, and a definition is a folder' },
    ])
  })

  test('that is not there is a fault', async () => {
    expect((await formatFolder('/nowhere/at/all')).faults).toMatchObject([
      { message: 'there is no such folder' },
    ])
  })
})
