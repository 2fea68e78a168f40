import type { LocaleName } from '@wegwijs/campaign/definition/words'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { OutboxMoment, OutboxPage, OutboxPerson } from '@wegwijs/store/outbox-page'
import { compileTemplate } from '@wegwijs/template/compile'
import { createRenderer } from '@wegwijs/template/render'
import { emailMessage, type Rig, smsMessage, untroubled } from './rig.ts'

/** A hospital stay as the page is to show it: what happened, what was sent, what was not. */

const welcomeHome = `<mjml>
  <mj-head>
    <mj-title>Welkom thuis</mj-title>
    <mj-preview>Drie dingen voor de eerste dagen</mj-preview>
    <mj-attributes>
      <mj-all font-family="Georgia, 'Times New Roman', serif" />
      <mj-text font-size="17px" line-height="1.6" color="#22312f" padding="6px 28px" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#eef3f0">
    <mj-section background-color="#14635c" padding="26px 0">
      <mj-column>
        <mj-text color="#ffffff" font-size="15px">Ziekenhuis De Linde</mj-text>
        <mj-text color="#ffffff" font-size="30px" line-height="1.25">Welkom thuis, {{person.givenName}}</mj-text>
      </mj-column>
    </mj-section>
    <mj-section background-color="#ffffff" padding="22px 0 26px">
      <mj-column>
        <mj-text>Fijn dat u weer thuis bent. Rust is nu het belangrijkste. Drie dingen voor de eerste dagen:</mj-text>
        <mj-text><ul style="padding-left: 20px; margin: 0"><li>Drink genoeg, ook als u weinig trek hebt.</li><li>Wandel elke dag een klein stukje.</li><li>Neem uw medicijnen zoals u van ons meekreeg.</li></ul></mj-text>
        <mj-text>Op <strong>{{dateTime appointment.start}}</strong> bellen wij u om te horen hoe het gaat.</mj-text>
        <mj-button background-color="#14635c" border-radius="24px" font-size="16px" inner-padding="13px 26px" align="left" padding="12px 28px" href="https://mijn.delinde.example.org/thuis">Lees meer over de eerste dagen</mj-button>
        <mj-text>Twijfelt u? Bel ons, ook ’s nachts: <a href="tel:+31881234567" style="color: #14635c">088 123 45 67</a>.</mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>`

const people = [
  ['Anna de Vries', 'Digitale senior', 2, 2, 1],
  ['Mees Bakker', 'Drukke ouder', 1, 3, 2],
  ['Fatima El Amrani', 'Bezorgde naaste', 3, 1, 0],
  ['Johanna van den Heuvel-Steenbergen', 'Digitale senior', 2, 0, 4],
  ['Lucas Jansen', 'Alle anderen', 1, 1, 0],
  ['Sofie Willems', 'Drukke ouder', 0, 2, 1],
  ['Willem Smit', 'Digitale senior', 4, 0, 3],
  ['Noor Visser', 'Alle anderen', 1, 0, 0],
  ['Daan Mulder', 'Drukke ouder', 2, 2, 0],
  ['Elif Yılmaz', 'Bezorgde naaste', 2, 1, 0],
] as const

export const annaId = derivedUuid('person', 'Anna de Vries')

/** Sends Anna's messages to the sandbox through the real channels. */
export async function playScene({ email, sms }: Rig): Promise<void> {
  const mail = await renderWelcome()
  const to = 'anna.de.vries@example.org'
  const from = 'Ziekenhuis De Linde <welkom@delinde.example.org>'
  const letter = { kind: 'email' as const, from, ...mail }
  await email.send(
    emailMessage({ to, intentId: intentOf('welcome'), content: letter }),
    untroubled(),
  )
  const before =
    'Morgen om 10:15 verwachten wij u op route 42. Neem uw medicijnlijst mee. Ziekenhuis De Linde'
  for (const [name, text] of [
    ['expected', before],
    ['call', 'Wij bellen u vandaag tussen 10 en 11 uur. Komt dat niet uit? Bel 088 123 45 67.'],
  ] as const) {
    const content = { kind: 'sms' as const, from: 'DeLinde', text }
    await sms.send(
      smsMessage({ to: '+3197010200300', intentId: intentOf(name), content }),
      untroubled(),
    )
  }
}

/** What PostgreSQL would tell of them. */
export const hospitalSource: OutboxPage = {
  people: async (_limit, language) => people.map((each) => personOf(each, language)),
  async timeline(personId, language) {
    const person = people
      .map((each) => personOf(each, language))
      .find((each) => each.personId === personId)
    if (person === undefined) return null
    const moments = person.personId === annaId ? journeysOfAnna[language] : []
    return { person, timeZone: 'Europe/Amsterdam', moments }
  },
}

