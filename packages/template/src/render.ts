import { fail } from '@wegwijs/runtime/failure'
import { evaluate, RenderRefusal, refused } from './evaluate.ts'
import { limits } from './limits.ts'
import { badLinks, isAppLink } from './link.ts'
import { smsSize } from './sms-size.ts'
import { readTemplate, type Step } from './syntax.ts'
import type {
  CompiledChannel,
  ContentSources,
  Rendered,
  RenderedApp,
  RenderedEmail,
  RenderedSms,
  Renderer,
  RenderRequest,
} from './template.ts'

/** Some hundred templates in a few languages fit; what was used longest ago goes first. */
const rememberedSources = 1_000

type WritePart = (source: string, escaping?: 'html') => string

/**
 * Renders compiled templates. What was read from a source is remembered under the source text
 * itself, so a renderer lives as long as its process and can never mix up two versions (P5).
 */
export function createRenderer(): Renderer {
  const approved = createApproval()
  return {
    render(template, request) {
      try {
        const { locale, sources } = chooseContent(template.channels[request.channel], request)
        const reader = { locale, timeZone: request.timeZone }
        const part: WritePart = (source, escaping) =>
          evaluate(approved(source), request.data, reader, escaping === 'html')
        return { locale, content: writeContent(request.channel, sources, part) }
      } catch (error) {
        if (error instanceof RenderRefusal) throw failureOf(error, template.id, request)
        throw error
      }
    },
  }
}

/** Sources come from the database: they are approved again, not trusted for having been once. */
function createApproval(): (source: string) => readonly Step[] {
  const remembered = new Map<string, readonly Step[]>()
  return (source) => {
    const known = remembered.get(source)
    remembered.delete(source)
    const steps = known ?? approve(source)
    remembered.set(source, steps)
    const [oldest] = remembered.keys()
    if (remembered.size > rememberedSources && oldest !== undefined) remembered.delete(oldest)
    return steps
  }
}

function approve(source: string): readonly Step[] {
  const { steps, faults } = readTemplate(source, limits.compiledLength)
  if (faults.length > 0) throw refused('source_not_approved')
  return steps
}

function chooseContent(
  channel: CompiledChannel | undefined,
  { locale, defaultLocale }: RenderRequest,
): { locale: string; sources: ContentSources } {
  const [base = locale] = locale.split('-')
  for (const candidate of [locale, base, defaultLocale]) {
    const content = channel?.content ?? {}
    const sources = Object.hasOwn(content, candidate) ? content[candidate] : undefined
    if (sources !== undefined) return { locale: candidate, sources }
  }
  throw new RenderRefusal({ kind: 'absent' })
}

function writeContent(
  channel: RenderRequest['channel'],
  sources: ContentSources,
  part: WritePart,
): Rendered['content'] {
  switch (channel) {
    case 'email':
      return writeEmail(sources, part)
    case 'sms':
      return writeSms(sources, part)
    case 'app':
      return writeApp(sources, part)
  }
}

function writeEmail(sources: ContentSources, part: WritePart): RenderedEmail {
  const html = body(part(sourceOf(sources, 'html'), 'html'))
  if (badLinks(html).length > 0) throw refused('bad_link')
  const subject = headline(part(sourceOf(sources, 'subject')))
  // Blocks that are left out leave their blank lines behind.
  const text = body(part(sourceOf(sources, 'text'))).replace(/\n{3,}/g, '\n\n')
  return { kind: 'email', subject, html, text: `${text.trim()}\n` }
}

function writeSms(sources: ContentSources, part: WritePart): RenderedSms {
  const text = body(part(sourceOf(sources, 'text'))).trim()
  if (text === '') throw refused('empty')
  const size = smsSize(text)
  if (size.segments > limits.smsSegments) throw refused('too_many_segments')
  return { kind: 'sms', text, size }
}

function writeApp(sources: ContentSources, part: WritePart): RenderedApp {
  const title = headline(part(sourceOf(sources, 'title')))
  const content: RenderedApp = { kind: 'app', title, body: body(part(sourceOf(sources, 'body'))) }
  const { url } = sources
  if (url === undefined) return content
  const link = part(url).trim()
  if (!isAppLink(link)) throw refused('bad_link')
  return { ...content, url: link }
}

function sourceOf(sources: ContentSources, name: string): string {
  const source = sources[name]
  if (source === undefined) throw refused('part_missing')
  return source
}

/** Subjects become headers: a line break in a value would start a header of somebody's choosing. */
function headline(text: string): string {
  const line = text.trim()
  if (hasControls(line)) throw refused('control_character')
  if (line === '') throw refused('empty')
  if (line.length > limits.headlineLength) throw refused('too_long')
  return line
}

function body(text: string): string {
  if (text.includes('\0')) throw refused('control_character')
  return text
}

function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)
}

function failureOf(error: RenderRefusal, template: string, request: RenderRequest): Error {
  const { refusal } = error
  switch (refusal.kind) {
    case 'missing':
      return fail('WEGWIJS_TEMPLATE_VARIABLE_MISSING', { template, variable: refusal.path })
    case 'absent':
      return fail('WEGWIJS_TEMPLATE_CONTENT_MISSING', {
        template,
        channel: request.channel,
        locale: request.locale,
      })
    case 'refused':
      return fail('WEGWIJS_TEMPLATE_OUTPUT_REFUSED', {
        template,
        reason: refusal.reason,
        ...(refusal.path === undefined ? {} : { variable: refusal.path }),
      })
  }
}
