import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Fault, formatFault, inReadingOrder } from '../src/fault.ts'
import { loadDefinition } from '../src/load-definition.ts'
import { referencePages } from '../src/reference.ts'

/** A small definition without faults or warnings; the tests plant one mistake in it. */
export const sound: Readonly<Record<string, string>> = {
  'touchpoints.yaml': `publishers:
  - source: urn:example:ehr
    idSpace: ehr
    types: [care.*, person.*]
touchpoints:
  - type: care.visit.booked.v1
    name: { nl: Geboekt, en: Booked }
    journey: visit
    phase: before
    starts: true
    entity: visit
    data:
      startsAt: { type: instant, sensitivity: neutral, required: true }
      kind: { type: text, sensitivity: health, required: true, values: [first, second] }
      room: { type: text, sensitivity: personal, required: true }
  - type: care.visit.moved.v1
    name: { nl: Verzet, en: Moved }
    entity: visit
    data:
      startsAt: { type: instant, sensitivity: neutral, required: true }
  - type: care.visit.ended.v1
    name: { nl: Voorbij, en: Over }
    journey: visit
    phase: after
    data:
      minutes: { type: number, sensitivity: neutral }
`,
  'personas.yaml': `personas:
  - id: senior
    name: { nl: Senior, en: Senior }
    description: Older
    tone: Calm
    channels: [app, sms]
    when: { field: person.age, op: gte, value: 65 }
  - id: others
    name: { nl: Anderen, en: Others }
    description: Everybody else
    tone: Plain
    channels: [sms]
`,
  'journeys.yaml': `journeys:
  - id: visit
    name: { nl: Bezoek, en: Visit }
    phases:
      - id: before
        name: { nl: Ervoor, en: Before }
      - id: after
        name: { nl: Erna, en: After }
`,
  'policies.yaml': `organisation: { name: De Linde, phone: 088 000 00 00, website: https://delinde.example.org }
timeZone: Europe/Amsterdam
locale: nl
holidays: NL
classes:
  care: { lane: transactional, consent: implied, unknownOutcome: at-least-once, expires: P1D }
  service: { lane: standard, consent: implied, unknownOutcome: at-least-once, expires: P1D }
  marketing: { lane: bulk, consent: required, unknownOutcome: at-most-once, expires: P1D }
  research: { lane: bulk, consent: required, unknownOutcome: at-most-once, expires: P1D }
`,
  'attributes.yaml': `person:
  usesPortal: { type: boolean, sensitivity: personal }
  condition: { type: text, sensitivity: health }
`,
  'channels.yaml': `sms: { provider: sms-http, sensitivity: neutral, from: DeLinde }
app: { provider: app-inbox, sensitivity: personal }
`,
  'campaigns/guide.yaml': `id: guide
name: Guide
journey: visit
class: service
trigger: { touchpoint: care.visit.booked.v1 }
audience:
  personas: [senior, others]
  where: { field: person.usesPortal, op: eq, value: true }
entry: once-per-entity
exit:
  - touchpoint: care.visit.ended.v1
steps:
  - message: { id: booked, template: booked, until: entity.startsAt }
  - wait: { until: entity.startsAt, offset: -P1D, at: "18:00" }
  - branch:
      - when: { field: event.kind, op: eq, value: first }
        steps:
          - message: { id: eve, template: booked, send: { for: PT1H } }
      - otherwise:
          - wait: { for: P1D }
`,
  'templates/booked/template.yaml': `name: booked
sensitivity:
  sms: neutral
  app: personal
`,
  'templates/booked/sms.nl.hbs': 'Tot {{date entity.startsAt}}.\n',
  'templates/booked/sms.en.hbs': 'See you on {{date entity.startsAt}}.\n',
  'templates/booked/app.nl.yaml': 'title: Tot ziens\nbody: "Kamer {{entity.room}}"\n',
  'templates/booked/app.en.yaml': 'title: See you\nbody: "Room {{entity.room}}"\n',
}

/** `null` takes a file away; `[before, after]` replaces the first `before` in it. */
export type Changes = Readonly<Record<string, string | null | readonly [string, string]>>

/** Runs `use` on a folder of its own with the sound definition and `changes` in it. */
export async function withFolder<T>(
  changes: Changes,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'wegwijs-definition-'))
  try {
    for (const [path, text] of Object.entries(filesWith(changes))) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What is told of a planted definition, as the command line shows it. */
export async function tell(changes: Changes): Promise<{ faults: string[]; warnings: string[] }> {
  const loaded = await withFolder(changes, loadDefinition)
  const { bundle, warnings } = loaded
  if ((bundle === null) !== loaded.faults.length > 0)
    throw new Error('a bundle with faults, or neither')
  const faults = inReadingOrder([...loaded.faults, ...loaded.mappingFaults])
  for (const fault of [...faults, ...warnings]) {
    mustStandThere(fault, filesWith(changes))
    mustBeExplained(fault)
  }
  return { faults: faults.map(formatFault), warnings: warnings.map(formatFault) }
}

const shapes = ['nothing', 'a list', 'an empty list', 'a mapping', 'an empty mapping']

/** The place of a fault is the place of what it found: a column that is one off fails here. */
function mustStandThere(fault: Fault, files: Readonly<Record<string, string>>): void {
  const { file, line, column, found } = fault
  const text = files[file]
  if (text === undefined || found === undefined || shapes.includes(found)) return
  const rest = text.split('\n')[line - 1]?.slice(column - 1) ?? ''
  if (!new RegExp(`^(["']|\\{\\{)?${RegExp.escape(found)}`).test(rest))
    throw new Error(`${formatFault(fault)}: there stands ${rest}`)
}

/** Whoever follows the link of a fault finds the section that it names. */
function mustBeExplained(fault: Fault): void {
  const [page, section] = fault.reference?.split('#') ?? []
  if (page === 'docs/reference/reasons.md' && section === undefined) return
  if (page !== 'docs/reference/definition.md' || !sections.has(section ?? ''))
    throw new Error(`${formatFault(fault)}: nothing is told at ${fault.reference}`)
}

const sections = new Set(
  [...(referencePages().get('definition.md') ?? '').matchAll(/<a id="([^"]+)">/g)].map(
    ([, id]) => id,
  ),
)

function filesWith(changes: Changes): Record<string, string> {
  const files: Record<string, string> = { ...sound }
  for (const [path, change] of Object.entries(changes)) {
    if (change === null) delete files[path]
    else if (typeof change === 'string') files[path] = change
    else {
      const text = files[path] ?? ''
      // A mistake that was not planted would prove nothing.
      if (!text.includes(change[0])) throw new Error(`${path} has no "${change[0]}"`)
      files[path] = text.replace(change[0], change[1])
    }
  }
  return files
}
