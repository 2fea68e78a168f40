import { isFailure } from '@wegwijs/runtime/failure'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../src/limits.ts'
import { createRenderer } from '../src/render.ts'
import type { ChannelName, Rendered } from '../src/template.ts'

const renderer = createRenderer()

type Draft = {
  channel?: ChannelName
  content: Record<string, Record<string, string>>
  locale?: string
}

function render({ channel = 'sms', content, locale = 'nl' }: Draft, data: unknown): Rendered {
  const template = {
    id: 'probe',
    channels: { [channel]: { sensitivity: 'neutral' as const, variables: [], content } },
  }
  return renderer.render(template, {
    channel,
    locale,
    defaultLocale: 'nl',
    timeZone: 'Europe/Amsterdam',
    data: data as Record<string, unknown>,
  })
}

function sms(text: string, data: unknown = {}, locale = 'nl'): string {
  const { content } = render({ content: { nl: { text }, en: { text } }, locale }, data)
  return content.kind === 'sms' ? content.text : ''
}

function email(parts: Partial<Record<'subject' | 'html' | 'text', string>>, data: unknown) {
  const content = { nl: { subject: 'S', html: '<p>H</p>', text: 'T', ...parts } }
  const rendered = render({ channel: 'email', content }, data).content
  if (rendered.kind !== 'email') throw new Error('no e-mail')
  return rendered
}

function refusal(run: () => unknown): { code: string; detail: unknown } {
  try {
    run()
  } catch (error) {
    if (isFailure(error)) return { code: error.code, detail: error.detail }
    throw error
  }
  throw new Error('it was not refused')
}

describe('variables', () => {
  test('without a value stop the message, by name', () => {
    const run = () => sms('Dag {{person.givenName}}', { person: {} })
    expect(refusal(run)).toEqual({
      code: 'WEGWIJS_TEMPLATE_VARIABLE_MISSING',
      detail: { template: 'probe', variable: 'person.givenName' },
    })
  })

  test.each([
    [{}],
    [{ person: null }],
    [{ person: 'Anna' }],
    [{ person: { givenName: null } }],
    [null],
  ])('without a value in %j are missing, not an error', (data) => {
    expect(refusal(() => sms('{{person.givenName}}', data)).code).toBe(
      'WEGWIJS_TEMPLATE_VARIABLE_MISSING',
    )
    expect(sms('x{{#if person.givenName}}y{{/if}}', data)).toBe('x')
  })

  test.each([
    ['{{x}}', 0, '0'],
    ['{{x}}', false, 'false'],
    ['a{{x}}', '', 'a'],
    ['{{#with x}}{{this}}{{else}}leeg{{/with}}', 0, '0'],
    ['{{#each x}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}', ['a', 'b'], 'a, b'],
    ['{{#each x}}{{#if @first}}1{{/if}}{{@index}}{{/each}}', ['a', 'b'], '101'],
    ['{{#each x}}a{{else}}geen{{/each}}', [], 'geen'],
    ['{{#each x}}a{{else}}geen{{/each}}', undefined, 'geen'],
  ])('%s of %j', (text, x, expected) => {
    expect(sms(text, { x })).toBe(expected)
  })

  test.each([
    ['a list as text', '{{x}}', ['a']],
    ['an object as text', '{{x}}', { a: 1 }],
    ['an object as a list', '{{#each x}}a{{/each}}', { a: 1 }],
    ['a text as a list', '{{#each x}}a{{/each}}', 'abc'],
  ])('%s is refused', (_name, text, x) => {
    expect(refusal(() => sms(text, { x })).code).toBe('WEGWIJS_TEMPLATE_OUTPUT_REFUSED')
  })

  test('no prototype can be reached', () => {
    class Person {
      get secret() {
        return 'secret'
      }
    }
    const data = { person: new Person(), inherited: Object.create({ name: 'secret' }) }
    expect(refusal(() => sms('{{person.secret}}', data)).code).toContain('MISSING')
    expect(refusal(() => sms('{{inherited.name}}', data)).code).toContain('MISSING')
    expect(refusal(() => sms('{{person.toString}}', data)).code).toContain('MISSING')
    expect(refusal(() => sms('{{hasOwnProperty}}', data)).code).toContain('MISSING')
    const polluted: unknown = JSON.parse('{"__proto__": {"name": "secret"}}')
    expect(refusal(() => sms('{{name}}', polluted)).code).toContain('MISSING')
  })

  test('a source that was not approved is not carried out', () => {
    for (const text of ['{{{x}}}', '{{constructor}}', '{{> p}}', '{{#if']) {
      expect(refusal(() => sms(text, { x: '<b>' })).detail).toMatchObject({
        reason: 'source_not_approved',
      })
    }
  })
})

