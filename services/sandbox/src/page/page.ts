import type { LocaleName } from '@wegwijs/campaign/definition/words'
import type { SandboxStatus } from '../control-routes.ts'
import { icon } from './icons.ts'
import { type Markup, markup } from './markup.ts'
import { sceneMarkup } from './scenes.ts'
import { type Scene, type Somebody, type Story, shownPeople } from './story.ts'
import { createTimes, type Times } from './times.ts'
import { type PageWords, pageWords } from './words.ts'

export type PageContent = {
  status: SandboxStatus
  people: readonly Somebody[]
  story: Story | null
  /** `list`: a narrow screen shows the people, `story`: the one person. A wide one shows both. */
  view: 'list' | 'story'
  timeZone: string
  language: LocaleName
  /** Something that the reader should know first. */
  notice?: string
}

/** The outbox page: everybody who was written to, and what one of them got along the journey. */
export function renderPage(content: PageContent): string {
  const { status, people, story, view, timeZone, language, notice } = content
  const words = pageWords[language]
  const outbox = capital(words.outbox)
  const title = view === 'story' && story !== null ? `${story.somebody.name} · ${outbox}` : outbox
  const list = peopleList(people, story, { words, times: createTimes(timeZone, language) })
  const shown =
    story === null
      ? emptyStory(people, words)
      : storyMarkup(story, { words, times: createTimes(story.timeZone, language) })
  const page = markup`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Wegwijs</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/outbox.css">
<script src="/outbox.js" defer></script>
</head>
<body class="view-${view}">
<a class="skip" href="#story">${words.skip}</a>
${banner(status, words)}
${notice === undefined ? null : markup`<p class="warning" role="status">${notice}</p>`}
<main class="columns">
<h1 class="unseen">${title}</h1>
<nav class="people" aria-label="${words.people}">${list}</nav>
<section id="story" class="story" tabindex="-1" aria-label="${words.journey}">${shown}</section>
</main>
</body>
</html>`
  return page.html
}

type Writing = { words: PageWords; times: Times }

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function banner(
  { accepted, receiptsPending, receiptsSent }: SandboxStatus,
  words: PageWords,
): Markup {
  const receipts =
    receiptsPending > 0
      ? words.receiptsOf(receiptsSent, receiptsSent + receiptsPending)
      : receiptsSent
  return markup`<header class="banner">
<a class="brand" href="/">${icon('sign')}<span>Wegwijs <em>${words.outbox}</em></span></a>
<p class="hint">${words.nothingSent}</p>
<dl>
<div class="email"><dt>${icon('email')}${words.emails}</dt><dd>${accepted.email}</dd></div>
<div class="sms"><dt>${icon('sms')}SMS</dt><dd>${accepted.sms}</dd></div>
<div><dt>${words.receipts}</dt><dd>${receipts}</dd></div>
</dl>
</header>`
}

function peopleList(people: readonly Somebody[], story: Story | null, writing: Writing): Markup {
  const { words } = writing
  const most =
    people.length >= shownPeople ? markup`<p class="most">${words.theLast(shownPeople)}</p>` : null
  const rows = people.map((somebody) =>
    personRow(somebody, somebody.id === story?.somebody.id, writing),
  )
  return markup`<div class="heading"><h2>${words.people}</h2>${most}</div><ul>${rows}</ul>`
}

function personRow(somebody: Somebody, isShown: boolean, { words, times }: Writing): Markup {
  const { id, name, persona, lastAt } = somebody
  const current = isShown ? markup` aria-current="page"` : null
  return markup`<li><a href="/people/${encodeURIComponent(id)}"${current}>
<span class="portrait" aria-hidden="true">${portrait(name)}</span>
<span class="who"><span class="name">${name}</span><span class="persona">${persona ?? times.short(lastAt)}</span>
<span class="counts">${countMarks(somebody, words)}</span></span></a></li>`
}

function countMarks({ counts }: Somebody, words: PageWords): (Markup | null)[] {
  const names = { email: words.emails.toLowerCase(), sms: 'SMS', app: words.appMessages }
  return (['email', 'sms', 'app'] as const).map((channel) =>
    counts[channel] === 0
      ? null
      : markup`<span class="count ${channel}">${icon(channel)}${counts[channel]}<span class="unseen"> ${names[channel]}</span></span>`,
  )
}

function storyMarkup({ somebody, scenes, left }: Story, writing: Writing): Markup {
  const { words, times } = writing
  const { name, persona } = somebody
  const rest = left > 0 ? markup`<p class="most">${words.andMore(left)}</p>` : null
  return markup`<header class="person"><a class="back" href="/">${icon('back')}${words.people}</a>
<h2>${name}</h2>
<p class="facts">${persona === undefined ? null : markup`<span class="persona">${persona}</span>`}${countMarks(somebody, words)}</p></header>
${byDay(scenes, times).map(([day, ofDay]) => dayMarkup(day, ofDay, writing))}${rest}`
}

function dayMarkup(day: string, scenes: readonly Scene[], { words, times }: Writing): Markup {
  const entries = scenes.map((scene) => sceneMarkup(scene, times, words))
  return markup`<section class="day"><h3>${day}</h3><ol>${entries}</ol></section>`
}

function byDay(scenes: readonly Scene[], times: Times): [string, Scene[]][] {
  const days = new Map<string, Scene[]>()
  for (const scene of scenes) {
    const day = times.day(scene.at)
    days.set(day, [...(days.get(day) ?? []), scene])
  }
  return [...days]
}

function emptyStory(people: readonly Somebody[], words: PageWords): Markup {
  return people.length === 0
    ? markup`<div class="empty">${icon('sign')}<h2>${words.nothingYet}</h2><p>${words.nothingYetHint}</p></div>`
    : markup`<div class="empty"><h2>${words.nobody}</h2><p>${words.nobodyHint}</p></div>`
}

/** Initials; of a person without a name what it is that we have of them. */
function portrait(name: string): string | Markup {
  if (name.startsWith('+')) return icon('sms')
  if (name.includes('@')) return icon('email')
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => word?.charAt(0).toUpperCase() ?? '')
    .join('')
}
