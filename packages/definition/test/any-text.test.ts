import { campaignFileSchema } from '@wegwijs/campaign/definition/campaign'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkAgainst } from '../src/schema-faults.ts'
import { parseYaml } from '../src/yaml-source.ts'
import { sound } from './planted-folder.ts'

const campaign = sound['campaigns/guide.yaml'] ?? ''

/** A campaign as it looks in the middle of being edited: a stretch taken out, something else put in. */
const edited = fc
  .record({
    from: fc.nat(campaign.length),
    length: fc.nat(40),
    put: fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom('{', '[', '"', ': ', '\n', '- ', '&a ', '*a', '!!js ', '__proto__: 1', '\t'),
    ),
  })
  .map(({ from, length, put }) => campaign.slice(0, from) + put + campaign.slice(from + length))

test('whatever stands in a file, each fault has a place within it and nothing throws', () => {
  fc.assert(
    fc.property(edited, (text) => {
      const source = parseYaml('a.yaml', text)
      const checked = checkAgainst(campaignFileSchema, source)
      const faults = [...source.faults, ...checked.faults]
      const lines = text.split('\n')
      for (const { line, column, message } of faults) {
        expect(line).toBeGreaterThanOrEqual(1)
        expect(line).toBeLessThanOrEqual(lines.length)
        expect(column).toBeGreaterThanOrEqual(1)
        expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1)
        expect(message).not.toBe('')
      }
      expect(checked.value === undefined).toBe(checked.faults.length > 0)
    }),
    { numRuns: 300 },
  )
})
