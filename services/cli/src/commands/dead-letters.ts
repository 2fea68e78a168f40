import { fail } from '@wegwijs/runtime/failure'
import {
  type DeadLetterRecord,
  listDeadLetters,
  readDeadLetters,
  replayOrder,
} from '@wegwijs/store/dead-letters'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { replayLetters } from '../replay-letters.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { atLeastOne } from '../words.ts'

type ListOptions = { class?: string; all?: boolean; limit: number }

/** `wegwijs dead-letters`: events that could not be used, and their second chance. */
export function addDeadLetters(program: Command, shell: Shell): void {
  const deadLetters = program
    .command('dead-letters')
    .description('Events that could not be used, with their reason.')
  deadLetters
    .command('list')
    .description('The newest first; those that were replayed only with --all.')
    .option('--class <name>', 'only of this error class, such as data_invalid')
    .option('--all', 'those that were replayed, too')
    .option('--limit <count>', 'at most so many', atLeastOne, 50)
    .action(runs(shell, list))
  deadLetters
    .command('show')
    .description('One dead letter. Its content is personal data: it is shown only when asked for.')
    .argument('<id>')
    .option('--content', 'show headers, key and value as they came')
    .action(runs(shell, show))
  deadLetters
    .command('replay')
    .description(
      'Publish the original bytes again, after a fix. What did arrive meanwhile counts once.',
    )
    .argument('[id...]')
    .option('--class <name>', 'all that are open of this error class')
    .action(runs(shell, replay))
}

async function list({ surroundings, output }: Call, options: ListOptions): Promise<void> {
  const { db } = await surroundings.store()
  const { class: errorClass, all = false, limit } = options
  const letters = await listDeadLetters(db, {
    limit,
    replayed: all,
    ...(errorClass === undefined ? {} : { errorClass }),
  })
  output.data(letters, () =>
    table(
      ['ID', 'RECORDED', 'CLASS', 'REASON', 'PATH', 'FROM', 'REPLAYED'],
      letters.map((letter) => [
        letter.deadLetterId,
        letter.recordedAt,
        letter.errorClass,
        letter.reason,
        letter.path,
        `${letter.topic}/${letter.partition}@${letter.offset}`,
        letter.replayedAt,
      ]),
    ),
  )
}

async function show(
  { surroundings, output }: Call,
  options: { content?: boolean },
  id = '',
): Promise<void> {
  const { db } = await surroundings.store()
  const [letter] = await readDeadLetters(db, checkedIds([id]))
  if (!letter) throw unknown(id)
  const { key, value, headers, ...known } = letter
  const content = options.content ? readable({ key, value, headers }) : {}
  output.data({ ...known, ...content }, () =>
    Object.entries({ ...known, ...content }).map(
      ([name, part]) => `${name}: ${typeof part === 'object' ? JSON.stringify(part) : part}`,
    ),
  )
}

async function replay(
  { surroundings, output }: Call,
  options: { class?: string },
  ...ids: string[]
): Promise<void> {
  if ((ids.length === 0) === (options.class === undefined)) {
    throw fail('WEGWIJS_USAGE', {
      problem: 'name the dead letters, or their --class, and not both',
    })
  }
  const { db } = await surroundings.store()
  // What comes back by being replayed is another one, and waits for the next time.
  const wanted = await replayOrder(
    db,
    options.class === undefined ? { ids: checkedIds(ids) } : { errorClass: options.class },
  )
  const missing = ids.find((id) => !wanted.includes(id))
  if (missing !== undefined) throw unknown(missing)
  const { publisher } = await surroundings.kafka()
  await replayLetters(db, publisher, wanted)
  output.say(`published ${wanted.length} again; \`wegwijs dead-letters list\` shows what came back`)
  output.data({ replayed: wanted }, () => [])
}

function readable({ key, value, headers }: Pick<DeadLetterRecord, 'key' | 'value' | 'headers'>) {
  const text = (bytes: Buffer | null) => bytes?.toString('utf8') ?? null
  return {
    key: text(key),
    headers: Object.fromEntries(Object.entries(headers).map(([name, part]) => [name, text(part)])),
    value: text(value),
  }
}

function checkedIds(ids: readonly string[]): string[] {
  for (const id of ids)
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw unknown(id)
  return [...ids]
}

function unknown(id: string) {
  const problem = `there is no dead letter ${id}; see \`wegwijs dead-letters list --all\``
  return fail('WEGWIJS_USAGE', { problem })
}