describe('what a value can do', () => {
  const nasty = `<script>alert("x")</script>&'\`=`

  test('in HTML it is text, in text it is itself', () => {
    const { html, text } = email(
      { html: '<p title="{{x}}">{{x}}</p>', text: '{{x}}' },
      { x: nasty },
    )
    expect(html).not.toContain('<script')
    expect(html).toContain('&lt;script&gt;')
    expect(text).toBe(`${nasty}\n`)
    expect(sms('{{x}}', { x: nasty })).toBe(nasty)
  })

  test('it never breaks out of text or of a quoted attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (x) => {
        fc.pre(!x.includes('\0'))
        const { html } = email({ html: '<p title="{{x}}">{{x}}</p>' }, { x })
        expect(html.match(/[<>"]/g)?.join('')).toBe('<"">' + '<>')
      }),
    )
  })

  test.each(['\r', '\n', '\r\nBcc: x@example.org', '\0', '\u2028', '\u0085', '\t'])(
    'a subject refuses %j, without telling the value',
    (x) => {
      const { code, detail } = refusal(() => email({ subject: 'Dag a{{x}}b' }, { x }))
      expect(code).toBe('WEGWIJS_TEMPLATE_OUTPUT_REFUSED')
      expect(detail).toEqual({ template: 'probe', reason: 'control_character' })
    },
  )

  test('a subject that is empty or endless is refused', () => {
    expect(refusal(() => email({ subject: '{{x}}' }, { x: ' ' })).detail).toMatchObject({
      reason: 'empty',
    })
    expect(refusal(() => email({ subject: '{{x}}' }, { x: 'a'.repeat(251) })).detail).toMatchObject(
      {
        reason: 'too_long',
      },
    )
  })

  test.each([
    'javascript:alert(1)',
    ' JavaScript:x',
    'data:text/html,x',
    '//evil.example',
    'http://x.example',
  ])('a link cannot become %j', (url) => {
    const html = '<a href="{{url}}">x</a>'
    expect(refusal(() => email({ html }, { url })).detail).toMatchObject({ reason: 'bad_link' })
  })

  test('a link to the web is kept', () => {
    const { html } = email({ html: '<a href="{{url}}">x</a>' }, { url: 'https://example.org/a' })
    expect(html).toBe('<a href="https://example.org/a">x</a>')
  })

  test.each([
    ['https://example.org/a', true],
    ['/appointments', true],
    ['//evil.example', false],
    ['/\\evil.example', false],
    ['javascript:alert(1)', false],
    ['http://example.org', false],
    ['https://example.org/a b', false],
    ['', false],
  ])('an app link may be %j: %s', (link, allowed) => {
    const content = { nl: { title: 'T', body: 'B', url: '{{link}}' } }
    const run = () => render({ channel: 'app', content }, { link })
    if (allowed) expect(run().content).toMatchObject({ url: link })
    else expect(refusal(run).detail).toMatchObject({ reason: 'bad_link' })
  })

  test('lists within lists end at the limit of steps', () => {
    const x = Array.from({ length: 1_000 }, () => 'a')
    const run = () =>
      sms('{{#each x}}{{#each ../x}}{{/each}}.{{/each}}', { x: x.map(() => x), y: x })
    expect(refusal(run).code).toBe('WEGWIJS_TEMPLATE_OUTPUT_REFUSED')
    const nested = '{{#each x}}{{#each this}}b{{/each}}{{/each}}'
    expect(refusal(() => sms(nested, { x: x.map(() => x) })).detail).toMatchObject({
      reason: 'too_many_steps',
    })
  })

  test('output ends at its limit', () => {
    const x = 'a'.repeat(limits.outputLength / 2)
    expect(refusal(() => email({ text: '{{x}}{{x}}{{x}}' }, { x })).detail).toMatchObject({
      reason: 'too_long',
    })
  })

  test('an SMS of more parts than providers take is refused', () => {
    expect(refusal(() => sms('{{x}}', { x: 'a'.repeat(2_000) })).detail).toMatchObject({
      reason: 'too_many_segments',
    })
  })
})

