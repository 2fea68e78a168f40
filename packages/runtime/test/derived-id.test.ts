import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { derivedUuid, newUuid } from '../src/derived-id.ts'

describe('derivedUuid', () => {
  it('gives the ids that are in databases already', () => {
    expect(derivedUuid()).toBe('e3b0c442-98fc-8c14-9afb-f4c8996fb924')
    expect(derivedUuid('')).toBe('ba768b33-1fd8-8cec-803b-e04e56ab2b3d')
    expect(derivedUuid('intent', 'aftercare', 'welcome')).toBe(
      '45d7fe8d-4239-87fd-925a-713b2b3a1448',
    )
    expect(derivedUuid('patiënt', '🙂')).toBe('214c8ad4-c891-84dc-85d1-9866981c84b5')
  })

  it('is a UUID of version 8, and the same for the same parts', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (parts) => {
        const id = derivedUuid(...parts)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(derivedUuid(...parts)).toBe(id)
      }),
    )
  })

  it('is another one for other parts, also when they read the same in a row', () => {
    const parts = fc.array(fc.constantFrom('a', 'b', ':', '1', '1:', '1:a', 'ab', ''), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        const same = JSON.stringify(left) === JSON.stringify(right)
        expect(derivedUuid(...left) === derivedUuid(...right)).toBe(same)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('newUuid', () => {
  it('is a UUID of version 7, and never the same one', () => {
    const ids = Array.from({ length: 1_000 }, newUuid)
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }
    expect(new Set(ids).size).toBe(1_000)
  })

  it('begins with the millisecond that it was made in, so ids sort by age', () => {
    const millisecondOf = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
    const made = Array.from({ length: 100 }, () => millisecondOf(newUuid()))
    expect(made).toEqual([...made].sort((a, b) => a - b))
    expect(new Date(made[0] ?? 0).getUTCFullYear()).toBeGreaterThanOrEqual(2025)
  })
})
