import { stackStatus, stopStack } from '@wegwijs/local/stack'
import { testStackDirectory } from './servers.ts'

/**
 * `status` exits 0 when servers of a test run are up, 1 when none is; `down` ends them. Called by
 * `infra/bootstrap/test.mjs`.
 */
const options = { directory: testStackDirectory }
if (process.argv[2] === 'down') await stopStack(options)
else {
  const servers = await stackStatus(options)
  process.exitCode = servers.some(({ state }) => state !== 'stopped') ? 0 : 1
}
