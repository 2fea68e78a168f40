import { fail } from '@wegwijs/runtime/failure'
import { endHolding, type HeldEnd, type HeldRefusal, listHeld } from '@wegwijs/store/held-messages'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { atLeastOne, type WordsOptions, withWords, wordsOf } from '../words.ts'

type CloseOptions = WordsOptions & { sent?: boolean }

/** `wegwijs messages`: those of which nobody knows whether the provider has them. */
export function addMessages(program: Command, shell: Shell): void {
  const messages = program
    .command('messages')
    .description('Messages that are held: the provider may or may not have them.')
  messages
    .command('held')
    .description('Those that have been held longest first. Ask the provider for their ids.')
    .option('--limit <count>', 'at most so many', atLeastOne, 50)
    .action(runs(shell, held))
  withWords(messages.command('resend'))
    .description(
      'Send them once more, marked as possible repeats. The last check is made as for any other.',
    )
    .argument('<id...>')
    .action(runs(shell, (call, options: WordsOptions, ...ids) => end(call, 'resend', options, ids)))
  withWords(messages.command('close'))
    .description('Send them no more.')
    .argument('<id...>')
    .option('--sent', 'the provider has them: they count as sent')
    .action(
      runs(shell, (call, options: CloseOptions, ...ids) =>
        end(call, options.sent ? 'close-as-sent' : 'close', options, ids),
      ),
    )
}

async function held({ surroundings, output }: Call, { limit }: { limit: number }): Promise<void> {
  const { db } = await surroundings.store()
  const messages = await listHeld(db, limit)
  output.data(messages, () =>
    table(
      ['ID', 'HELD SINCE', 'EXPIRES', 'CAMPAIGN', 'MESSAGE', 'CHANNEL', 'PROVIDER', 'FAULT'],
      messages.map((message) => [
        message.intentId,
        message.heldSince,
        message.expiresAt,
        message.campaignId,
        message.messageId,
        message.channel,
        message.provider,
        message.fault,
      ]),
    ),
  )
}

async function end(
  { surroundings, output }: Call,
  how: HeldEnd,
  options: WordsOptions,
  ids: readonly string[],
): Promise<void> {
  const malformed = ids.find((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
  if (malformed !== undefined) throw fail('WEGWIJS_USAGE', { problem: unknown(malformed) })
  const wanted = [...new Set(ids)]
  const refused = await endHolding(await surroundings.store(), wanted, how, wordsOf(options))
  if (refused) {
    const problem = `nothing was changed: ${refused.map(describe).join('; ')}`
    throw fail('WEGWIJS_USAGE', { problem })
  }
  output.say(done[how])
  output.data({ [how === 'resend' ? 'resent' : 'closed']: wanted }, () => [])
}

const done: Readonly<Record<HeldEnd, string>> = {
  resend: 'they are sent as soon as they are checked; `wegwijs explain` tells what came of it',
  'close-as-sent': 'closed; they count as sent',
  close: 'closed; they are not sent any more',
}

function describe({ intentId, why, state }: HeldRefusal): string {
  if (why === 'unknown') return unknown(intentId)
  if (why === 'expired') return `message ${intentId} has expired and can only be closed`
  return `message ${intentId} is not held but ${state}`
}

function unknown(id: string): string {
  return `there is no message ${id}; see \`wegwijs messages held\``
}
