import { allowReach, listAllowances, type ReachStanding, readReach } from '@wegwijs/store/reach'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { atLeastOne, type WordsOptions, withWords, wordsOf } from '../words.ts'

const shownAllowances = 20

/** `wegwijs reach`: how far campaigns have reached, and the word that lets one go on. */
export function addReach(program: Command, shell: Shell): void {
  const reach = program
    .command('reach')
    .description(
      'Campaigns that say how far they reach, what they have reached, and who let them on.',
    )
    .action(runs(shell, show))
  withWords(
    reach
      .command('allow')
      .description(
        'Let so many more messages of a campaign go out in this period. What waits goes at once.',
      )
      .argument('<campaign>')
      .requiredOption('--more <count>', 'how many more', atLeastOne),
  ).action(
    runs(shell, (call, options: WordsOptions & { more: number }, campaign = '') =>
      allow(call, campaign, options),
    ),
  )
}

async function show({ surroundings, output }: Call): Promise<void> {
  const { db } = await surroundings.store()
  const [campaigns, allowances] = [await readReach(db), await listAllowances(db, shownAllowances)]
  output.data({ campaigns, allowances }, () => [
    ...reachLines(campaigns),
    ...(allowances.length === 0 ? [] : ['', 'let on']),
    ...table(
      ['', '', '', '', ''],
      allowances.map(({ at, campaignId, more, source, reason }) => [
        `  ${at}`,
        campaignId,
        `${more} more`,
        source,
        reason,
      ]),
    ).slice(1),
  ])
}

/** One line a campaign, and what is odd about it. */
export function reachLines(campaigns: readonly ReachStanding[]): string[] {
  return table(
    ['CAMPAIGN', 'SENT', 'OF', 'WAITING', 'UNTIL', ''],
    campaigns.map((each) => [
      each.campaignId,
      each.taken,
      each.most,
      each.waiting,
      each.ends,
      oddity(each),
    ]),
  )
}

function oddity({ campaignId, waiting, below, before, least }: ReachStanding): string {
  if (waiting > 0) return `asks: wegwijs reach allow ${campaignId} --more <count> --reason <text>`
  return below ? `only ${before} in the period before, and ${least} were expected` : ''
}

async function allow(
  { surroundings, output }: Call,
  campaign: string,
  options: WordsOptions & { more: number },
): Promise<void> {
  const store = await surroundings.store()
  const { released, ends } = await allowReach(store, campaign, options.more, wordsOf(options))
  output.say(`${released} that waited go out; the rest of ${options.more} may follow until ${ends}`)
  output.data({ campaign, more: options.more, released, until: ends }, () => [String(released)])
}