const personasInEnglish = {
  'Digitale senior': 'Digital senior',
  'Drukke ouder': 'Busy parent',
  'Bezorgde naaste': 'Worried family member',
  'Alle anderen': 'Everybody else',
}

function personOf(
  [name, persona, mails, texts, notices]: (typeof people)[number],
  language: LocaleName,
): OutboxPerson {
  const counts = { email: mails, sms: texts, app: notices }
  return {
    personId: derivedUuid('person', name),
    name,
    persona: language === 'nl' ? persona : personasInEnglish[persona],
    counts,
    lastAt: '2026-03-12T09:00:00Z',
  }
}

const journeyInDutch: OutboxMoment[] = [
  {
    kind: 'touchpoint',
    at: '2026-03-05T13:40:00Z',
    name: 'Afspraak gemaakt',
    phase: 'Voorbereiding',
  },
  message('expected', 'sms', '2026-03-05T17:00:00Z', 'De dag ervoor'),
  {
    kind: 'touchpoint',
    at: '2026-03-06T09:15:00Z',
    name: 'Opgenomen op de afdeling',
    phase: 'Opname',
  },
  {
    ...message('ward', 'app', '2026-03-06T11:00:00Z', 'Op de afdeling'),
    app: {
      title: 'U ligt op afdeling B2',
      body: 'Bezoek is welkom van 14 tot 20 uur. Uw verpleegkundige vandaag is Karin.',
      url: 'https://mijn.delinde.example.org/opname',
    },
  },
  { kind: 'touchpoint', at: '2026-03-10T10:05:00Z', name: 'Ontslagen naar huis', phase: 'Herstel' },
  message('welcome', 'email', '2026-03-10T14:00:00Z', 'Nazorg thuis'),
  {
    kind: 'skipped',
    at: '2026-03-11T09:00:00Z',
    campaign: 'Nieuwsbrief',
    reason: 'geen toestemming voor nieuws per e-mail',
  },
  message('call', 'sms', '2026-03-12T08:00:00Z', 'Nazorg thuis'),
]

/** As the record tells it in English: a campaign has a name in the organisation's language only. */
const inEnglish: Readonly<Record<string, string>> = {
  'Afspraak gemaakt': 'Appointment booked',
  Voorbereiding: 'Getting ready',
  'Opgenomen op de afdeling': 'Admitted to the ward',
  Opname: 'Admission',
  'Ontslagen naar huis': 'Discharged home',
  Herstel: 'Recovery',
  'De dag ervoor': 'evening-before',
  'Op de afdeling': 'welcome-at-the-ward',
  'Nazorg thuis': 'aftercare-at-home',
  Nieuwsbrief: 'newsletter',
  'geen toestemming voor nieuws per e-mail': 'no consent for news by e-mail',
}

const journeysOfAnna: Readonly<Record<LocaleName, OutboxMoment[]>> = {
  nl: journeyInDutch,
  en: journeyInDutch.map(
    (moment) =>
      Object.fromEntries(
        Object.entries(moment).map(([key, value]) => [key, inEnglish[String(value)] ?? value]),
      ) as OutboxMoment,
  ),
}

function message(
  name: string,
  channel: 'email' | 'sms' | 'app',
  at: string,
  campaign: string,
): Extract<OutboxMoment, { kind: 'message' }> {
  return { kind: 'message', at, intentId: intentOf(name), channel, campaign, state: 'delivered' }
}

function intentOf(name: string): string {
  return derivedUuid('intent', name)
}

async function renderWelcome(): Promise<{ subject: string; html: string; text: string }> {
  const { compiled, faults } = await compileTemplate({
    id: 'welcome-home',
    locales: ['nl'],
    defaultLocale: 'nl',
    files: { 'email.nl.mjml': welcomeHome },
    values: {
      'template.yaml': {
        name: 'welcome-home',
        sensitivity: { email: 'personal' },
        subject: { nl: 'Welkom thuis, {{person.givenName}}' },
      },
    },
  })
  if (compiled === undefined) throw new Error(JSON.stringify(faults))
  const { content } = createRenderer().render(compiled, {
    channel: 'email',
    locale: 'nl',
    defaultLocale: 'nl',
    timeZone: 'Europe/Amsterdam',
    data: { person: { givenName: 'Anna' }, appointment: { start: '2026-03-12T09:00:00Z' } },
  })
  if (content.kind !== 'email') throw new Error('no e-mail')
  return content
}
