import { withNearest } from '@wegwijs/definition/fault'
import { compileDraft } from '@wegwijs/dry-run/draft'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { playSpecification } from '@wegwijs/dry-run/specification'
import { exitCodes, fail } from '@wegwijs/runtime/failure'
import type { Command } from 'commander'
import { countOf, readOrEnd } from '../definition-input.ts'
import { type Call, Ended, runs, type Shell } from '../shell.ts'
import { type Tested, testedOf, testReport, testReportLines } from '../test-report.ts'

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
  const ids = selected(
    bundle.campaigns.map(({ id }) => id),
    options.campaign,
  )
  const stage = { bundle, definition: compileDraft(bundle), sending: sendingOf(bundle) }
  const chosen = specifications.filter(({ campaign }) => ids.includes(campaign))
  const tested = chosen.flatMap((own) =>
    own.specifications.map((specification, index): Tested => {
      call.signal.throwIfAborted()
      return testedOf(own, index, playSpecification(own.campaign, specification, stage), bundle)
    }),
  )
  const untested = ids.filter((id) => chosen.every(({ campaign }) => campaign !== id))
  output.data(testReport(tested, untested), () => testReportLines(tested, bundle))
  for (const id of untested) {
    output.say(`warning: ${id} has no specifications (campaigns/${id}.test.yaml)`)
  }
  for (const { campaign, file } of specifications) {
    if (bundle.campaigns.every(({ id }) => id !== campaign)) {
      output.say(`warning: ${file} is not played: there is no campaign ${campaign}`)
    }
  }
  const failed = tested.filter(({ unmet }) => unmet.length > 0).length
  const all = countOf(tested.length, 'specification')
  output.say(
    failed === 0
      ? `${all}, and all hold`
      : `${all}: ${failed} ${failed === 1 ? 'does' : 'do'} not hold`,
  )
  if (failed > 0) throw new Ended(exitCodes.checkFailed)
}

function selected(ids: readonly string[], id: string | undefined): readonly string[] {
  if (id === undefined) return ids
  if (ids.includes(id)) return [id]
  const { nearest } = withNearest(id, ids)
  const hint = nearest === undefined ? `there are ${ids.join(', ')}` : `did you mean ${nearest}?`
  throw fail('WEGWIJS_USAGE', { problem: `there is no campaign "${id}"; ${hint}` })
}
