import { exitCodes } from '@wegwijs/runtime/failure'

/** How a command ends, for scripts; after sysexits(3). docs/reference/cli.md is made from it. */
export const exitCodeTable: readonly { code: number; means: string }[] = [
  { code: 0, means: 'Done, and what was checked holds.' },
  {
    code: exitCodes.checkFailed,
    means: 'A check said no: a rule of the ledger, or a specification, does not hold.',
  },
  {
    code: exitCodes.usage,
    means: 'The command was not given as it takes it, or does not apply: nothing was done.',
  },
  {
    code: exitCodes.dataInvalid,
    means: 'What was given to read is not what it should be: a definition, a log, an event.',
  },
  {
    code: exitCodes.unavailable,
    means: 'A server does not answer, or a piece that is needed is not installed.',
  },
  { code: exitCodes.internal, means: 'A defect of Wegwijs.' },
  { code: exitCodes.temporary, means: 'Not now: the same command may work a moment later.' },
  { code: exitCodes.configuration, means: 'The configuration is missing something, or wrong.' },
  { code: 130, means: 'Ended by Ctrl-C.' },
]
