import type { TemplateSources } from '../src/template.ts'

/** A template as an author writes one: all channels, two languages. */
export const welcomeHome: TemplateSources = {
  id: 'welcome-home',
  locales: ['nl', 'en'],
  defaultLocale: 'nl',
  values: {
    'template.yaml': {
      name: 'welcome-home',
      sensitivity: { email: 'personal', sms: 'neutral', app: 'neutral' },
      subject: {
        nl: 'Welkom thuis{{#if person.givenName}}, {{person.givenName}}{{/if}}',
        en: 'Welcome home',
      },
    },
    'app.nl.yaml': {
      title: 'Weer thuis',
      body: 'Op {{weekday appointment.start}} zien we u graag.',
      url: 'https://mijn.example.org/afspraak/{{appointment.number}}',
    },
  },
  files: {
    'email.nl.mjml': `<mjml>
  <mj-head>
    <mj-title>Welkom thuis</mj-title>
    <mj-preview>Wat u de komende dagen kunt doen</mj-preview>
  </mj-head>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-image src="https://example.org/logo.png" alt="Ziekenhuis Example" />
        <mj-text>
          <h1>Welkom thuis</h1>
          <p>Beste {{#if person.givenName}}{{person.givenName}}{{else}}lezer{{/if}},</p>
          <p>Uw afspraak is op {{dateTime appointment.start}}.</p>
          <ul>
            {{#each appointment.bring}}
            <li>{{@index}} {{name}} &amp; meer</li>
            {{/each}}
          </ul>
        </mj-text>
        {{#if appointment.number}}
        <mj-button href="https://mijn.example.org/afspraak/{{appointment.number}}">Bekijk</mj-button>
        {{/if}}
      </mj-column>
    </mj-section>
    {{#with hospital}}
    <mj-section>
      <mj-column><mj-text>Bel <a href="tel:+31881234567">{{phone}}</a></mj-text></mj-column>
    </mj-section>
    {{/with}}
  </mj-body>
</mjml>
`,
    'email.en.mjml': `<mjml>
  <mj-head><mj-title>Welcome home</mj-title></mj-head>
  <mj-body>
    <mj-section><mj-column><mj-text>See you on {{date appointment.start}}.</mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
`,
    'email.en.txt': 'See you on {{date appointment.start}}, at {{time appointment.start}}.\n',
    'sms.nl.hbs': 'Uw afspraak: {{dateTime appointment.start}}. {{hospital.name}}\n',
    'sms.en.hbs': 'Your appointment: {{dateTime appointment.start}}. {{hospital.name}}\n',
  },
}

export const patient = {
  person: { givenName: 'Anna' },
  appointment: {
    start: '2026-03-29T10:30:00Z',
    number: 'A-17',
    bring: [{ name: 'paspoort' }, { name: 'medicijnlijst' }],
  },
  hospital: { name: 'Example', phone: '088 123 45 67' },
}

/** The sources with some files or values replaced; `undefined` takes one away. */
export function changed(
  changes: Readonly<Record<string, unknown>>,
  sources: TemplateSources = welcomeHome,
): TemplateSources {
  const files = { ...sources.files }
  const values = { ...sources.values }
  for (const [file, content] of Object.entries(changes)) {
    delete files[file]
    delete values[file]
    if (content === undefined) continue
    if (typeof content === 'string') files[file] = content
    else values[file] = content
  }
  return { ...sources, files, values }
}

/** An e-mail around one text. */
export function email(text: string): string {
  return [
    '<mjml><mj-head><mj-title>T</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>',
    text,
    '</mj-text></mj-column></mj-section></mj-body></mjml>',
  ].join('\n')
}
