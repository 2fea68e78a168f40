import { describe, expect, test } from 'vitest'
import { compileTemplate } from '../src/compile.ts'
import { limits } from '../src/limits.ts'
import { compileMjml } from '../src/mjml.ts'
import { createRenderer } from '../src/render.ts'
import type { CompiledTemplate, TemplateFault, TemplateSources } from '../src/template.ts'
import { changed, email, patient, welcomeHome } from './welcome-home.ts'

async function compiled(sources: TemplateSources): Promise<CompiledTemplate> {
  const result = await compileTemplate(sources)
  expect(result.faults).toEqual([])
  if (result.compiled === undefined) throw new Error('nothing was compiled')
  return result.compiled
}

/** `file:line:column message` of each fault. */
async function faultsOf(changes: Readonly<Record<string, unknown>>): Promise<string[]> {
  const { faults, compiled: result } = await compileTemplate(changed(changes))
  expect(result === undefined).toBe(faults.length > 0)
  return faults.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
}

const request = {
  locale: 'nl',
  defaultLocale: 'nl',
  timeZone: 'Europe/Amsterdam',
  data: patient,
} as const

describe('a whole template', () => {
  test('is stored as JSON and renders the same after it', async () => {
    const template = await compiled(welcomeHome)
    const stored: CompiledTemplate = JSON.parse(JSON.stringify(template))
    expect(stored).toEqual(template)
    const { content } = createRenderer().render(stored, { ...request, channel: 'email' })
    if (content.kind !== 'email') throw new Error('no e-mail')
    expect(content.subject).toBe('Welkom thuis, Anna')
    expect(content.html).toContain('Beste Anna,')
    expect(content.html).toContain('zondag 29 maart 2026 om 12:30')
    expect(content.html).toContain('href="https://mijn.example.org/afspraak/A-17"')
    expect(content.html).not.toContain('{{')
    expect(content.text).toBe(
      [
        'Ziekenhuis Example',
        '',
        'Welkom thuis',
        '',
        'Beste Anna,',
        '',
        'Uw afspraak is op zondag 29 maart 2026 om 12:30.',
        '',
        ' * 0 paspoort & meer',
        ' * 1 medicijnlijst & meer',
        '',
        'Bekijk (https://mijn.example.org/afspraak/A-17)',
        '',
        'Bel 088 123 45 67',
        '',
      ].join('\n'),
    )
  })

  test('leaves out what its blocks leave out, in HTML and text', async () => {
    const template = await compiled(welcomeHome)
    const data = { appointment: { start: patient.appointment.start } }
    const { content } = createRenderer().render(template, { ...request, data, channel: 'email' })
    if (content.kind !== 'email') throw new Error('no e-mail')
    for (const part of [content.html, content.text]) {
      expect(part).toContain('Beste lezer')
      expect(part).not.toContain('Bekijk')
      expect(part).not.toContain('Bel ')
    }
  })

  test('uses its own text part where there is one', async () => {
    const template = await compiled(welcomeHome)
    const rendered = createRenderer().render(template, {
      ...request,
      locale: 'en',
      channel: 'email',
    })
    expect(rendered).toMatchObject({
      locale: 'en',
      content: { text: 'See you on 29 March 2026, at 12:30.\n' },
    })
  })

  test('renders its SMS and its app message', async () => {
    const template = await compiled(welcomeHome)
    const renderer = createRenderer()
    expect(renderer.render(template, { ...request, channel: 'sms' }).content).toEqual({
      kind: 'sms',
      text: 'Uw afspraak: zondag 29 maart 2026 om 12:30. Example',
      size: { segments: 1, encoding: 'GSM-7' },
    })
    expect(renderer.render(template, { ...request, locale: 'en', channel: 'app' })).toEqual({
      locale: 'nl',
      content: {
        kind: 'app',
        title: 'Weer thuis',
        body: 'Op zondag zien we u graag.',
        url: 'https://mijn.example.org/afspraak/A-17',
      },
    })
  })

  test('knows the variables of each channel', async () => {
    const { channels } = await compiled(welcomeHome)
    expect(channels.email?.variables).toEqual([
      { path: 'appointment.bring', optional: true },
      { path: 'appointment.bring[].name', optional: false },
      { path: 'appointment.number', optional: true },
      { path: 'appointment.start', optional: false },
      { path: 'hospital', optional: true },
      { path: 'hospital.phone', optional: false },
      { path: 'person.givenName', optional: true },
    ])
    expect(channels.sms?.variables.map(({ path }) => path)).toEqual([
      'appointment.start',
      'hospital.name',
    ])
  })

  test('says where each variable is used', async () => {
    const positionOf = (_file: string, path: readonly (string | number)[]) =>
      path.join('.') === 'subject.nl' ? { line: 7, column: 9 } : { line: 3, column: 8 }
    const { uses } = await compileTemplate({ ...welcomeHome, positionOf })
    const at = (file: string, path: string) =>
      uses
        .filter((use) => use.file === file && use.path === path)
        .map(({ line, column }) => `${line}:${column}`)
    expect(at('email.nl.mjml', 'hospital.phone')).toEqual(['27:58'])
    expect(at('template.yaml', 'person.givenName')).toEqual(['7:27', '7:47'])
    expect(at('app.nl.yaml', 'appointment.start')).toEqual(['3:21'])
  })

  test('has a hash that names its texts', async () => {
    const { hash } = await compiled(welcomeHome)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect((await compiled(welcomeHome)).hash).toBe(hash)
    const other = changed({ 'sms.en.hbs': 'Another text' })
    expect((await compiled(other)).hash).not.toBe(hash)
  })

  test('has HTML that asks nothing of other servers than the author wrote, and names its language', async () => {
    const { channels } = await compiled(welcomeHome)
    const html = channels.email?.content.nl?.html ?? ''
    const remote = [...html.matchAll(/(?:src|href)="([^"]*)"|url\(([^)]*)\)|@import/g)].map(
      ([, link]) => link,
    )
    expect(remote).toEqual([
      'https://example.org/logo.png',
      'https://mijn.example.org/afspraak/{{appointment.number}}',
      'tel:+31881234567',
    ])
    expect(html).toContain('lang="nl"')
  })
})

