import { readTemplate, type Step } from './syntax.ts'

/** Values that a message is known to have before it is made, by the paths of their variables. */
export type KnownValues = Readonly<Record<string, string>>

/** What is certain to be in an SMS; unless it is the whole text, values make it longer. */
export type SmsText = { text: string; isWhole: boolean }

/** Of a source that may be used. What an author should reckon with: of each choice its longer branch. */
export function smsTextOf(source: string, known: KnownValues): SmsText {
  return textOf(readTemplate(source).steps, known)
}

export function textOf(steps: readonly Step[], known: KnownValues): SmsText {
  return { text: longestText(steps, known).trim(), isWhole: steps.every(isKnown(known)) }
}

function isKnown(known: KnownValues): (step: Step) => boolean {
  return (step) =>
    step.kind === 'text' || (step.kind === 'value' && knownIn(step, known) !== undefined)
}

function knownIn({ path }: Step & { kind: 'value' }, known: KnownValues): string | undefined {
  return Object.hasOwn(known, path.name) ? known[path.name] : undefined
}

function longestText(steps: readonly Step[], known: KnownValues): string {
  return steps.map((step) => longestOf(step, known)).join('')
}

function longestOf(step: Step, known: KnownValues): string {
  if (step.kind === 'text') return step.text
  if (step.kind === 'value') return knownIn(step, known) ?? ''
  if (step.kind === 'moment') return ''
  const [body, otherwise] = [longestText(step.body, known), longestText(step.otherwise, known)]
  return body.length >= otherwise.length ? body : otherwise
}
