import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AcceptedEmail,
  type AcceptedSms,
  fileNames,
  type MetFault,
  type RepeatedSms,
} from '@wegwijs/sandbox/accepted'
import { referenceIn } from './clinic.ts'

export type Accepted = (AcceptedEmail | AcceptedSms) & { reference: string }

/** What the providers accepted, by the files that the sandbox wrote before it answered. */
export function acceptedIn(directory: string): Accepted[] {
  return [
    ...linesOf<AcceptedEmail>(directory, fileNames.email),
    ...linesOf<AcceptedSms>(directory, fileNames.sms),
  ].map((message) => ({ ...message, reference: referenceIn(message.text) }))
}

/**
 * Every hand-over: what was accepted, and each repeat of an SMS that its provider folded, as the message
 * that it repeats but with its own moment and its own mark.
 */
export function handOversIn(directory: string): Accepted[] {
  const repeats = linesOf<RepeatedSms>(directory, fileNames.repeatedSms)
  // Read after them: each of them repeats a line that is there.
  const accepted = acceptedIn(directory)
  const firstOf = new Map(accepted.map((line) => [`${line.channel} ${line.intentId}`, line]))
  const folded = repeats.map(({ intentId, receivedAt, duplicate }) => {
    const first = firstOf.get(`sms ${intentId}`)
    if (first === undefined) throw new Error(`the repeat of ${intentId} repeats nothing`)
    return { ...first, receivedAt, duplicate }
  })
  return [...accepted, ...folded]
}

/** Each time that a message was not simply accepted, in their order. */
export function metFaultsIn(directory: string): MetFault[] {
  return linesOf<MetFault>(directory, fileNames.metFaults)
}

function linesOf<Entry>(directory: string, name: string): Entry[] {
  const file = join(directory, name)
  if (!existsSync(file)) return []
  // A line that is being written has no end yet.
  const whole = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return whole.map((line) => JSON.parse(line) as Entry)
}