describe('a folder that does not fit together', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['no template.yaml', { 'template.yaml': undefined }, 'template.yaml:1:1 '],
    ['an unknown file', { 'email.de.mjml': 'x' }, 'email.de.mjml:1:1 no file of a template'],
    [
      'a text part alone',
      { 'email.en.mjml': undefined },
      'email.en.txt:1:1 there is no email.en.mjml',
    ],
    ['no default language', { 'sms.nl.hbs': undefined }, 'template.yaml:1:1 sms has no "nl"'],
    [
      'a channel without sensitivity',
      manifest({ sensitivity: { email: 'personal', sms: 'neutral' } }),
      'sensitivity: say how telling the app message is',
    ],
    [
      'a sensitivity without its channel',
      { 'app.nl.yaml': undefined },
      'sensitivity.app: there is no app message',
    ],
    ['another name', manifest({ name: 'welcome' }), 'name: this folder is called "welcome-home"'],
    [
      'an e-mail without subject',
      manifest({ subject: { nl: 'x' } }),
      'subject: email.en.mjml has none',
    ],
    [
      'a subject without e-mail',
      { 'email.en.mjml': undefined, 'email.en.txt': undefined },
      'subject.en: there is no email.en.mjml',
    ],
    [
      'an unknown sensitivity',
      manifest({ sensitivity: { email: 'secret', sms: 'neutral', app: 'neutral' } }),
      'template.yaml:1:1 sensitivity.email: ',
    ],
    ['an unknown key', manifest({ tracking: true }), 'template.yaml:1:1 '],
    ['an app message without body', { 'app.nl.yaml': { title: 'x' } }, 'app.nl.yaml:1:1 body: '],
    [
      'an app link into nowhere',
      { 'app.nl.yaml': { title: 'x', body: 'y', url: 'javascript:x' } },
      'app.nl.yaml:1:1 url: "javascript:x" leads nowhere',
    ],
    ['an empty SMS', { 'sms.nl.hbs': ' \n' }, 'sms.nl.hbs:1:1 this SMS is empty'],
    [
      'a fault in a subject',
      manifest({ subject: { nl: 'Dag {{{x}}}', en: 'x' } }),
      'template.yaml:1:5 unescaped output',
    ],
    ['a fault in a text part', { 'email.en.txt': 'a\n {{> b}}' }, 'email.en.txt:2:2 partials'],
  ])('%s', async (_name, changes, expected) => {
    expect((await faultsOf(changes)).join('\n')).toContain(expected)
  })

  test('every fault of every file is told at once', async () => {
    const faults = await faultsOf({
      'sms.nl.hbs': '{{{a}}} {{b',
      'email.nl.mjml': email('{{#if a}}'),
      'app.nl.yaml': { title: '{{lookup a b}}' },
    })
    expect(new Set(faults.map((fault) => fault.split(':')[0]))).toEqual(
      new Set(['app.nl.yaml', 'email.nl.mjml', 'sms.nl.hbs']),
    )
  })
})

