import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const GROUND = fileURLToPath(new URL('../ground.mjs', import.meta.url))

/** A parent that runs `program` on Node 24 as the root scripts do, and says how it ended. */
function parentOf(program: string): ChildProcess {
  const script = `
    const { runOnNode24 } = await import(${JSON.stringify(GROUND)})
    const { code, signal } = await runOnNode24(['--eval', ${JSON.stringify(program)}])
    process.stdout.write('ended ' + code + ' ' + signal)
  `
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    parent.kill('SIGKILL')
  })
  return parent
}

async function until(process: ChildProcess, words: string): Promise<string> {
  let said = ''
  for await (const chunk of process.stdout ?? []) {
    said += String(chunk)
    if (said.includes(words)) break
  }
  return said
}

test('exit codes pass through', async () => {
  const parent = parentOf('process.exit(65)')
  expect(await until(parent, 'ended')).toBe('ended 65 null')
})

test('a child that a signal ended counts as 128 and the number of the signal', async () => {
  const parent = parentOf(`process.kill(process.pid, 'SIGKILL')`)
  expect(await until(parent, 'ended')).toBe('ended 137 SIGKILL')
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s reaches the child, once',
  async (signal) => {
    const parent = parentOf(`
    let times = 0
    process.on('${signal}', () => {
      times += 1
      setTimeout(() => { console.log('got ${signal}', times); process.exit(3) }, 100)
    })
    setInterval(() => {}, 1000)
    console.log('ready')
  `)
    let said = ''
    parent.stdout?.on('data', (chunk) => {
      said += String(chunk)
      if (String(chunk).includes('ready')) parent.kill(signal)
    })
    await once(parent, 'close')
    expect(said).toContain(`got ${signal} 1`)
    expect(said).toContain('ended 3 null')
  },
)

test('the child runs on Node 24 or later and finds it on its PATH', async () => {
  const parent = parentOf(`
    const { execFileSync } = require('node:child_process')
    const onPath = String(execFileSync('node', ['--print', 'process.versions.node'])).trim()
    console.log(onPath === process.versions.node, parseInt(onPath) >= 24)
  `)
  expect(await until(parent, 'ended')).toContain('true true')
})
