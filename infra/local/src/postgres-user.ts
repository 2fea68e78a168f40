import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fail } from '@wegwijs/runtime/failure'
import type { Say } from './say.ts'

const run = promisify(execFile)
const ACCOUNT = 'postgres'

/** Who PostgreSQL runs as. */
export type PostgresUser = {
  /** Absent when it runs as ourselves. */
  readonly account?: { readonly uid: number; readonly gid: number }
  /** Whether this user can enter the folder. */
  canReach(folder: string): Promise<boolean>
}

/**
 * Chooses who PostgreSQL runs as: ourselves, or, because PostgreSQL refuses to run as root, the
 * account `postgres`, which is made when the machine has none.
 */
export async function postgresUser(say: Say): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return { canReach: () => Promise.resolve(true) }
  const account = (await findAccount()) ?? (await makeAccount(say))
  return {
    account,
    canReach: (folder) =>
      run('test', ['-x', folder], account).then(
        () => true,
        () => false,
      ),
  }
}

async function findAccount(): Promise<PostgresUser['account'] | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', ACCOUNT]), run('id', ['-g', ACCOUNT])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return null
  }
}

async function makeAccount(say: Say): Promise<NonNullable<PostgresUser['account']>> {
  const command = ['useradd', '--system', '--user-group', '--no-create-home', ACCOUNT]
  say(`PostgreSQL does not run as root; making the account ${ACCOUNT}: ${command.join(' ')}`)
  try {
    await run(command[0] ?? '', command.slice(1))
  } catch (error) {
    throw fail(
      'WEGWIJS_STACK_MISSING_PIECE',
      { pieces: [`an account "${ACCOUNT}" (${command.join(' ')})`] },
      error,
    )
  }
  const account = await findAccount()
  if (account === null || account === undefined) {
    throw fail('WEGWIJS_STACK_MISSING_PIECE', { pieces: [`an account "${ACCOUNT}"`] })
  }
  return account
}
