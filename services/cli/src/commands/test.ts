import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { CampaignSpecifications } from '@wegwijs/definition/load-definition'
import { compileDraft } from '@wegwijs/dry-run/draft'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { playSpecification } from '@wegwijs/dry-run/specification'
import { exitCodes } from '@wegwijs/runtime/failure'
import type { Command } from 'commander'
import { countOf, readOrEnd } from '../definition-input.ts'
import { unknownName } from '../known-names.ts'
import { type Call, Ended, runs, type Shell } from '../shell.ts'
import {
  type Tested,
  testedOf,
  testReport,
  testReportLines,
  type Untested,
  untestedOf,
} from '../test-report.ts'

/** `wegwijs test`: does each campaign do what its specifications say? */
export function addTest(program: Command, shell: Shell): void {
  program
    .command('test')
    .summary('hold campaigns against the specifications beside them')
    .description(
      'Play the specifications that stand beside campaigns, in campaigns/<id>.test.yaml: given somebody, when this happens, then that is sent. Decides as the live system does, on a virtual clock; sends nothing and needs no server. Of a specification that does not hold it tells what was expected, what happened, and the time line of its person.',
    )
    .argument('<folder>', 'the folder of the definition, such as examples/hospital')
    .option('--campaign <id>', 'the specifications of this campaign only')
    .action(runs(shell, test))
}

async function test(call: Call, options: { campaign?: string }, folder = ''): Promise<void> {
  const { output } = call
  const { bundle, specifications } = await readOrEnd(folder, output)
  const campaigns = selected(bundle.campaigns, options.campaign)
  const stage = { bundle, definition: compileDraft(bundle), sending: sendingOf(bundle) }
  const tested = specifications
    .filter(({ campaign }) => campaigns.some(({ id }) => id === campaign))
    .flatMap((own) =>
      own.specifications.map((specification, index): Tested => {
        call.signal.throwIfAborted()
        return testedOf(own, index, playSpecification(own.campaign, specification, stage), stage)
      }),
    )
  const untested = untestedOf(campaigns, tested)
  output.data(testReport(tested, untested), () => testReportLines(tested, bundle))
  for (const line of warningLines(untested, specifications, bundle)) output.say(line)
  const failed = tested.filter(({ unmet }) => unmet.length > 0).length
  const all = countOf(tested.length, 'specification')
  if (failed === 0) return output.say(`${all}, and all hold`)
  output.say(`${all}: ${failed} ${failed === 1 ? 'does' : 'do'} not hold`)
  throw new Ended(exitCodes.checkFailed)
}

function warningLines(
  { campaigns, messages }: Untested,
  specifications: readonly CampaignSpecifications[],
  bundle: DefinitionBundle,
): string[] {
  const orphans = specifications.filter(({ campaign }) =>
    bundle.campaigns.every(({ id }) => id !== campaign),
  )
  return [
    ...orphans.map(
      ({ file, campaign }) => `warning: ${file} is not played: there is no campaign ${campaign}`,
    ),
    ...campaigns.map((id) => `warning: ${id} has no specifications (campaigns/${id}.test.yaml)`),
    ...messages.map(
      ({ campaign, message }) => `warning: no specification of ${campaign} sends ${message}`,
    ),
  ]
}

function selected(
  campaigns: readonly CampaignFile[],
  id: string | undefined,
): readonly CampaignFile[] {
  if (id === undefined) return campaigns
  const found = campaigns.filter((campaign) => campaign.id === id)
  if (found.length > 0) return found
  const ids = campaigns.map((campaign) => campaign.id)
  throw unknownName('there is no campaign', id, ids)
}
