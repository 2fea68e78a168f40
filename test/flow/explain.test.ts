import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { createProgram } from '@wegwijs/cli/program'
import { runProgram, type Shell } from '@wegwijs/cli/shell'
import { applyDefinition } from '@wegwijs/store/definitions'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readExample } from './src/example.ts'
import { type Flow, openFlow, openGround } from './src/flow.ts'
import { inOrderOfArrival, instantOf, other, parent, type Story, senior } from './src/story.ts'

/**
 * The command line explains people who lived through the whole pipe, from what is on record of them:
 * somebody who got the message, one whom the audience kept out, one at whom no campaign ever looked.
 */
const home = { type: 'care.discharge.completed.v1', data: { destination: 'home' } }
const appointment = (at: string, startsAt: string, version: number) => ({
  at,
  type: version === 1 ? 'care.appointment.booked.v1' : 'care.appointment.moved.v1',
  entity: 'appointment/A-1',
  version,
  data: { startsAt: instantOf(startsAt), kind: 'check-up', location: 'Balie 3' },
})

const lives: Record<string, Pick<Story, 'given' | 'when'>> = {
  patient: {
    given: { ...senior, givenName: 'Wilhelmina' },
    when: [
      appointment('03-02 10:00', '03-12 09:30', 1),
      appointment('03-05 10:00', '03-18 09:30', 2),
      { at: '03-06 11:00', ...home },
    ],
  },
  minor: {
    given: { ...other, birthYear: 2012 },
    when: [{ at: '03-06 12:00', ...home, data: { destination: 'nursing-home' } }],
  },
  mother: {
    given: parent,
    when: [{ at: '03-06 11:00', type: 'care.intensive-care.started.v1' }],
  },
}

let bundle: DefinitionBundle
let flow: Flow
let close: () => Promise<void>

beforeAll(async () => {
  bundle = await readExample()
  const { store } = await openGround(bundle, instantOf('03-01 00:00'))
  flow = await openFlow({ store })
  close = async () => {
    await flow.close()
    await store.close()
  }
  await flow.play(
    inOrderOfArrival(Object.entries(lives).map(([subject, story]) => ({ subject, story }))),
  )
})
afterAll(() => close())

async function explain(...words: string[]): Promise<string> {
  let told = ''
  const shell: Shell = {
    environment: {
      WEGWIJS_DATABASE_URL: inject('servers').databaseUrl,
      WEGWIJS_NAMESPACE: flow.store.namespace,
    },
    streams: {
      out: (text) => {
        told += text
      },
      err: (text) => {
        throw new Error(text)
      },
      isTerminal: false,
    },
    readInput: async function* () {},
    signal: new AbortController().signal,
  }
  expect(await runProgram(createProgram(shell), ['explain', ...words], shell)).toBe(0)
  return told
}

/** What is told below the name of the campaign. */
function toldOf(text: string): string[] {
  const lines = text.trimEnd().split('\n')
  return lines.slice(lines.indexOf('') + 2)
}

test('somebody who got the message, in Dutch, down to the leaf', async () => {
  const words = ['--campaign', 'appointment-guide', '--locale', 'nl']
  expect(toldOf(await explain('ehr:patient', ...words, '--health'))).toEqual([
    '  Op 2 maart 2026 om 10:00 kwam binnen: "Afspraak gemaakt" (gemeld door ehr), over appointment/A-1 versie 1.',
    '    Daarop begon de campagne "Gids bij uw afspraak" voor deze persoon.',
    '    Daarop is het bericht "confirmed" ingepland om meteen te versturen.',
    '    Daarop werd bij een vertakking de weg voor alle anderen gekozen, want soort afspraak was "controle" (gevraagd: "operatie").',
    '      weg 1:',
    '        ✗ soort afspraak was "controle" (gevraagd: "operatie")',
    '    Daarop is het bericht "reminder" ingepland voor 11 maart 2026 om 18:00.',
    '    Daarop waren alle stappen van de campagne "Gids bij uw afspraak" doorlopen.',
    '    Op 2 maart 2026 om 10:00 is het bericht "confirmed" in de app verstuurd.',
    '    Op 2 maart 2026 om 10:00 was het bericht "confirmed" bezorgd.',
    '  Op 5 maart 2026 om 10:00 kwam binnen: "Afspraak verzet" (gemeld door ehr), over appointment/A-1 versie 2.',
    '    Daarop is het bericht "reminder" ingetrokken: er is een nieuwere versie van de afspraak of opname voor in de plaats gekomen.',
    '      Wat je kunt doen: niets; voor de nieuwe versie wordt apart ingepland.',
    '    Daarop is het bericht "reminder" opnieuw ingepland voor 17 maart 2026 om 18:00.',
    '    Op 17 maart 2026 om 18:00 is het bericht "reminder" in de app verstuurd.',
    '    Op 17 maart 2026 om 18:00 was het bericht "reminder" bezorgd.',
  ])
})

