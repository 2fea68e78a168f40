import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { type Compared, compare, type Differences } from '@wegwijs/dry-run/difference'
import { compileDraft, type LiveVersion, liveVersionsOf } from '@wegwijs/dry-run/draft'
import { Fates } from '@wegwijs/dry-run/fates'
import { type MessageLine, MessageLines } from '@wegwijs/dry-run/lines'
import { alwaysDelivered, type OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import { type Publication, publicationOf } from '@wegwijs/dry-run/publication'
import { Samples } from '@wegwijs/dry-run/samples'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation, type SimulationTally } from '@wegwijs/dry-run/simulation'
import { compareSteps, type StepDifference } from '@wegwijs/dry-run/step-counts'
import { Counting } from '@wegwijs/dry-run/summary'
import { Texts } from '@wegwijs/dry-run/texts'
import { Arrivals, type Arriving } from '@wegwijs/rehearsal/arrivals'
import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { fail } from '@wegwijs/runtime/failure'
import { latestBundle, loadDefinition } from '@wegwijs/store/definitions'
import {
  daysBack,
  type StoredPerson,
  storedEvents,
  storedPeople,
  UnreadableRows,
} from '@wegwijs/store/stored-history'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readOrEnd } from '../definition-input.ts'
import { streamEvents } from '../events-input.ts'
import { faultLines, type LogOptions, readLogWith, withLogOptions } from '../log-options.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import {
  differenceLines,
  moveLines,
  reportLines,
  stepDifferenceLines,
  unreadableLines,
} from '../simulation-report.ts'
import { atLeastOne, seedText } from '../words.ts'

type Options = LogOptions & {
  events?: string
  log?: string
  journeys?: number
  days?: number
  seed: string
  step: string
  counts: boolean
  outcomes: OutcomeRates
  against?: string
}

/** `wegwijs simulate`: what a definition would do, without doing it. */
export function addSimulate(program: Command, shell: Shell): void {
  const command = program
    .command('simulate')
    .summary('show what a definition would send, and send nothing')
    .description(
      'Show what a definition would send if these events happened: to whom, when, over which channel and why not. Decides as the live system does, on a virtual clock; sends nothing and writes nothing.',
    )
    .argument('<folder>', 'the folder of the definition, such as examples/hospital')
    .option(
      '--events <file>',
      'CloudEvents, one JSON value a line, in order of arrival; - is standard input',
    )
    .option('--log <file>', 'the log of another system, a CSV file')
    .option('--journeys <count>', 'invent the journeys of so many people', atLeastOne)
    .option('--seed <text>', 'of the invented journeys', seedText, '1')
    .option(
      '--days <count>',
      'what is stored of the last days, people as they are known now',
      atLeastOne,
    )
  withLogOptions(command)
    .addOption(
      new Option(
        '--outcomes <shares>',
        'what becomes of messages, such as bounced=0.02,none=0.01,answered=0.1, the rest is delivered; and of tasks, such as done=0.8',
      )
        .argParser(outcomeRates)
        .default(alwaysDelivered, 'all is delivered, nobody answers, no task is done'),
    )
    .option(
      '--against <live|folder>',
      'tell who would get more, less or other than by the definition in force, or by that of another folder',
    )
    .option(
      '--counts',
      'with --json: the counts of the report, as one JSON document, instead of messages',
      false,
    )
    .option('--step <duration>', 'ISO 8601, as a rehearsal steps; PT0S is exact', 'PT0S')
    .action(runs(shell, simulate))
}

