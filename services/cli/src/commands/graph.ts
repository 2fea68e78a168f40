import { isDeepStrictEqual } from 'node:util'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { type CampaignCounts, campaignGraph, type StepCounts } from '@wegwijs/definition/graph'
import { type FailureCode, isFailure } from '@wegwijs/runtime/failure'
import { type CampaignCount, countsOf, versionsOf } from '@wegwijs/store/campaign-counts'
import type { Store } from '@wegwijs/store/database'
import type { Command } from 'commander'
import { readOrEnd } from '../definition-input.ts'
import { unknownName } from '../known-names.ts'
import type { Output } from '../output.ts'
import { type Call, runs, type Shell, withKnownFailures } from '../shell.ts'

/** `wegwijs graph`: a campaign to look at. */
export function addGraph(program: Command, shell: Shell): void {
  program
    .command('graph')
    .summary('draw a campaign as a Mermaid flowchart')
    .description(
      'Draw a campaign as a Mermaid flowchart, which GitHub, GitLab and most wikis show. Where a database is configured and the campaign has run with these steps, it tells how many people came where, and who waits there now.',
    )
    .argument('<folder>', 'the folder of the definition, such as examples/hospital')
    .argument('<campaign>', 'the id of the campaign')
    .option('--no-counts', 'leave out how many people came where')
    .action(runs(shell, graph))
}

async function graph(
  call: Call,
  { counts: isCounted }: { counts: boolean },
  folder = '',
  id = '',
): Promise<void> {
  const { bundle } = await readOrEnd(folder, call.output)
  const campaign = bundle.campaigns.find((each) => each.id === id)
  if (!campaign) {
    const known = bundle.campaigns.map((each) => each.id)
    throw unknownName('there is no campaign', id, known)
  }
  const counts = isCounted ? await countsFor(campaign, call) : undefined
  const mermaid = campaignGraph(campaign, bundle, counts)
  call.output.data({ campaign: id, mermaid }, () => [mermaid.trimEnd()])
}

/** Of every version that has these very steps; others went other ways. */
async function countsFor(
  campaign: CampaignFile,
  { surroundings, output }: Call,
): Promise<CampaignCounts | undefined> {
  try {
    return await withKnownFailures(async () =>
      storedCounts(await surroundings.store(), campaign, output),
    )
  } catch (error) {
    // What a campaign looks like is in its file: no server need be there for that.
    const why = isFailure(error) ? withoutCounts[error.code] : undefined
    if (why === undefined) throw error
    output.say(`without counts: ${why}`)
    return undefined
  }
}

const withoutCounts: Partial<Record<FailureCode, string>> = {
  WEGWIJS_CONFIG_INVALID: 'no database is configured',
  WEGWIJS_DATABASE_UNAVAILABLE: 'the database does not answer',
  WEGWIJS_NOT_MIGRATED: 'nothing was ever published here (`wegwijs migrate` comes first)',
}

async function storedCounts(
  store: Store,
  campaign: CampaignFile,
  output: Output,
): Promise<CampaignCounts | undefined> {
  const versions = await versionsOf(store, campaign.id)
  const unread = versions.filter(({ file }) => file === null).map(({ version }) => version)
  if (unread.length > 0)
    output.say(`without counts of version ${unread.join(', ')}, which this Wegwijs cannot read`)
  const drawn = versions.filter(
    ({ file }) => file && isDeepStrictEqual(plain(file.steps), plain(campaign.steps)),
  )
  const numbers = drawn.map(({ version }) => version)
  if (numbers.length === 0) {
    output.say(
      versions.length === 0
        ? 'without counts: the campaign was never published'
        : 'without counts: no version with these steps was ever published',
    )
    return undefined
  }
  output.say(`counted in version ${numbers.join(', ')}`)
  return gathered(await countsOf(store, campaign.id, numbers))
}

/** As it is stored: without what JSON does not know. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

function gathered(counts: readonly CampaignCount[]): CampaignCounts {
  const states: Record<string, number> = {}
  const steps = new Map<string, Mutable<StepCounts>>()
  for (const { kind, step, what, people } of counts) {
    if (kind === 'entered') states[what ?? ''] = people
    if (step === null) continue
    const known = steps.get(step) ?? { came: 0, waits: 0, arms: {}, messages: {} }
    steps.set(step, known)
    if (kind === 'came') known.came = people
    if (kind === 'waits') known.waits = people
    if (kind === 'arm') known.arms[what ?? ''] = people
    if (kind === 'message') known.messages[what ?? ''] = people
  }
  const entered = Object.values(states).reduce((sum, people) => sum + people, 0)
  return { entered, states, steps }
}

type Mutable<T> = {
  -readonly [Key in keyof T]: T[Key] extends number ? number : Record<string, number>
}
