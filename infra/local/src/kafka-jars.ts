import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fail } from '@wegwijs/runtime/failure'
import { withLock } from './lock.ts'
import type { Say } from './say.ts'

const run = promisify(execFile)
const POM = fileURLToPath(new URL('../pom.xml', import.meta.url))
// One copy for every local Kafka of this clone, wherever its data lies.
const CACHE = fileURLToPath(new URL('../../../.wegwijs/kafka', import.meta.url))

/**
 * Brings Kafka's jars (named in pom.xml, about 43 MB) from Maven Central into `.wegwijs/kafka/libs`
 * unless they are there already.
 *
 * @returns the Java class path that holds them
 * @throws WEGWIJS_STACK_DOWNLOAD_FAILED when Maven cannot bring them
 */
export async function kafkaClassPath(say: Say): Promise<string> {
  await mkdir(CACHE, { recursive: true })
  return withLock(join(CACHE, 'libs.lock'), async () => {
    const libs = join(CACHE, 'libs')
    const stampFile = join(libs, '.stamp')
    const stamp = createHash('sha256')
      .update(await readFile(POM))
      .digest('hex')
    if ((await readFile(stampFile, 'utf8').catch(() => '')) !== stamp) {
      say('bringing Kafka from Maven Central (43 MB, once)')
      await rm(libs, { recursive: true, force: true })
      await copyJars(libs)
      // Last: a download that was cut off is done again.
      await writeFile(stampFile, stamp)
    }
    return join(libs, '*')
  })
}

async function copyJars(libs: string): Promise<void> {
  const goal = [
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${libs}`,
  ]
  try {
    await run('mvn', ['--batch-mode', '--quiet', '--file', POM, ...goal], {
      maxBuffer: 16 * 1024 * 1024,
    })
  } catch (error) {
    const output = String((error as { stdout?: unknown }).stdout ?? '')
    const firstFault = output.split('\n').find((line) => line.includes('ERROR')) ?? String(error)
    throw fail('WEGWIJS_STACK_DOWNLOAD_FAILED', { what: "Kafka's jars", reason: firstFault }, error)
  }
}
