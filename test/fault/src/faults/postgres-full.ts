import { execFile } from 'node:child_process'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '@wegwijs/system-tests/until'
import pg from 'pg'
import type { Fault } from '../fault.ts'
import { deliverySlots } from './slots.ts'

const run = promisify(execFile)
/** More than a new server takes, with room for its log to grow. */
const DISK_MB = 320

/**
 * The data of the server lies on a small disk, which somebody else fills. PostgreSQL then refuses what
 * would make tables grow, and goes down when it cannot write its log; once there is room again it is
 * started, if it went down, and nothing that it acknowledged may be missing.
 */
export const postgresFull: Fault = {
  name: 'postgres-full',
  on: 'postgres',
  title: 'disk full (a small tmpfs)',
  needs: ['postgres'],
  async unable() {
    if (process.platform !== 'linux') return 'a tmpfs can be mounted on Linux only'
    return process.getuid?.() === 0 ? null : 'only root may mount a tmpfs'
  },
  async strike(world, { say }) {
    const { system } = world
    const server = world.server('postgres')
    const data = await dataFolderOf(server.address)
    await server.goAway()
    await world.undoneLast(
      () => ontoSmallDisk(data),
      () => run('umount', ['--lazy', data]),
    )
    await server.comeBack()
    await world.untilGoesOn()
    await world.slowProviders(400)
    const inFlight = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
    const ballast = join(data, 'ballast')
    const filled = await fill(ballast)
    say(`filled ${Math.round(filled / 2 ** 20)} MB with ${JSON.stringify(inFlight)}`)
    const isMet = () => writers.some((name) => system.process(name).output().includes(DISK_FULL))
    await until('it is refused for want of room, or gone', async () => {
      // What somebody else has freed meanwhile is taken, too.
      await fill(ballast)
      return isMet() || !(await answers(server.address))
    })
    const wentDown = !(await answers(server.address))
    say(wentDown ? 'PostgreSQL went down' : 'PostgreSQL refuses to write')
    await rm(ballast)
    if (wentDown) {
      await server.goAway()
      await server.comeBack()
    }
    const recoveryMs = await world.untilGoesOn()
    const figures = { 'times PostgreSQL went down': Number(wentDown) }
    return { kills: 2, inFlight, unknownAtMost: 2 * deliverySlots, recoveryMs, figures }
  },
}

const writers = ['journey', 'scheduler', 'delivery', 'gateway']
/** The state of PostgreSQL's errors for want of room on the disk. */
const DISK_FULL = '53100'

async function dataFolderOf(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const { rows } = await client.query<{ data_directory: string }>('show data_directory')
  await client.end()
  return rows[0]?.data_directory ?? ''
}

/** The server is down; what it has moves, with its owner and rights. */
async function ontoSmallDisk(data: string): Promise<void> {
  const copy = `${data}-copy`
  await run('cp', ['-a', data, copy])
  await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', data])
  await run('cp', ['-a', `${copy}/.`, data])
  await rm(copy, { recursive: true })
}

/** Writes until there is no room; resolves with how many bytes went in now. */
async function fill(file: string): Promise<number> {
  const handle = await open(file, 'a')
  let written = 0
  try {
    for (let size = 2 ** 20; size >= 2 ** 10; ) {
      try {
        written += (await handle.write(Buffer.alloc(size, 1))).bytesWritten
      } catch {
        size /= 4
      }
    }
  } finally {
    await handle.close()
  }
  return written
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
