import { inKeyOrder } from '@wegwijs/campaign/json'
import type { Question } from '@wegwijs/campaign/state'
import type { Sending } from './sending.ts'
import type { SimulatedMessage } from './simulation.ts'

/**
 * Names what messages say: the same for the same sources on a message's channel and in its language, whatever
 * else changed of their template, or what it is called. Links and data, which differ from person to person, have no part in it.
 */
export class Texts {
  readonly #templateOf: Sending['templateOf']
  readonly #known = new Map<string, string>()

  constructor({ templateOf }: Pick<Sending, 'templateOf'>) {
    this.#templateOf = templateOf
  }

  /** Null of a message that was not handed over. */
  of({ intent, channel, locale }: SimulatedMessage): string | null {
    if (locale === null) return null
    const { templateId, templateHash, question } = intent
    const key = [templateId, templateHash, channel, locale].join(' ')
    const known = this.#known.get(key)
    const content = this.#templateOf(templateId, templateHash)?.channels[channel]?.content[locale]
    const text = known ?? JSON.stringify(inKeyOrder(content ?? key))
    if (known === undefined) this.#known.set(key, text)
    return question === null ? text : `${text} ${asked(question, locale)}`
  }
}

/** What a text can show of a question. */
function asked({ text, answers }: Question, locale: string): string {
  const own = locale.startsWith('nl') ? 'nl' : 'en'
  return JSON.stringify([
    text[own],
    answers.map(({ answer, says, words }) => [answer, says[own], words?.[own][0]]),
  ])
}
