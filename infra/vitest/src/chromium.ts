import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/**
 * The path of a Chromium for tests of pages; where there is none and we are root and have apt-get,
 * it is installed, aloud. Null when there is none to be had: those tests skip.
 */
export async function findChromium(say: (line: string) => void): Promise<string | null> {
  const found = await firstOnPath()
  if (found !== null || process.getuid?.() !== 0) return found
  const install = ['apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', 'chromium']
  say('no Chromium for the tests of pages; installing it')
  for (const command of [['apt-get', 'update', '--quiet'], install]) {
    say(`+ ${command.join(' ')}`)
    await finished(command)
  }
  return firstOnPath()
}

async function firstOnPath(): Promise<string | null> {
  for (const name of NAMES) {
    const answer = await run('which', [name]).catch(() => null)
    if (answer !== null) return answer.stdout.trim()
  }
  return null
}

function finished([command = '', ...words]: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
}
