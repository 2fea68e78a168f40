import type { OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import { InvalidArgumentError } from 'commander'
import { seedText } from '../words.ts'

/** `bounced=0.02,answered=0.1,answer:confirm=6,done=0.8,outcome:well=5,seed=spring`. */
export function outcomeRates(text: string): OutcomeRates {
  const rates = { bounced: 0, none: 0, answered: 0, done: 0 }
  const weights: Record<string, Record<string, number>> = {}
  let seed: string | undefined
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=', 2)
    if (name === 'seed' && value !== '') seed = seedText(value)
    else if (/^(answer|outcome):[a-z][a-z0-9-]*$/.test(name) && /^\d{1,6}(\.\d+)?$/.test(value)) {
      const [kind = '', of = ''] = name.split(':')
      weights[`${kind}s`] = { ...weights[`${kind}s`], [of]: Number(value) }
    } else if (Object.hasOwn(rates, name) && /^(0(\.\d+)?|1)$/.test(value)) {
      rates[name as keyof typeof rates] = Number(value)
    } else throw new InvalidArgumentError('Expected shares such as bounced=0.02,none=0.01.')
  }
  if (rates.bounced + rates.none + rates.answered > 1) {
    throw new InvalidArgumentError('The shares are more than 1 together.')
  }
  return { ...rates, ...weights, ...(seed !== undefined && { seed }) }
}
