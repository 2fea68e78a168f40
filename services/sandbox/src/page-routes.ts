import { readFile } from 'node:fs/promises'
import type { LocaleName } from '@wegwijs/campaign/definition/words'
import type { Logger } from '@wegwijs/runtime/log'
import type { OutboxPage } from '@wegwijs/store/outbox-page'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { SandboxStatus } from './control-routes.ts'
import type { Outbox } from './outbox.ts'
import { type PageContent, renderPage } from './page/page.ts'
import { createStories, type Stories } from './page/story.ts'
import { languageAsked, pageWords } from './page/words.ts'

export type PageOptions = {
  outbox: Outbox
  source?: OutboxPage
  status: () => SandboxStatus
  timeZone: string
  log: Logger
}

/** Mails inherit it: no script, no picture and no font from anywhere, whatever is in them. */
const policy = [
  "default-src 'none'",
  "style-src 'self' 'unsafe-inline'",
  "script-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * `GET /` shows everybody and the last one's journey, `GET /people/{id}` that of one: in Dutch or English,
 * as the browser asks.
 */
export async function routePages(app: FastifyInstance, options: PageOptions): Promise<void> {
  const { outbox, source, timeZone, status, log } = options
  const assets = {
    '/outbox.css': ['text/css', await asset('outbox.css')],
    '/outbox.js': ['text/javascript', await asset('outbox.js')],
  } as const
  const full = createStories(outbox, source, timeZone)
  const addressesOnly = createStories(outbox, undefined, timeZone)

  for (const [path, [type, content]] of Object.entries(assets)) {
    app.get(path, (_request, reply) => reply.type(`${type}; charset=utf-8`).send(content))
  }

  /** What the record cannot tell at the moment, the sandbox's own files can in part. */
  const load = async (
    { headers: { 'accept-language': asked } }: FastifyRequest,
    read: (stories: Stories, language: LocaleName) => Promise<Loaded>,
  ): Promise<PageContent> => {
    const language = languageAsked(asked)
    const base = { status: status(), timeZone, language }
    try {
      return { ...base, ...(await read(full, language)) }
    } catch (error) {
      log.warn('the outbox page cannot read the record', { error })
      const notice = pageWords[language].databaseAway
      return { ...base, ...(await read(addressesOnly, language)), notice }
    }
  }

  app.get('/', async (request, reply) => {
    const content = await load(request, async (stories, language) => {
      const people = await stories.people(language)
      const [first] = people
      const story = first === undefined ? null : await stories.story(first.id, language)
      return { people, story, view: 'list' }
    })
    return reply.headers(headers).send(renderPage(content))
  })

  app.get<{ Params: { id: string } }>('/people/:id', async (request, reply) => {
    const content = await load(request as FastifyRequest, async (stories, language) => {
      const { id } = request.params
      const [people, story] = await Promise.all([
        stories.people(language),
        stories.story(id, language),
      ])
      return { people, story, view: 'story' }
    })
    return reply
      .code(content.story === null ? 404 : 200)
      .headers(headers)
      .send(renderPage(content))
  })
}

type Loaded = Pick<PageContent, 'people' | 'story' | 'view'>

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  vary: 'accept-language',
}

function asset(name: string): Promise<string> {
  return readFile(new URL(`./page/${name}`, import.meta.url), 'utf8')
}