test('without asking for it nothing of health is told, and names never are (P7)', async () => {
  const words = ['--campaign', 'appointment-guide']
  const text = await explain('ehr:patient', ...words)
  expect(text).toContain('because kind of appointment did not fit (its value is left out).')
  expect(text).toContain('What tells of health was left out. With --health it is shown.')
  const json = await explain('ehr:patient', ...words, '--json')
  expect(json).not.toMatch(/check-up|operation"/)
  expect(json).toContain('"leftOut": true')
  expect(await explain('ehr:patient', ...words, '--json', '--health')).toContain('check-up')
  const everything = await explain('ehr:patient', '--json', '--health', '--story')
  expect(everything).not.toContain('Wilhelmina')
})

test('what was worked out again agrees with what was decided', async () => {
  const { campaigns } = JSON.parse(await explain('ehr:patient', '--json')) as {
    campaigns: {
      explained: { agrees: boolean | null; reason: string | null; sentence: string }[]
    }[]
  }
  const explained = campaigns.flatMap((each) => each.explained)
  const steps = explained.filter(({ reason }) => reason === 'branch_taken')
  expect(steps.map(({ agrees }) => agrees)).toEqual(steps.map(() => true))
  expect(steps.length).toBeGreaterThan(2)
  expect(explained.filter(({ agrees }) => agrees === false)).toEqual([])
})

test('one whom the audience kept out: which field, what was asked, what was seen', async () => {
  const [line] = toldOf(
    await explain('ehr:minor', '--campaign', 'patient-panel', '--locale', 'nl'),
  ).slice(1)
  expect(line).toBe(
    '    Daarop begon de campagne "Denk mee met De Linde" niet: deze persoon hoort niet bij de doelgroep, want leeftijd was 14 jaar (gevraagd: minstens 18 jaar).',
  )
  expect(await explain('ehr:minor', '--campaign', 'aftercare-at-home', '--health')).toContain(
    'the campaign "Nazorg thuis" did not begin: the condition of the trigger does not hold, because destination was "nursing home" (asked: "home" or "home with care").',
  )
})

test('one for whom the campaign never looked: why not, on the facts of then', async () => {
  expect(toldOf(await explain('ehr:mother', '--campaign', 'family-information'))).toEqual([
    '  On 6 March 2026 at 11:00 this came in: "Admitted to intensive care" (told by ehr).',
    '    The campaign "Voor de familie" did not look at it: it is for "The worried family member", and the person was "The busy parent" then.',
    '      What you can do: add the persona to the audience if it should be.',
  ])
  const text = await explain(
    'ehr:mother',
    '--event',
    'urn:example:delinde:ehr/mother-1',
    '--locale',
    'nl',
  )
  expect(text).toContain(
    'De campagne "Nazorg thuis" keek hier niet naar: zij wacht op "Ontslagen uit het ziekenhuis", en alleen als klopt: bestemming: "naar huis" of "naar huis met zorg".',
  )
  expect(await explain('ehr:mother', '--campaign', 'patient-panel', '--locale', 'nl')).toContain(
    'De campagne "Denk mee met De Linde" is voor deze persoon nooit begonnen: zij wacht op "Ontslagen uit het ziekenhuis", en dat is niet gebeurd.',
  )
})

test('of another definition since, and of what is gone, no wrong story is told', async () => {
  const { db } = flow.store
  const words = ['ehr:patient', '--campaign', 'aftercare-at-home', '--health']
  const before = await explain(...words)
  expect(before).toContain('because destination was "home" (asked: "home" or "home with care")')
  // The definition of today lets nobody in any more: what was decided then was decided by that of then.
  const campaigns = bundle.campaigns.map((each) =>
    each.id === 'aftercare-at-home' ? { ...each, audience: { personas: ['busy-parent'] } } : each,
  )
  await applyDefinition(flow.store, { ...bundle, campaigns }, 'test')
  expect(await explain(...words)).toBe(before)
  // What the event said is not what it said then.
  await sql`update event set data = '{"destination": "nursing-home"}' where event_id = 'patient-3'`.execute(
    db,
  )
  const after = await explain(...words)
  expect(after).toContain(
    '(This is what was decided then. Worked out again with what is still known, it comes out otherwise: the condition of the trigger does not hold;',
  )
  expect(after).toContain('the message "home-again" was planned')
  expect(after).not.toContain('because destination')
  // Retention takes it away.
  await sql`delete from event where event_id = 'patient-3'`.execute(db)
  const gone = await explain(...words)
  expect(gone).toContain('the message "tips" was planned, to be sent at once')
})
