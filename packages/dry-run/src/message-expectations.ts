import type { Expectation } from '@wegwijs/campaign/definition/expectation'
import { type Asked, isAt } from './asked.ts'
import { type Fate, isMessage, tell } from './message-fates.ts'

export type MessageExpectation = Exclude<
  Extract<
    Expectation,
    { sent: string } | { withdrawn: string } | { 'not sent': string } | { planned: string }
  >,
  string
>

export function isOfMessage(expectation: Expectation): expectation is MessageExpectation {
  return (
    typeof expectation !== 'string' &&
    ('sent' in expectation ||
      'withdrawn' in expectation ||
      'not sent' in expectation ||
      'planned' in expectation)
  )
}

export function nameOf(expectation: MessageExpectation): string {
  if ('sent' in expectation) return expectation.sent
  if ('withdrawn' in expectation) return expectation.withdrawn
  return 'planned' in expectation ? expectation.planned : expectation['not sent']
}

/** Each line with a message of its own, as many lines as can have one (augmenting paths). */
export function assign(
  expectations: readonly Expectation[],
  fates: readonly Fate[],
  asked: Asked,
): Map<number, Fate> {
  const holder = new Map<Fate, number>()
  const claim = (index: number, tried: Set<Fate>): boolean =>
    fates.some((fate) => {
      const expectation = expectations[index]
      if (!expectation || !isOfMessage(expectation)) return false
      if (tried.has(fate) || !fits(expectation, fate, asked)) return false
      tried.add(fate)
      const other = holder.get(fate)
      if (other !== undefined && !claim(other, tried)) return false
      holder.set(fate, index)
      return true
    })
  for (const index of expectations.keys()) claim(index, new Set())
  return new Map([...holder].map(([fate, index]) => [index, fate]))
}

function fits(expectation: MessageExpectation, fate: Fate, asked: Asked): boolean {
  const { what, intent, plannedFor, at, channel, text } = fate
  if (!isMessage(nameOf(expectation), intent, asked.campaign) || !(what in expectation))
    return false
  if (expectation.to !== undefined && expectation.to !== asked.receiverOf(intent)) return false
  if ('sent' in expectation) {
    const { over, saying = [] } = expectation
    return (
      isAt(expectation.at, at, asked) &&
      (over === undefined || over === channel) &&
      [saying].flat().every((part) => text.includes(part))
    )
  }
  if ('planned' in expectation) return isAt(expectation.for, plannedFor, asked)
  const { because } = expectation
  return (
    isAt(expectation['planned for'], plannedFor, asked) &&
    isAt('at' in expectation ? expectation.at : undefined, at, asked) &&
    (because === undefined || because === intent.reason)
  )
}

/** What became of the messages of that name. */
export function insteadOf(
  expectation: MessageExpectation,
  fates: readonly Fate[],
  asked: Asked,
): string[] {
  const name = nameOf(expectation)
  const own = fates.filter(({ intent }) => isMessage(name, intent, asked.campaign))
  if (own.length === 0) return [`${name} was never planned`]
  return own.map((fate) =>
    tell(fate, asked, 'sent' in expectation && expectation.saying !== undefined),
  )
}
