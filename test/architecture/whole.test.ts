import { expect, test } from 'vitest'
import { runTool } from './tool.ts'

// The static half of `pnpm verify`, so that `npm test` is the whole of it.
const checks = {
  'is formatted': ['biome', 'format', '.'],
  'keeps to the rules of the language': ['biome', 'lint', '--diagnostic-level=error', '.'],
  'has no fault in its types': ['tsc', '--project', 'tsconfig.json'],
  'has no fault in the types of its core, which knows no machine': [
    'tsc',
    '--project',
    'packages/campaign/tsconfig.json',
  ],
  'holds nothing that nobody uses': ['knip'],
} as const

test.concurrent.each(Object.entries(checks))('all code %s', async (_, [tool, ...words]) => {
  const { code, stdout, stderr } = await runTool(tool, words)
  expect(code, `${stdout}${stderr}`).toBe(0)
})
