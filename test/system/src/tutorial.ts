/** A page that is followed line by line: what it tells to write, to run and to see. */

export type TutorialStep =
  | { kind: 'file'; path: string; text: string }
  | { kind: 'change'; path: string; from: string; to: string }
  | { kind: 'command'; words: string[]; sees: string[] }

const FENCED = /^```(\w*)(?: (\S+))?\n(.*?)^```$/gms
const WORD = /'([^']*)'|(\S+)/g

/**
 * The blocks of a page in their order. A block with a path behind its language is a file, a `diff` of
 * one is a change of it; of `sh` the lines that begin with `wegwijs` are run, and a block without a
 * language holds what the last of them tells, with … for what may be anything.
 */
export function stepsOf(page: string): TutorialStep[] {
  const steps: TutorialStep[] = []
  for (const [, language, path, text = ''] of page.matchAll(FENCED)) {
    if (language === 'diff' && path) steps.push(changeOf(path, text))
    else if (path) steps.push({ kind: 'file', path, text })
    else if (language === 'sh') steps.push(...commandsOf(text))
    else if (language === '') seeOf(steps, text)
  }
  return steps
}

function changeOf(path: string, text: string): TutorialStep {
  const side = (mark: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(mark))
      .map((line) => line.slice(1))
      .join('\n')
  return { kind: 'change', path, from: side('-'), to: side('+') }
}

function commandsOf(text: string): TutorialStep[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('wegwijs '))
    .map((line) => {
      const words = [...line.matchAll(WORD)].map(([, quoted, bare]) => quoted ?? bare ?? '')
      return { kind: 'command', words: words.slice(1), sees: [] }
    })
}

function seeOf(steps: readonly TutorialStep[], text: string): void {
  const last = steps.at(-1)
  if (last?.kind !== 'command') throw new Error(`nothing was run that could tell: ${text}`)
  last.sees.push(...text.split(/[\n…]/).filter((part) => part.trim() !== ''))
}

/** The first of these parts that does not stand behind the ones before it; null when all do. */
export function missingIn(output: string, parts: readonly string[]): string | null {
  let from = 0
  for (const part of parts) {
    const at = output.indexOf(part, from)
    if (at < 0) return part
    from = at + part.length
  }
  return null
}
