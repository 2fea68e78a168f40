import { systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { checkLedger, type LedgerRule } from '@wegwijs/store/ledger'
import type { Command } from 'commander'
import { type Call, runs, type Shell } from '../shell.ts'
import { notNegative } from '../words.ts'

/** `wegwijs ledger check`: whether nothing was lost and nothing sent twice, on a live database. */
export function addLedger(program: Command, shell: Shell): void {
  program
    .command('ledger')
    .description('The books: what came in, what was decided, what was sent.')
    .command('check')
    .description(
      'Prove that nothing was lost and nothing sent twice; ends with 1 when a rule does not hold.',
    )
    .option(
      '--sweep <seconds>',
      'how long something that is due may be left alone',
      notNegative,
      60,
    )
    .action(runs(shell, check))
}

async function check(call: Call, options: { sweep: number }): Promise<void> {
  const { surroundings, output, signal } = call
  const kafka = await surroundings.kafka()
  const rules = await checkLedger(
    await surroundings.store(),
    {
      endOffsets: (topic) => kafka.admin.endOffsets(topic),
      queue: await surroundings.queue(),
      sleep: (ms) => systemClock.sleep(ms, signal),
    },
    { sweepSeconds: options.sweep },
  )
  output.data(rules, () => ledgerLines(rules))
  const broken = rules.filter((rule) => rule.broken > 0).map((rule) => rule.name)
  if (broken.length > 0) throw fail('WEGWIJS_LEDGER_BROKEN', { rules: broken })
}

/** One line a rule, and under one that does not hold some of what breaks it. */
export function ledgerLines(rules: readonly LedgerRule[]): string[] {
  const width = Math.max(...rules.map((rule) => String(rule.checked).length))
  return rules.flatMap(({ promise, says, checked, broken, examples }) => {
    const line = `${broken === 0 ? 'holds ' : 'BROKEN'} ${promise} ${String(checked).padStart(width)}  ${says}`
    if (broken === 0) return [line]
    return [`${line}: ${broken} do not`, `         such as ${examples.join(', ')}`]
  })
}
