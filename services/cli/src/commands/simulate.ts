import { compileDraft } from '@wegwijs/dry-run/draft'
import type { MessageLine } from '@wegwijs/dry-run/lines'
import { alwaysDelivered, type OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import type { SimulationTally } from '@wegwijs/dry-run/simulation'
import type { UnreadableRows } from '@wegwijs/store/stored-history'
import { type Command, Option } from 'commander'
import { readOrEnd } from '../definition-input.ts'
import { withLogOptions } from '../log-options.ts'
import type { Output } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { type Comparison, comparisonWith, otherSide } from '../simulation/comparison.ts'
import { type InputOptions, playTo, requireOneInput, sinceOf } from '../simulation/input.ts'
import { outcomeRates } from '../simulation/outcome-rates.ts'
import {
  differenceLines,
  moveLines,
  reportLines,
  stepDifferenceLines,
  unreadableLines,
} from '../simulation/report.ts'
import { type Run, runOf } from '../simulation/run.ts'
import { atLeastOne, seedText } from '../words.ts'

type Options = InputOptions & {
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
  const { bundle } = await readOrEnd(folder, call.output)
  requireOneInput(options)
  const since = await sinceOf(call, options)
  const against = options.against === undefined ? null : await otherSide(call, options.against)
  const { outcomes, step } = options
  const runOptions = { outcomes, step, keepsLines: call.output.json || against !== null, since }
  const draft = runOf({ bundle, definition: compileDraft(bundle, against?.live) }, runOptions)
  const compared = against && comparisonWith(against, draft, runOptions)
  const simulations = [draft, ...(compared?.runs ?? [])].map(({ simulation }) => simulation)
  const unreadable = await playTo(simulations, call, { options, bundle, since })
  const simulated = { draft, since, unreadable, tally: draft.simulation.finish() }
  const comparison = compared && against && { ...compared.finish(), name: against.name }
  const { output } = call
  if (!output.json) return tellPeople(output, simulated, comparison)
  for (const line of unreadableLines(unreadable)) output.say(line)
  const printed = options.counts
    ? [countsOf(simulated, comparison)]
    : linesOf(simulated, comparison)
  for (const each of printed) output.line(JSON.stringify(each))
}

type Simulated = {
  draft: Run
  since: string | null
  unreadable: UnreadableRows
  tally: SimulationTally
}

/** `name` is what the draft was compared with. */
type Compared = Comparison & { name: string }

function tellPeople(
  output: Output,
  { draft, ...simulated }: Simulated,
  compared: Compared | null,
): void {
  const { side, counting, samples, simulation } = draft
  const { bundle } = side
  const { timeZone } = bundle.policies
  const report = { ...simulated, bundle, summary: counting.summary, samples: samples.all }
  const lines = [
    ...reportLines(report, simulation.people),
    ...(compared ? differenceLines(compared.differences, compared.name, timeZone) : []),
    ...(compared ? stepDifferenceLines(compared.steps) : []),
    ...(compared?.move ? moveLines(compared.move, timeZone) : []),
  ]
  for (const line of lines) output.line(line)
}

/** What differs from the other side, or each message where there is none. */
function linesOf({ draft }: Simulated, compared: Compared | null): readonly object[] {
  return compared
    ? compared.differences.differences
    : draft.lines.sorted(draft.simulation.people).map(asPrinted)
}

/** Of a message to a caregiver the line is about the person: who gets it is for people who compare. */
function asPrinted({ to: _, ...line }: MessageLine): Omit<MessageLine, 'to'> {
  return line
}

/** The report as data; what differs from the other side, where there is one. */
function countsOf(
  { draft, since, unreadable, tally }: Simulated,
  compared: Compared | null,
): object {
  const { counting, samples, simulation } = draft
  const read = samples.all.map(({ person, ...sample }) => ({
    person: simulation.people.nameOf(person),
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
    ...(compared && { difference: { ...compared.differences, steps: compared.steps } }),
    ...(compared?.move && { move: compared.move }),
  }
}