describe('dates and times', () => {
  const start = '2026-03-29T01:30:00Z'

  test.each([
    ['date', 'nl', start, '29 maart 2026'],
    ['time', 'nl', start, '03:30'],
    ['weekday', 'nl', start, 'zondag'],
    ['dateTime', 'nl', start, 'zondag 29 maart 2026 om 03:30'],
    ['date', 'en', start, '29 March 2026'],
    ['time', 'en', '2026-07-01T22:05:00Z', '00:05'],
    ['date', 'en', '2026-07-01T22:05:00Z', '2 July 2026'],
    ['weekday', 'en', start, 'Sunday'],
    ['dateTime', 'en', start, 'Sunday, 29 March 2026 at 03:30'],
    ['date', 'nl', '2026-12-31T23:30:00.000+00:00', '1 januari 2027'],
    ['date', 'nl', '2026-12-31', '31 december 2026'],
    ['weekday', 'nl', '2026-12-31', 'donderdag'],
  ])('{{%s}} in %s of %s', (format, locale, value, expected) => {
    expect(sms(`{{${format} at}}`, { at: value }, locale)).toBe(expected)
  })

  test.each([
    ['time', '2026-12-31'],
    ['dateTime', '2026-12-31'],
    ['date', '2026-12-31T10:00:00'],
    ['date', 'morgen'],
    ['date', ''],
    ['date', 1_767_222_000_000],
    ['date', '2026-02-30'],
  ])('{{%s}} refuses %j instead of guessing', (format, at) => {
    const { code, detail } = refusal(() => sms(`{{${format} at}}`, { at }))
    expect(code).toBe('WEGWIJS_TEMPLATE_OUTPUT_REFUSED')
    expect(detail).toEqual({ template: 'probe', reason: 'no_moment', variable: 'at' })
  })
})

describe('the language', () => {
  const content = { nl: { text: 'Dag' }, en: { text: 'Hello' } }

  test.each([
    ['nl', 'nl', 'Dag'],
    ['en', 'en', 'Hello'],
    ['en-US', 'en', 'Hello'],
    ['fr', 'nl', 'Dag'],
    ['constructor', 'nl', 'Dag'],
  ])('%s reads %s', (locale, used, text) => {
    expect(render({ content, locale }, {})).toMatchObject({ locale: used, content: { text } })
  })

  test('a channel that the template has not in any language', () => {
    expect(refusal(() => render({ content: { en: { text: 'x' } }, locale: 'fr' }, {}))).toEqual({
      code: 'WEGWIJS_TEMPLATE_CONTENT_MISSING',
      detail: { template: 'probe', channel: 'sms', locale: 'fr' },
    })
  })
})

test('the size of an SMS is that of what the person gets', () => {
  const text = 'Beste {{name}}, tot morgen.'
  const size = (name: string) => render({ content: { nl: { text } } }, { name }).content
  expect(size('Anna')).toMatchObject({ size: { segments: 1, encoding: 'GSM-7' } })
  expect(size(`Zoë ${'a'.repeat(60)}`)).toMatchObject({ size: { segments: 2, encoding: 'UCS-2' } })
})
