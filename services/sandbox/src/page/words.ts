import type { LocaleName } from '@wegwijs/campaign/definition/words'

/** What the page itself says; everything on it is in one language, but for what people were sent. */
export type PageWords = {
  outbox: string
  skip: string
  nothingSent: string
  emails: string
  appMessages: string
  receipts: string
  receiptsOf(sent: number, all: number): string
  people: string
  journey: string
  theLast(count: number): string
  andMore(count: number): string
  nothingYet: string
  nothingYetHint: string
  nobody: string
  nobodyHint: string
  databaseAway: string
  from: string
  to: string
  toNumber(number: string): string
  email: string
  notSent: string
  twin: string
  state(state: string): string
}

const english: PageWords = {
  outbox: 'outbox',
  skip: 'Skip to the journey',
  nothingSent: 'Nothing here was sent to anybody.',
  emails: 'E-mails',
  appMessages: 'app messages',
  receipts: 'Receipts',
  receiptsOf: (sent, all) => `${sent} of ${all}`,
  people: 'People',
  journey: 'Journey',
  theLast: (count) => `the last ${count}`,
  andMore: (count) => `and ${count} more`,
  nothingYet: 'Nothing has arrived yet',
  nothingYetHint:
    'E-mails and SMS that Wegwijs hands to the sandbox appear here, person by person. Reload to look again.',
  nobody: 'Nobody chosen',
  nobodyHint: 'Choose somebody to see the journey.',
  databaseAway: 'The database does not answer: only addresses and real times are shown.',
  from: 'From',
  to: 'To',
  toNumber: (number) => `to ${number}`,
  email: 'E-mail',
  notSent: 'Not sent',
  twin: 'possible duplicate',
  state: (state) => state,
}

const dutchStates: Readonly<Record<string, string>> = {
  planned: 'gepland',
  queued: 'in de wachtrij',
  sending: 'onderweg',
  sent: 'verzonden',
  delivered: 'bezorgd',
  bounced: 'niet bezorgd',
  skipped: 'niet verzonden',
  cancelled: 'ingetrokken',
  expired: 'verlopen',
  failed: 'mislukt',
  held: 'vastgehouden',
}

const dutch: PageWords = {
  outbox: 'postvak uit',
  skip: 'Naar de reis',
  nothingSent: 'Niets hiervan is naar iemand verstuurd.',
  emails: 'E-mails',
  appMessages: 'berichten in de app',
  receipts: 'Meldingen',
  receiptsOf: (sent, all) => `${sent} van ${all}`,
  people: 'Mensen',
  journey: 'Reis',
  theLast: (count) => `de laatste ${count}`,
  andMore: (count) => `en nog ${count}`,
  nothingYet: 'Er is nog niets binnen',
  nothingYetHint:
    'E-mails en sms’jes die Wegwijs aan de sandbox geeft, staan hier per persoon. Laad de pagina opnieuw om weer te kijken.',
  nobody: 'Niemand gekozen',
  nobodyHint: 'Kies iemand om de reis te zien.',
  databaseAway: 'De database antwoordt niet: alleen adressen en echte tijden zijn te zien.',
  from: 'Van',
  to: 'Aan',
  toNumber: (number) => `aan ${number}`,
  email: 'E-mail',
  notSent: 'Niet verzonden',
  twin: 'misschien dubbel',
  state: (state) => dutchStates[state] ?? state,
}

export const pageWords: Readonly<Record<LocaleName, PageWords>> = { en: english, nl: dutch }

/** That of the two which a browser asks for first (`Accept-Language`), else English. */
export function languageAsked(header: string | undefined): LocaleName {
  const asked = (header ?? '').split(',').map((part) => {
    const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
    const weight = parameters.find((parameter) => parameter.trim().startsWith('q='))
    return { tag: tag.split('-')[0], weight: Number(weight?.trim().slice(2) ?? 1) }
  })
  const known = asked.filter(({ tag, weight }) => (tag === 'nl' || tag === 'en') && weight > 0)
  const [first] = known.toSorted((a, b) => b.weight - a.weight)
  return first?.tag === 'nl' ? 'nl' : 'en'
}
