import { parseMailbox } from '@wegwijs/channels/mailbox'
import { parseSender } from '@wegwijs/channels/phone'
import type { Fault } from '../fault.ts'
import { about, type Parts } from './parts.ts'

/** As the channel for SMS has it by default. */
const country = 'NL'

/** `channels.yaml`: from whom a message comes. A channel refuses every message from what is no sender. */
export function checkSenders({ channels: loaded }: Parts): Fault[] {
  if (!loaded) return []
  const { email, sms } = loaded.value
  const faults: Fault[] = []
  if (email && parseMailbox(email.from) === undefined)
    faults.push(
      about(loaded, ['email', 'from'], {
        message: `expected one address, such as "De Linde <info@example.org>", found "${email.from}"`,
        found: email.from,
      }),
    )
  if (sms && parseSender(sms.from, country) === undefined)
    faults.push(
      about(loaded, ['sms', 'from'], {
        message: `expected a name of letters and digits, such as "DeLinde", or a telephone number, found "${sms.from}"`,
        found: sms.from,
      }),
    )
  return faults
}
