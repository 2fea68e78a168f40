import { fail } from '@wegwijs/runtime/failure'
import {
  type ApiKeyScope,
  apiKeyScopes,
  createApiKey,
  listApiKeys,
  revokeApiKey,
} from '@wegwijs/store/api-keys'
import { type Command, Option } from 'commander'
import { table } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'

type KeyOptions = {
  label: string
  idSpace: string
  source: string[]
  type: string[]
  scope: ApiKeyScope[]
}

/** `wegwijs keys`: who may publish over HTTP, and for what. */
export function addKeys(program: Command, shell: Shell): void {
  const keys = program.command('keys').description('Who may speak to the gateway, and for what.')
  keys
    .command('create')
    .description('Make a key. It is shown once: what is stored cannot bring it back.')
    .requiredOption('--label <text>', 'what it is for, for people')
    .requiredOption('--id-space <name>', 'the id space of its subjects')
    .requiredOption('--source <urn...>', 'the CloudEvents sources that it may speak as')
    .requiredOption('--type <pattern...>', 'the types it may publish, such as "care.*"')
    .addOption(
      new Option('--scope <name...>', 'what it may do').choices(apiKeyScopes).default(['events']),
    )
    .action(runs(shell, create))
  keys.command('list').description('All keys, the revoked ones too.').action(runs(shell, list))
  keys
    .command('revoke')
    .description('End a key, at once and for good.')
    .argument('<key-id>', 'as `keys list` shows it')
    .action(runs(shell, revoke))
}

async function create({ surroundings, output }: Call, options: KeyOptions): Promise<void> {
  const { db } = await surroundings.store()
  const { label, idSpace, source, type, scope } = options
  const made = await createApiKey(db, {
    label,
    idSpace,
    sources: source,
    types: type,
    scopes: scope,
  })
  output.say(`key ${made.keyId} for ${label}; it is shown this once:`)
  output.data(made, () => [made.key])
}

async function list({ surroundings, output }: Call): Promise<void> {
  const { db } = await surroundings.store()
  const keys = await listApiKeys(db)
  output.data(keys, () =>
    table(
      ['KEY', 'LABEL', 'ID SPACE', 'SOURCES', 'TYPES', 'MAY', 'REVOKED'],
      keys.map((key) => [
        key.keyId,
        key.label,
        key.idSpace,
        key.sources.join(' '),
        key.types.join(' '),
        key.scopes.join(' '),
        key.revokedAt,
      ]),
    ),
  )
}

async function revoke({ surroundings, output }: Call, _: unknown, keyId = ''): Promise<void> {
  const { db } = await surroundings.store()
  if (!(await revokeApiKey(db, keyId))) {
    throw fail('WEGWIJS_USAGE', { problem: `there is no key ${keyId}; see \`wegwijs keys list\`` })
  }
  output.say(`key ${keyId} is revoked`)
}
