import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { plant } from './planted.ts'
import { root, runTool } from './tool.ts'

/** What the rules of the language forbid: the rule, where, and code that does it. */
const forbidden: readonly (readonly [rule: string, file: string, code: string])[] = [
  // The core: time, chance and the world are arguments.
  [
    'noNodejsModules',
    'packages/campaign/src/reads.ts',
    `import { readFile } from 'node:fs'\nreadFile`,
  ],
  [
    'noRestrictedGlobals',
    'packages/campaign/src/date.ts',
    `export const at = new Date('2026-01-01')`,
  ],
  [
    'noJsRestrictedProperties',
    'packages/campaign/src/dice.ts',
    'export const dice = Math.random()',
  ],
  [
    'plugin',
    'packages/campaign/src/now.ts',
    'export const now = (t: typeof Temporal) => Temporal.Now',
  ],
  // Everywhere: one file reads the environment, one the time, one writes the log.
  [
    'noProcessEnv',
    'packages/store/src/environment.ts',
    'export const url = process.env.DATABASE_URL',
  ],
  ['plugin', 'packages/store/src/new-date.ts', 'export const now = new Date()'],
  ['plugin', 'packages/store/src/date-now.ts', 'export const now = Date.now()'],
  ['plugin', 'packages/store/src/performance.ts', 'export const now = performance.now()'],
  ['plugin', 'packages/store/src/hrtime.ts', 'export const now = process.hrtime.bigint()'],
  ['noConsole', 'packages/store/src/console.ts', `console.log('stored')`],
  // A promise that nobody awaits loses its failure.
  ['noFloatingPromises', 'packages/store/src/floating.ts', 'const write = async () => {}\nwrite()'],
  [
    'noMisusedPromises',
    'packages/store/src/misused.ts',
    'const ok = async () => true\nif (ok()) ok',
  ],
  ['useThrowOnlyError', 'packages/store/src/throws.ts', `export function no() {\n  throw 'no'\n}`],
  // Ways in: named, direct, without a second list of the same things.
  ['noDefaultExport', 'packages/store/src/default.ts', 'export default 1'],
  ['noBarrelFile', 'packages/store/src/index.ts', `export { offer } from './offer.ts'`],
  ['noReExportAll', 'packages/store/src/all.ts', `export * from './offer.ts'`],
  [
    'useImportExtensions',
    'packages/store/src/extension.ts',
    `import { offer } from './offer'\noffer`,
  ],
  [
    'noImportCycles',
    'packages/store/src/circle.ts',
    `import { offer } from './offer.ts'\nexport const circle = offer`,
  ],
  ['noUndeclaredDependencies', 'packages/store/src/undeclared.ts', `import pg from 'pg'\npg`],
  ['useFilenamingConvention', 'packages/store/src/Offer_2.ts', 'export const offer = 2'],
  // What Node cannot run as it is, or what hides a fault.
  ['noEnum', 'packages/store/src/enum.ts', 'export enum State {\n  planned,\n}'],
  [
    'noParameterProperties',
    'packages/store/src/parameter.ts',
    'export class A {\n  constructor(readonly b: number) {}\n}',
  ],
  ['noExplicitAny', 'packages/store/src/any.ts', 'export const row = (value: any) => value'],
  [
    'noNonNullAssertion',
    'packages/store/src/bang.ts',
    'export const first = (list: string[]) => list[0]!',
  ],
  [
    'useExhaustiveSwitchCases',
    'packages/store/src/switch.ts',
    `export function f(s: 'a' | 'b') {\n  switch (s) {\n    case 'a':\n      return 1\n  }\n}`,
  ],
  [
    'noFocusedTests',
    'packages/store/test/only.test.ts',
    `import { test } from 'vitest'\ntest.only('x', () => {})`,
  ],
  [
    'noSkippedTests',
    'packages/store/test/skip.test.ts',
    `import { test } from 'vitest'\ntest.skip('x', () => {})`,
  ],
]

type Diagnostic = { readonly category: string; readonly location: { readonly path: string } }

describe('the linter finds a planted', () => {
  let found: readonly Diagnostic[] = []
  let remove = async () => {}
  beforeAll(async () => {
    const tree = await plant({
      ...Object.fromEntries(forbidden.map(([, file, code]) => [file, `${code}\n`])),
      'packages/store/package.json': JSON.stringify({ name: '@wegwijs/store' }),
      'packages/store/src/offer.ts': `import { circle } from './circle.ts'\nexport const offer = () => circle\n`,
      'packages/runtime/src/clock.ts': 'export const now = () => performance.now()\n',
      'packages/runtime/src/env.ts': 'export const all = () => process.env\n',
    })
    remove = tree.remove
    await cp(join(root, 'biome.jsonc'), join(tree.path, 'biome.jsonc'))
    await cp(join(root, 'infra/biome'), join(tree.path, 'infra/biome'), { recursive: true })
    const words = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none']
    const { stdout, stderr } = await runTool('biome', [...words, '.'], tree.path)
    expect(stdout, stderr).toMatch(/^\{/)
    found = (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics
  })
  afterAll(() => remove())

  const rulesIn = (file: string) =>
    found
      .filter(({ location }) => location.path === file)
      .map(({ category }) => category.split('/').at(-1))

  test.each(forbidden)('%s in %s', (rule, file) => {
    expect(rulesIn(file)).toContain(rule)
  })

  test.each(['clock', 'env'])('nothing in the one file that may: runtime/src/%s.ts', (name) => {
    expect(rulesIn(`packages/runtime/src/${name}.ts`)).toEqual([])
  })
})

describe('the core does not compile with', () => {
  const effects = {
    timer: 'setTimeout(() => {}, 1)',
    network: `fetch('http://127.0.0.1')`,
    environment: 'process.env',
    clock: 'performance.now()',
    chance: 'crypto.randomUUID()',
    output: `console.log('decided')`,
    'bytes of Node': `Buffer.from('')`,
  }
  let said = ''
  let remove = async () => {}
  beforeAll(async () => {
    const files = Object.entries(effects).map(([name, code], index) => [
      `effect-${index}.ts`,
      `// ${name}\n${code}\nexport {}\n`,
    ])
    const tree = await plant({
      ...Object.fromEntries(files),
      'pure.ts': 'export const double = (n: number) => 2 * n\n',
      'package.json': JSON.stringify({ type: 'module' }),
      // Together with the core itself: a library that it imports may bring such types along.
      'tsconfig.json': JSON.stringify({
        extends: join(root, 'packages/campaign/tsconfig.json'),
        include: [join(root, 'packages/campaign/src/**/*.ts'), './*.ts'],
      }),
    })
    remove = tree.remove
    const { stdout } = await runTool('tsc', ['--project', 'tsconfig.json'], tree.path)
    said = stdout
  })
  afterAll(() => remove())

  test.each(Object.keys(effects).map((name, index) => [name, index] as const))('%s', (_, index) => {
    expect(said).toContain(`effect-${index}.ts(2,1): error`)
  })

  test('and compiles without', () => {
    expect(said).not.toContain('pure.ts')
  })
})
