import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AcceptedEmail,
  type AcceptedSms,
  fileNames,
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

export function repeatsIn(directory: string): RepeatedSms[] {
  return linesOf<RepeatedSms>(directory, fileNames.repeatedSms)
}

function linesOf<Entry>(directory: string, name: string): Entry[] {
  const file = join(directory, name)
  if (!existsSync(file)) return []
  // A line that is being written has no end yet.
  const whole = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return whole.map((line) => JSON.parse(line) as Entry)
}
