import { readCampaignFacts } from '@wegwijs/store/explain'
import { readOutcomes } from '@wegwijs/store/outcomes'
import type { Command } from 'commander'
import { unknownName } from '../known-names.ts'
import { outcomeLines } from '../outcome-report.ts'
import { type Call, runs, type Shell } from '../shell.ts'

/** `wegwijs outcome`: what a campaign is for, and what came of it. */
export function addOutcome(program: Command, shell: Shell): void {
  program
    .command('outcome')
    .summary('who reached the goal, beside who was held out')
    .description(
      'How many entered a campaign and how many reached its goal, by version: beside those who were held out of it or of all campaigns of its class, by arm of each split, and with what its author expects. Without percentages where there are too few for one.',
    )
    .argument('[campaign]', 'the id of the campaign; without it, all of them')
    .action(runs(shell, (call, _options, campaign?: string) => show(call, campaign)))
}

async function show({ surroundings, output }: Call, campaign?: string): Promise<void> {
  const store = await surroundings.store()
  const outcomes = await readOutcomes(store, campaign)
  if (campaign !== undefined && outcomes.length === 0) {
    const published = (await readCampaignFacts(store.db)).map(({ campaignId }) => campaignId)
    throw unknownName('there never was a campaign', campaign, published)
  }
  output.data({ campaigns: outcomes }, () =>
    outcomes.flatMap((each, index) => [...(index === 0 ? [] : ['']), ...outcomeLines(each)]),
  )
}