async function simulate(call: Call, options: Options, folder = ''): Promise<void> {
  const { output } = call
  const { bundle } = await readOrEnd(folder, output)
  const since = await sinceOf(call, options)
  const against = options.against === undefined ? null : await otherSide(call, options.against)
  const draft = runOf({ bundle, definition: compileDraft(bundle, against?.live) }, options, {
    keepsLines: output.json || against !== null,
    since,
  })
  const other = against && runOf(against, options, { keepsLines: true, since })
  const publication = against && publicationOf(against, draft.side)
  // Only a move makes of people who are under way something else than the versions they are in.
  const published =
    against && publication && publication.moves.length > 0
      ? runOf(
          { bundle: against.bundle, definition: publication.before },
          options,
          { keepsLines: true, since },
          publication,
        )
      : null
  const runs = [draft, other, published].filter((each) => each !== null)
  const unreadable = new UnreadableRows()
  for await (const people of peopleOf(call, since, unreadable)) {
    for (const { simulation } of runs) for (const person of people) simulation.introduce(person)
  }
  for await (const arriving of eventsOf(call, options, { bundle, since, unreadable })) {
    for (const { event, at } of arriving) {
      for (const { simulation } of runs) simulation.take(event, at)
    }
    call.signal.throwIfAborted()
  }
  const publishedAt = published?.simulation.now ?? ''
  const moved = publication && published?.simulation.publish(publication)
  published?.simulation.finish()
  const tally = draft.simulation.finish()
  other?.simulation.finish()
  const { people } = draft.simulation
  const differences = other && compare(comparedOf(other), comparedOf(draft))
  const steps = other && compareSteps(other.counting.summary.steps, draft.counting.summary.steps)
  const move = other &&
    published &&
    moved && { at: publishedAt, moved, ...compare(comparedOf(other), comparedOf(published)) }
  if (output.json) for (const line of unreadableLines(unreadable)) output.say(line)
  if (output.json && options.counts) {
    output.line(
      JSON.stringify({
        ...countsOf(draft, { tally, since, unreadable, differences, steps }),
        ...(move && { move }),
      }),
    )
    return
  }
  if (output.json) {
    const lines = differences ? differences.differences : draft.lines.sorted(people).map(asPrinted)
    for (const line of lines) output.line(JSON.stringify(line))
    return
  }
  const { counting, samples } = draft
  const told = { summary: counting.summary, samples: samples.all }
  const report = { bundle, tally, since, unreadable, ...told }
  for (const line of reportLines(report, people)) output.line(line)
  if (differences && against) {
    for (const line of differenceLines(differences, against.name, bundle.policies.timeZone))
      output.line(line)
    for (const line of stepDifferenceLines(steps ?? [])) output.line(line)
    if (move) for (const line of moveLines(move, bundle.policies.timeZone)) output.line(line)
  }
}

/** Of a message to a caregiver the line is about the person: who gets it is for people who compare. */
function asPrinted({ to: _, ...line }: MessageLine): Omit<MessageLine, 'to'> {
  return line
}

/** The report as data; what differs from the other side, where there is one. */
function countsOf(
  { counting, samples, simulation: { people } }: Run,
  {
    tally,
    since,
    unreadable,
    differences,
    steps,
  }: {
    tally: SimulationTally
    since: string | null
    unreadable: UnreadableRows
    differences: Differences | null
    steps: readonly StepDifference[] | null
  },
) {
  const read = samples.all.map(({ person, ...sample }) => ({
    person: people.nameOf(person),
    ...sample,
  }))
  return {
    ...tally,
    since,
    ...(since !== null && {
      unreadable: {
        rows: unreadable.count,
        people: unreadable.people.size,
        first: unreadable.first,
      },
    }),
    ...counting.summary,
    samples: read,
    ...(differences && { difference: { ...differences, steps } }),
  }
}

type Side = { bundle: DefinitionBundle; definition: CompiledDefinition }
type OtherSide = Side & { name: string; live: LiveVersion[] }

/** What the draft is compared with: the definition in force, or that of another folder. */
async function otherSide(call: Call, against: string): Promise<OtherSide> {
  if (against !== 'live') {
    const { bundle } = await readOrEnd(against, call.output)
    const definition = compileDraft(bundle)
    return { bundle, definition, name: against, live: liveVersionsOf(definition) }
  }
  const store = await call.surroundings.store()
  const latest = await latestBundle(store.db)
  const definition = await loadDefinition(store)
  if (latest === null || definition === null) {
    throw fail('WEGWIJS_USAGE', { problem: 'no definition has been applied; see `wegwijs apply`' })
  }
  const name = `the live definition (revision ${latest.revision})`
  return { bundle: latest.bundle, definition, name, live: liveVersionsOf(definition) }
}

type Run = {
  side: Side
  simulation: Simulation
  lines: MessageLines
  fates: Fates
  counting: Counting
  samples: Samples
}

