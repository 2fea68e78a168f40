import { Command, InvalidArgumentError } from 'commander'

type Options = {
  minutes?: number
  seed?: number
  seeds?: { from: number; to: number }
  theme?: string
  json: boolean
  keep: boolean
  shrink: boolean
}

/**
 * Reads the words behind `test:sim`. Ends the program, with a sentence that says so, when only help is
 * wanted or a word is wrong.
 */
export function readOptions(words: readonly string[]): Options {
  const program = new Command('test:sim')
    .description('plays stories of the whole pipe until one of them breaks a promise')
    .option('--minutes <n>', 'plays for so long', toNumber)
    .option('--seed <n>', 'plays this one', toNumber)
    .option('--seeds <a-b>', 'plays these', toRange)
    .option('--theme <words>', 'plays those alone that are made for the situation with these words')
    .option('--json', 'says in one JSON object on the last line what came of it', false)
    .option(
      '--keep',
      'keeps what came of it with the project, for docs/guarantees.md; not of chosen stories',
      false,
    )
    .option('--no-shrink', 'does not cut short the story that failed')
  program.parse(
    words.filter((word) => word !== '--'),
    { from: 'user' },
  )
  const options = program.opts<Options>()
  const wrong = whyNotKept(options)
  if (wrong !== null) program.error(wrong)
  return options
}

/** What is wrong with keeping what comes of this; null when nothing is, or it is not kept. */
export function whyNotKept({ keep, ...options }: Options): string | null {
  const chosen = (['theme', 'seed', 'seeds'] as const).find((name) => options[name] !== undefined)
  if (!keep || chosen === undefined) return null
  return `--keep is for stories of every kind that nobody chose: leave out --${chosen}, and say with --minutes how long it plays`
}

function toNumber(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new InvalidArgumentError('expected a number above 0')
  return number
}

function toRange(text: string): { from: number; to: number } {
  const [from, to] = text.split('-').map(Number)
  if (!(from && to && from <= to)) throw new InvalidArgumentError('expected such as 1-100')
  return { from, to }
}
