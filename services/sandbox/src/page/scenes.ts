import { icon } from './icons.ts'
import { type Markup, markup } from './markup.ts'
import type { Scene, Sending } from './story.ts'
import type { Times } from './times.ts'
import type { PageWords } from './words.ts'

type SceneOf<Kind extends Scene['kind']> = Extract<Scene, { kind: Kind }>

/** One moment of the journey as an entry of the time line. */
export function sceneMarkup(scene: Scene, times: Times, words: PageWords): Markup {
  switch (scene.kind) {
    case 'touchpoint':
      return entry('touchpoint', scene.at, times, markup`<h4>${scene.name}</h4>${phase(scene)}`)
    case 'skipped':
      return entry(
        'skipped',
        scene.at,
        times,
        markup`<p><strong>${words.notSent}</strong> ${scene.campaign}: ${scene.reason}</p>`,
      )
    case 'email':
      return entry('email', scene.at, times, email(scene, words))
    case 'sms':
      return entry('sms', scene.at, times, sms(scene, words))
    case 'app':
      return entry('app', scene.at, times, app(scene, words))
  }
}

function entry(kind: Scene['kind'], at: string, times: Times, content: Markup): Markup {
  const mark = kind === 'touchpoint' || kind === 'skipped' ? null : icon(kind)
  return markup`<li class="entry ${kind}"><time datetime="${at}">${times.time(at)}</time><span class="mark">${mark}</span><div class="content">${content}</div></li>`
}

function phase({ phase: name }: SceneOf<'touchpoint'>): Markup | null {
  return name === undefined ? null : markup`<p class="phase">${name}</p>`
}

function email(scene: SceneOf<'email'>, words: PageWords): Markup {
  const { subject, from, to } = scene
  return markup`<article class="letter">
<header><h4>${subject}</h4>${about(words.email, scene, words)}
<dl><div><dt>${words.from}</dt><dd>${from}</dd></div><div><dt>${words.to}</dt><dd>${to}</dd></div></dl></header>
${letterBody(scene, words)}</article>`
}

/**
 * Without allow-scripts nothing in a mail runs; allow-same-origin lets our script measure how high
 * it is, and would do no more than that.
 */
function letterBody({ html, text, subject }: SceneOf<'email'>, words: PageWords): Markup {
  if (html === '') return markup`<pre>${text}</pre>`
  return markup`<iframe sandbox="allow-same-origin" referrerpolicy="no-referrer" title="${words.email}: ${subject}" srcdoc="${html}"></iframe>`
}

function sms(scene: SceneOf<'sms'>, words: PageWords): Markup {
  const { from, to, text } = scene
  return markup`<article class="text"><h4>${from}</h4>${about('SMS', scene, words)}<p class="bubble">${text}</p><p class="to">${words.toNumber(to)}</p></article>`
}

function app(scene: SceneOf<'app'>, words: PageWords): Markup {
  const { title, body, url } = scene
  const link =
    url === undefined ? null : markup`<p class="link">${url.replace(/^https:\/\//, '')}</p>`
  return markup`<article class="notice"><h4>${title}</h4>${about('App', scene, words)}<p class="body">${body}</p>${link}</article>`
}

function about(channel: string, { campaign, state, duplicate }: Sending, words: PageWords): Markup {
  const what = [channel, campaign].filter((word) => word !== undefined).join(' · ')
  const stateOf =
    state === undefined ? null : markup`<span class="state ${state}">${words.state(state)}</span>`
  const twin = duplicate ? markup`<span class="state twin">${words.twin}</span>` : null
  return markup`<p class="about"><span>${what}</span>${stateOf}${twin}</p>`
}