function runOf(
  { bundle, definition }: Side,
  { outcomes, step }: Options,
  { keepsLines, since }: { keepsLines: boolean; since: string | null },
  /** What is published on the way, where anything is. */
  published?: Publication,
): Run {
  const last = published?.after ?? definition
  const sending = sendingOf(bundle)
  const texts = new Texts(published?.sending ?? sending)
  const lines = new MessageLines()
  const fates = new Fates(last)
  const counting = new Counting(last)
  const samples = new Samples()
  const simulation = new Simulation({
    definition,
    sending,
    outcomes,
    step,
    asksForText: (intentId) => samples.asksFor(intentId),
    onMessage: (message) => {
      if (since !== null && message.intent.plannedAt < since) return
      if (keepsLines) lines.add(message, texts.of(message))
      counting.message(message)
      samples.message(message)
    },
    onDecision: (person, decision) => {
      if (keepsLines) fates.decision(person, decision)
      if (since === null || simulation.now >= since) counting.decision(decision)
    },
  })
  return { side: { bundle, definition }, simulation, lines, fates, counting, samples }
}

function comparedOf({ simulation: { people }, lines, fates }: Run): Compared {
  return { people, fates, lines: lines.compared(people) }
}

/** From when on what is stored counts; null for any other input. */
async function sinceOf(call: Call, { days }: Options): Promise<string | null> {
  if (days === undefined) return null
  const { db } = await call.surroundings.store()
  return daysBack(db, days)
}

async function* peopleOf(
  call: Call,
  since: string | null,
  unreadable: UnreadableRows,
): AsyncGenerator<StoredPerson[]> {
  if (since !== null) yield* storedPeople((await call.surroundings.store()).db, since, unreadable)
}

/** The events of the one input that was named and when they arrived, some at a time. */
async function* eventsOf(
  call: Call,
  options: Options,
  {
    bundle,
    since,
    unreadable,
  }: { bundle: DefinitionBundle; since: string | null; unreadable: UnreadableRows },
): AsyncGenerator<readonly Arriving[]> {
  if (inputsNamed(options) !== 1) {
    const problem = 'name one of --events, --log, --journeys and --days'
    const named = inputsNamed(options)
    const found = named === 0 ? 'none was named' : `${named} were named`
    throw fail('WEGWIJS_USAGE', { problem: `${problem}: ${found}` })
  }
  if (since === null) {
    const arrivals = new Arrivals()
    for await (const events of listedEvents(call, options, bundle))
      yield events.flatMap((event) => arrivals.add(event))
    yield arrivals.end()
  } else {
    const { db } = await call.surroundings.store()
    for await (const stored of storedEvents(db, since, unreadable))
      yield stored.map(({ event, arrivedAt }) => ({ event, at: arrivedAt }))
  }
}

function inputsNamed({ events, log, journeys, days }: Options): number {
  return [events, log, journeys, days].filter((each) => each !== undefined).length
}

/** In order of arrival. */
async function* listedEvents(
  call: Call,
  options: Options,
  bundle: DefinitionBundle,
): AsyncGenerator<readonly TouchpointEvent[]> {
  const { events, log, journeys, seed } = options
  if (events !== undefined) yield* streamEvents(events, call.readInput())
  else if (log !== undefined) yield eventsOfLog(call, log, options, bundle)
  else yield generateJourneys({ people: journeys ?? 1, seed })
}

async function eventsOfLog(
  { output }: Call,
  file: string,
  options: Options,
  bundle: DefinitionBundle,
): Promise<TouchpointEvent[]> {
  const { events, faults } = await readLogWith(file, options, bundle)
  for (const line of faultLines(faults)) output.say(line)
  return events
}

/** `bounced=0.02,answered=0.1,answer:confirm=6,done=0.8,outcome:well=5,seed=spring`. */
function outcomeRates(text: string): OutcomeRates {
  const rates = { bounced: 0, none: 0, answered: 0, done: 0 }
  const weights: Record<string, Record<string, number>> = {}
  let seed: string | undefined
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=', 2)
    if (name === 'seed' && value !== '') seed = seedText(value)
    else if (/^(answer|outcome):[a-z][a-z0-9-]*$/.test(name) && /^\d{1,6}(\.\d+)?$/.test(value)) {
      const [kind = '', of = ''] = name.split(':')
      weights[`${kind}s`] = { ...weights[`${kind}s`], [of]: Number(value) }
    } else if (Object.hasOwn(rates, name) && /^(0(\.\d+)?|1)$/.test(value)) {
      rates[name as keyof typeof rates] = Number(value)
    } else throw new InvalidArgumentError('Expected shares such as bounced=0.02,none=0.01.')
  }
  if (rates.bounced + rates.none + rates.answered > 1) {
    throw new InvalidArgumentError('The shares are more than 1 together.')
  }
  return { ...rates, ...weights, ...(seed !== undefined && { seed }) }
}
