import { userInfo } from 'node:os'
import type { StopWords } from '@wegwijs/store/stops'
import { type Command, InvalidArgumentError } from 'commander'

/** What options take, read and refused in the same words everywhere. */
export function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Expected a number above 0.')
  return Number(text)
}

export function notNegative(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Expected a number, 0 or above.')
  return Number(text)
}

export function seedText(text: string): string {
  if (!/^[A-Za-z0-9]{1,20}$/.test(text)) {
    throw new InvalidArgumentError('Expected 1 to 20 letters and digits.')
  }
  return text
}

export function instantText(text: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('Expected a moment such as 2026-03-02T08:00:00Z.')
  return new Date(ms).toISOString()
}

export type WordsOptions = { reason: string; by: string }

/** Why, and who says so: asked of everybody who changes what becomes of messages. */
export function withWords(command: Command): Command {
  return byOption(command.requiredOption('--reason <text>', 'why, for whoever looks later'))
}

/** Who says so. */
export function byOption(command: Command): Command {
  return command.option('--by <name>', 'who says so, for the record', userInfo().username)
}

export function wordsOf({ reason, by }: WordsOptions): StopWords {
  return { reason, source: `cli:${by}` }
}

/** `field=Column`, several with commas or by repeating the option. */
export function pairs(text: string, before: Record<string, string> = {}): Record<string, string> {
  const read = { ...before }
  for (const pair of text.split(',')) {
    const [field, column] = pair.split('=', 2)
    if (!field?.trim() || !column?.trim()) {
      throw new InvalidArgumentError('Expected field=Column, such as usesPortal=Portal.')
    }
    read[field.trim()] = column.trim()
  }
  return read
}
