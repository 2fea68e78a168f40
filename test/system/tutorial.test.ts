import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadDefinition } from '@wegwijs/definition/load-definition'
import { describe, expect } from 'vitest'
import { cannotRun, test } from './src/test.ts'
import { missingIn, stepsOf } from './src/tutorial.ts'

const example = fileURLToPath(new URL('../../examples/hospital', import.meta.url))
const page = readFileSync(new URL('../../docs/tutorial.md', import.meta.url), 'utf8')

describe.skipIf(cannotRun)('the tutorial', () => {
  test('does what it says, from an empty file to an SMS', async ({ open }) => {
    const { bundle } = await loadDefinition(example)
    if (bundle === null) throw new Error('the example has faults')
    const system = await open({ definition: bundle })
    await system.start()
    const folder = join(system.directory, 'my-hospital')
    const here = (text: string) => text.replaceAll('my-hospital', folder)
    cpSync(example, folder, { recursive: true })
    writeFileSync(join(folder, 'campaigns/first-visit.yaml'), '')

    const steps = stepsOf(page)
    expect(steps.length).toBeGreaterThan(10)
    for (const step of steps) {
      if (step.kind === 'file') {
        mkdirSync(dirname(here(step.path)), { recursive: true })
        writeFileSync(here(step.path), step.text)
      } else if (step.kind === 'change') {
        const text = readFileSync(here(step.path), 'utf8')
        expect(text).toContain(step.from)
        writeFileSync(here(step.path), text.replace(step.from, step.to))
      } else {
        // Whoever reads a page takes longer than an event.
        if (step.words[0] === 'explain') await system.settled()
        const { output } = await system.wegwijs(...step.words.map(here))
        const missing = missingIn(output, step.sees.map(here))
        expect(missing, `wegwijs ${step.words.join(' ')}\n${output}`).toBeNull()
      }
    }

    const [sms, ...more] = system.accepted().filter(({ channel }) => channel === 'sms')
    expect(more).toEqual([])
    expect(sms).toMatchObject({ to: '+447700900123' })
  })
})
