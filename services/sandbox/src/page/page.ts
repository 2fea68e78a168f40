import type { SandboxStatus } from '../control-routes.ts'
import { icon } from './icons.ts'
import { type Markup, markup } from './markup.ts'
import { sceneMarkup } from './scenes.ts'
import { type Scene, type Somebody, type Story, shownPeople } from './story.ts'
import { createTimes, type Times } from './times.ts'

export type PageContent = {
  status: SandboxStatus
  people: readonly Somebody[]
  story: Story | null
  /** `list`: a narrow screen shows the people, `story`: the one person. A wide one shows both. */
  view: 'list' | 'story'
  timeZone: string
  /** Something that the reader should know first. */
  notice?: string
}

/** The outbox page: everybody who was written to, and what one of them got along the journey. */
export function renderPage(content: PageContent): string {
  const { status, people, story, view, timeZone, notice } = content
  const title = view === 'story' && story !== null ? `${story.somebody.name} · Outbox` : 'Outbox'
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Wegwijs</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/outbox.css">
<script src="/outbox.js" defer></script>
</head>
<body class="view-${view}">
<a class="skip" href="#story">Skip to the journey</a>
${banner(status)}
${notice === undefined ? null : markup`<p class="warning" role="status">${notice}</p>`}
<main class="columns">
<h1 class="unseen">${title}</h1>
<nav class="people" aria-label="People">${peopleList(people, story, createTimes(timeZone))}</nav>
<section id="story" class="story" tabindex="-1" aria-label="Journey">${story === null ? emptyStory(people) : storyMarkup(story)}</section>
</main>
</body>
</html>`
  return page.html
}

function banner({ accepted, receiptsPending, receiptsSent }: SandboxStatus): Markup {
  return markup`<header class="banner">
<a class="brand" href="/">${icon('sign')}<span>Wegwijs <em>outbox</em></span></a>
<p class="hint">Nothing here was sent to anybody.</p>
<dl>
<div class="email"><dt>${icon('email')}E-mails</dt><dd>${accepted.email}</dd></div>
<div class="sms"><dt>${icon('sms')}SMS</dt><dd>${accepted.sms}</dd></div>
<div><dt>Receipts</dt><dd>${receiptsSent}${receiptsPending > 0 ? ` of ${receiptsSent + receiptsPending}` : ''}</dd></div>
</dl>
</header>`
}

function peopleList(people: readonly Somebody[], story: Story | null, times: Times): Markup {
  const most =
    people.length >= shownPeople ? markup`<p class="most">the last ${shownPeople}</p>` : null
  const rows = people.map((somebody) =>
    personRow(somebody, somebody.id === story?.somebody.id, times),
  )
  return markup`<div class="heading"><h2>People</h2>${most}</div><ul>${rows}</ul>`
}

function personRow(somebody: Somebody, isShown: boolean, times: Times): Markup {
  const { id, name, persona, lastAt } = somebody
  const current = isShown ? markup` aria-current="page"` : null
  return markup`<li><a href="/people/${encodeURIComponent(id)}"${current}>
<span class="portrait" aria-hidden="true">${portrait(name)}</span>
<span class="who"><span class="name">${name}</span><span class="persona">${persona ?? times.short(lastAt)}</span>
<span class="counts">${countMarks(somebody)}</span></span></a></li>`
}

function countMarks({ counts }: Somebody): (Markup | null)[] {
  const words = { email: 'e-mails', sms: 'SMS', app: 'app messages' }
  return (['email', 'sms', 'app'] as const).map((channel) =>
    counts[channel] === 0
      ? null
      : markup`<span class="count ${channel}">${icon(channel)}${counts[channel]}<span class="unseen"> ${words[channel]}</span></span>`,
  )
}

function storyMarkup({ somebody, timeZone, scenes, left }: Story): Markup {
  const times = createTimes(timeZone)
  const { name, persona } = somebody
  const rest = left > 0 ? markup`<p class="most">and ${left} more</p>` : null
  return markup`<header class="person"><a class="back" href="/">${icon('back')}People</a>
<h2>${name}</h2>
<p class="facts">${persona === undefined ? null : markup`<span class="persona">${persona}</span>`}${countMarks(somebody)}</p></header>
${byDay(scenes, times).map(([day, ofDay]) => dayMarkup(day, ofDay, times))}${rest}`
}

function dayMarkup(day: string, scenes: readonly Scene[], times: Times): Markup {
  const entries = scenes.map((scene) => sceneMarkup(scene, times))
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

function emptyStory(people: readonly Somebody[]): Markup {
  return people.length === 0
    ? markup`<div class="empty">${icon('sign')}<h2>Nothing has arrived yet</h2><p>E-mails and SMS that Wegwijs hands to the sandbox appear here, person by person. Reload to look again.</p></div>`
    : markup`<div class="empty"><h2>Nobody chosen</h2><p>Choose somebody to see the journey.</p></div>`
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
