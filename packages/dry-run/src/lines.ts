import type { ChannelName } from '@wegwijs/campaign/definition/words'
import type { IntentState } from '@wegwijs/campaign/state'
import type { People, PersonNumber } from './people.ts'
import type { SimulatedMessage } from './simulation.ts'

/** One message decision, as `wegwijs simulate --json` prints it. */
export type MessageLine = {
  /** `idSpace:externalId`; of several the first in the order of the texts. */
  person: string
  /** Who gets it, named like `person`; only where that is somebody else. */
  to?: string
  campaign: string
  version: number
  /** Id of the message step. */
  step: string
  /** The one that took it, or that was tried last. */
  channel: ChannelName
  /** When it was planned for, in UTC. */
  plannedFor: string
  outcome: IntentState
  reason: string | null
  /** Id of the event that began the run. */
  eventId: string
}

/** The same with what a comparison asks beside it. */
export type ComparedLine = MessageLine & {
  /** Names what it said (`Texts`); null when nothing was handed over, or nobody compares. */
  text: string | null
  /** That of the person when it came to its end. */
  persona: string | null
}

/** Keeps what became of messages until everybody's last name is known. */
export class MessageLines {
  readonly #lines: {
    person: PersonNumber
    receiver: PersonNumber | null
    text: string | null
    persona: string | null
    line: Omit<MessageLine, 'person'>
  }[] = []

  add(message: SimulatedMessage, text: string | null = null): void {
    const { person, persona, receiver, intent, channel, plannedFor, eventId } = message
    this.#lines.push({
      person,
      persona,
      text,
      receiver: intent.recipient ? receiver : null,
      line: {
        campaign: intent.campaignId,
        version: intent.version,
        step: intent.messageId,
        channel,
        plannedFor,
        outcome: intent.state,
        reason: intent.reason,
        eventId,
      },
    })
  }

  /** In the order in which they are printed: the same for the same messages, however they came. */
  sorted(people: Pick<People, 'nameOf'>): MessageLine[] {
    return this.#sorted(people).map(({ line }) => line)
  }

  /** In the same order. */
  compared(people: Pick<People, 'nameOf'>): ComparedLine[] {
    return this.#sorted(people).map(({ line, text, persona }) => ({ ...line, text, persona }))
  }

  #sorted(people: Pick<People, 'nameOf'>) {
    const told = this.#lines.map(({ person, receiver, line, ...more }) => ({
      ...more,
      line: {
        person: people.nameOf(person),
        ...(receiver !== null && { to: people.nameOf(receiver) }),
        ...line,
      },
    }))
    return sortBy(told, ({ line }) => line)
  }
}

/** By moment, then person, then everything else. */
export function sortLines(lines: readonly MessageLine[]): MessageLine[] {
  return sortBy(lines, (line) => line)
}

function sortBy<Of>(all: readonly Of[], lineOf: (each: Of) => MessageLine): Of[] {
  return all
    .map((each) => {
      const line = lineOf(each)
      return { each, key: [line.plannedFor, line.person, JSON.stringify(line)] }
    })
    .sort((a, b) => compare(a.key, b.key))
    .map(({ each }) => each)
}

function compare(one: readonly string[], other: readonly string[]): number {
  for (const [index, part] of one.entries()) {
    const than = other[index] ?? ''
    if (part !== than) return part < than ? -1 : 1
  }
  return 0
}
