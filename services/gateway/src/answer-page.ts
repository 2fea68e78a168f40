import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { type LocaleName, localeNames } from '@wegwijs/campaign/definition/words'
import type { AskedQuestion } from '@wegwijs/store/questions'

/** What the page says beside the question; of the organisation whatever is known. */
export type PageFacts = {
  locale: LocaleName
  organisation: Partial<CompiledDefinition['organisation']>
}

const texts = {
  nl: {
    thanks: 'Dank u wel. Uw antwoord is:',
    received: 'Dank u wel. Wij hebben ontvangen:',
    before: 'U had deze vraag al beantwoord. Dit antwoord telt:',
    over: 'Deze vraag kan niet meer worden beantwoord.',
    older: 'Er is intussen iets veranderd. Deze vraag geldt niet meer; het nieuwste bericht geldt.',
    unknown: 'Deze link is niet (meer) geldig.',
    choose: 'Kies een van de antwoorden.',
    call: 'Klopt er iets niet? Bel',
  },
  en: {
    thanks: 'Thank you. Your answer is:',
    received: 'Thank you. We have received:',
    before: 'You had answered this question before. This answer counts:',
    over: 'This question cannot be answered any more.',
    older: 'Something has changed since. This question no longer holds; the newest message does.',
    unknown: 'This link is not valid, or no longer.',
    choose: 'Choose one of the answers.',
    call: 'Is anything wrong? Call',
  },
} as const

/** The person's own language, else the organisation's. */
export function pageLocale(own: string | null, otherwise: string | undefined): LocaleName {
  const wanted = [own, otherwise].map((locale) => locale?.split('-')[0])
  return (
    localeNames.find((locale) => wanted[0] === locale) ??
    localeNames.find((locale) => wanted[1] === locale) ??
    'nl'
  )
}

/** The question with a button for each answer, first the one that the link was for. */
export function questionPage(
  asked: AskedQuestion,
  wanted: string | null,
  facts: PageFacts,
): string {
  const { locale } = facts
  const { text, answers } = asked.question
  const first = answers.find(({ answer }) => answer === wanted)
  const others = answers.filter((each) => each !== first)
  const buttons = [...(first ? [first] : []), ...others].map(
    ({ answer, says }) =>
      `<button name="answer" value="${escaped(answer)}"${answer === wanted ? ' class="wanted"' : ''}>${escaped(says[locale])}</button>`,
  )
  return page(
    facts,
    `<h1>${escaped(text[locale])}</h1>
<form method="post">${buttons.join('\n')}</form>`,
  )
}

/** What counted of what was asked; `given` is what was pressed just now. */
export function answeredPage(asked: AskedQuestion, given: string | null, facts: PageFacts): string {
  const { locale } = facts
  const own = texts[locale]
  const answer = asked.answer ?? given
  const label = asked.question.answers.find((each) => each.answer === answer)?.says[locale] ?? ''
  const isOther = given !== null && asked.answer !== null && asked.answer !== given
  const words = asked.answer === null ? own.received : isOther ? own.before : own.thanks
  return page(
    facts,
    `<h1>${escaped(asked.question.text[locale])}</h1>
<p>${words}</p><p class="answer">${escaped(label)}</p>${call(facts)}`,
  )
}

/** The campaign does not wait for this answer any more. */
export function overPage(asked: AskedQuestion, facts: PageFacts): string {
  const own = texts[facts.locale]
  const words = asked.standing === 'older' ? own.older : own.over
  return page(
    facts,
    `<h1>${escaped(asked.question.text[facts.locale])}</h1><p>${words}</p>${call(facts)}`,
  )
}

export function unknownPage(facts: PageFacts): string {
  return page(facts, `<p>${texts[facts.locale].unknown}</p>${call(facts)}`)
}

function call({ locale, organisation: { phone } }: PageFacts): string {
  return phone === undefined ? '' : `<p>${texts[locale].call} ${escaped(phone)}.</p>`
}

function page({ locale, organisation }: PageFacts, body: string): string {
  const name = escaped(organisation.name ?? '')
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<style>
body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 0 auto; padding: 1.5rem; color: #1b1b1b; background: #fff; }
h1 { font-size: 1.5rem; line-height: 1.3; }
button { display: block; width: 100%; min-height: 3rem; margin: 0 0 .75rem; padding: .75rem; font: inherit; color: #123f6d; background: #fff; border: 2px solid #123f6d; border-radius: .5rem; cursor: pointer; }
button.wanted { color: #fff; background: #123f6d; }
button:focus-visible { outline: 3px solid #d97706; outline-offset: 2px; }
.answer { font-weight: 700; }
</style>
</head>
<body>
<main>
<p>${name}</p>
${body}
</main>
</body>
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
