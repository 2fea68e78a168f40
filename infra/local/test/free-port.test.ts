import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { freePort } from '../src/free-port.ts'

const MANY = 300

test('nobody is given a port that somebody else was given before it was used', async () => {
  const [here, there] = await Promise.all([manyPorts(), manyPortsOfAnotherProcess()])
  expect(here).toHaveLength(MANY)
  expect(there).toHaveLength(MANY)
  expect(new Set([...here, ...there]).size).toBe(2 * MANY)
})

function manyPorts(): Promise<number[]> {
  return Promise.all(Array.from({ length: MANY }, () => freePort()))
}

async function manyPortsOfAnotherProcess(): Promise<number[]> {
  const source = new URL('../src/free-port.ts', import.meta.url)
  const program = `
    const { freePort } = await import(${JSON.stringify(source.href)})
    const ports = await Promise.all(Array.from({ length: ${MANY} }, () => freePort()))
    console.log(JSON.stringify(ports))`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    program,
  ])
  return JSON.parse(stdout) as number[]
}
