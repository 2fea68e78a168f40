import type { LocaleName } from '@wegwijs/campaign/definition/words'

/** Times as the page shows them; `at` is an ISO instant. */
export type Times = { day(at: string): string; time(at: string): string; short(at: string): string }

export function createTimes(timeZone: string, language: LocaleName): Times {
  const writing = { nl: 'nl-NL', en: 'en-GB' }[language]
  const writer = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(writing, { timeZone, ...options })
    return (at: string) => format.format(Date.parse(at))
  }
  return {
    day: writer({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    time: writer({ hour: '2-digit', minute: '2-digit' }),
    short: writer({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }),
  }
}