function manifest(changes: Record<string, unknown>): Record<string, unknown> {
  const value = welcomeHome.values['template.yaml']
  return { 'template.yaml': { ...(value as Record<string, unknown>), ...changes } }
}

describe('an e-mail', () => {
  test.each<[string, string, string]>([
    ['an unknown element', email('x').replaceAll('mj-text', 'mj-txt'), '<mj-txt>: '],
    [
      'an element in the wrong place',
      '<mjml><mj-head><mj-title>T</mj-title></mj-head><mj-body><mj-text>x</mj-text></mj-body></mjml>',
      '1:57 <mj-text>: ',
    ],
    [
      'an unknown attribute',
      email('x').replace('<mj-column>', '<mj-column colour="red">'),
      'Attribute colour is illegal',
    ],
    [
      'an element that is never closed',
      email('x').replace('</mj-column>', ''),
      '<mj-column> is open here',
    ],
    ['text that is no MJML', 'Beste lezer', 'email.nl.mjml:1:1 '],
    [
      'an included file',
      email('x').replace('<mj-body>', '<mj-body>\n<mj-include path="./secret" />'),
      '2:1 other files cannot be included',
    ],
    ['a script', email('a\n <script>alert(1)</script>'), '3:2 <script> is not available'],
    [
      'a handler',
      email('<a href="https://x.example" onclick="x()">a</a>'),
      '"onclick" is not available',
    ],
    ['a form', email('<form action="https://x.example"></form>'), '<form> is not available'],
    [
      'a placeholder in a style',
      email('x').replace('<mj-title>', '<mj-style>.a { color: {{x}} }</mj-style><mj-title>'),
      'cannot stand in a style',
    ],
    [
      'a placeholder in a style attribute',
      email('<p style="color: {{x}}">a</p>'),
      'cannot stand in "style"',
    ],
    ['a placeholder bare in a tag', email('<p {{x}}>a</p>'), 'cannot stand bare in a tag'],
    [
      'a placeholder as an unquoted value',
      email('<a href={{x}}>a</a>'),
      'cannot stand bare in a tag',
    ],
    ['a placeholder in a comment', email('a <!-- {{x}} -->'), 'in a comment is filled in too'],
    [
      'a placeholder in the head',
      email('x').replace('<mj-title>', '{{x}}<mj-title>'),
      'cannot stand directly in <mj-head>',
    ],
    [
      'a tracking pixel',
      email('<img src="https://x.example/{{person.id}}" alt="">'),
      'tracking pixel',
    ],
    [
      'a tracking picture',
      email('x').replace(
        '<mj-text>',
        '<mj-image src="https://x.example/{{id}}" alt="" /><mj-text>',
      ),
      'tracking pixel',
    ],
    [
      'a link that leads nowhere',
      email('\n<a href="/folder">a</a>'),
      '3:9 "/folder" leads nowhere',
    ],
    ['a link to a script', email('<a href="javascript:x">a</a>'), '"javascript:x" leads nowhere'],
    ['a link without encryption', email('<a href="http://x.example">a</a>'), 'leads nowhere'],
    [
      'a placeholder made of entities',
      email('&#123;{{{a}}}').replace('{{{a}}}', '{lookup a b}}'),
      'no text part can be derived',
    ],
    ['more than the limit', email('a'.repeat(limits.sourceLength)), 'longer than'],
  ])('with %s is refused', async (_name, mjml, expected) => {
    expect((await faultsOf({ 'email.nl.mjml': mjml })).join('\n')).toContain(expected)
  })

  test('that Gmail would cut off is warned about', async () => {
    const section = '<mj-section><mj-column><mj-text>tekst</mj-text></mj-column></mj-section>'
    const mjml = email('x').replace('<mj-section>', `${section.repeat(100)}<mj-section>`)
    const { faults, warnings } = await compileTemplate(changed({ 'email.nl.mjml': mjml }))
    expect(faults).toEqual([])
    expect(warnings).toMatchObject([
      { file: 'email.nl.mjml', message: /Gmail cuts it off/ },
      withoutEnglish,
    ])
  })

  test('that MJML cannot finish in time is a fault, and the next one is compiled', async () => {
    // Thousands of columns take seconds, so that no machine answers before the first millisecond is over.
    const source = email('</mj-text></mj-column><mj-column><mj-text>'.repeat(5_000))
    const answer = await compileMjml({ source, locale: 'nl' }, 0)
    expect(answer.faults).toMatchObject([{ message: /takes longer/ }])
    expect((await compileMjml({ source: email('x'), locale: 'nl' })).faults).toEqual([])
  })
})

/** The app message of the template stands in Dutch only. */
const withoutEnglish = {
  file: 'template.yaml',
  message: 'app has no "en": who reads that gets it in "nl"',
}

function about(file: string, faults: readonly TemplateFault[]): string[] {
  return faults
    .filter((fault) => fault.file === file)
    .map(({ line, column, message }) => `${line}:${column} ${message}`)
}

describe('an SMS', () => {
  test('warns of the letters that make it dearer, each once, with what to write', async () => {
    const { warnings, compiled: template } = await compileTemplate(
      changed({ 'sms.nl.hbs': 'Beste patiënt,\nde patiënt “komt” 日 {{person.givenName}}' }),
    )
    expect(template).toBeDefined()
    expect(about('sms.nl.hbs', warnings)).toEqual([
      '1:11 "ë" makes an SMS hold 70 characters instead of 160; "e" does not',
      '2:12 "“" makes an SMS hold 70 characters instead of 160; """ does not',
      '2:17 "”" makes an SMS hold 70 characters instead of 160; """ does not',
      '2:19 "日" makes an SMS hold 70 characters instead of 160',
    ])
  })

  test('warns of one letter that makes it two parts, with what it costs', async () => {
    const { warnings } = await compileTemplate(
      changed({ 'sms.nl.hbs': `Beste patiënt, ${'tot ziens '.repeat(7)}` }),
    )
    expect(about('sms.nl.hbs', warnings)).toEqual([
      '1:11 "ë" makes this SMS 2 parts instead of 1; "e" does not',
    ])
  })

  test('names a space that nobody can tell from another one', async () => {
    const { warnings } = await compileTemplate(
      changed({ 'sms.nl.hbs': `Bel 088\u00a0123, ${'tot ziens '.repeat(7)}` }),
    )
    expect(about('sms.nl.hbs', warnings)).toEqual([
      '1:8 a non-breaking space makes this SMS 2 parts instead of 1; a plain space does not',
    ])
  })

  test('is not warned of a letter that costs nothing', async () => {
    const { warnings } = await compileTemplate(changed({ 'sms.nl.hbs': 'Dag patiënt' }))
    expect(warnings).toMatchObject([withoutEnglish])
  })

  test('is counted with the values that every message has, and warned of its own letters only', async () => {
    const name = `Ziekenhuis Zoë aan de ${'lange '.repeat(10)}gracht`
    const known = { 'organisation.name': name }
    const shown = { ...changed({ 'sms.nl.hbs': 'Dag van {{organisation.name}}' }), known }
    const { warnings, smsSizes } = await compileTemplate(shown)
    expect(about('sms.nl.hbs', warnings)).toEqual([])
    expect(smsSizes.nl).toEqual({ segments: 2, encoding: 'UCS-2' })
    const own = { ...changed({ 'sms.nl.hbs': 'Dag patiënt van {{organisation.name}}' }), known }
    expect(about('sms.nl.hbs', (await compileTemplate(own)).warnings)).toEqual([
      '1:9 "ë" makes this SMS 2 parts instead of 1; "e" does not',
    ])
  })

  test('in one language only is read by everybody, with a warning', async () => {
    const { warnings, faults } = await compileTemplate(changed({ 'sms.en.hbs': undefined }))
    expect(faults).toEqual([])
    expect(warnings).toMatchObject([
      withoutEnglish,
      { file: 'template.yaml', message: 'sms has no "en": who reads that gets it in "nl"' },
    ])
  })

  test('is counted by its static text, the longer branch chosen', async () => {
    const long = 'a'.repeat(170)
    const { smsSizes } = await compileTemplate(
      changed({
        'sms.nl.hbs': `{{#if a}}kort{{else}}${long}{{/if}}`,
        'sms.en.hbs': 'zoë {{person.givenName}}',
      }),
    )
    expect(smsSizes).toEqual({
      nl: { segments: 2, encoding: 'GSM-7' },
      en: { segments: 1, encoding: 'UCS-2' },
    })
  })
})
