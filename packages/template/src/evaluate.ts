import Handlebars from 'handlebars'
import { limits } from './limits.ts'
import { type Reader, writeMoment } from './moments.ts'
import type { LoopFact, Path, Step } from './syntax.ts'

/** Why a content could not be rendered. `path` is the name of a variable, never its value (P7). */
export type Refusal =
  | { kind: 'missing'; path: string }
  | { kind: 'absent' }
  | { kind: 'refused'; reason: string; path?: string }

/** Thrown inside this package only; render.ts turns it into a coded error. */
export class RenderRefusal extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.kind)
    this.refusal = refusal
  }
}

type Frame = { value: unknown; loop?: Record<LoopFact, number | boolean> }
type Run = { reader: Reader; escaping: boolean; steps: number; length: number }

/**
 * Carries out an approved tree on `data`. Only own properties of plain data are read, so nothing of
 * a prototype can be reached. A variable without a value (absent or null) is refused, an empty text
 * is a value. Costs are counted: a template or data that is too much for `limits` is refused.
 */
export function evaluate(
  steps: readonly Step[],
  data: unknown,
  reader: Reader,
  escaping: boolean,
): string {
  return write(steps, [{ value: data }], { reader, escaping, steps: 0, length: 0 })
}

function write(steps: readonly Step[], frames: readonly Frame[], run: Run): string {
  let text = ''
  for (const step of steps) text += writeStep(step, frames, run)
  return text
}

function writeStep(step: Step, frames: readonly Frame[], run: Run): string {
  countStep(run)
  switch (step.kind) {
    case 'text':
      return counted(step.text, run)
    case 'value':
      return counted(shown(textOf(required(step.path, frames), step.path), run), run)
    case 'moment': {
      const text = writeMoment(required(step.path, frames), step.format, run.reader)
      if (text === undefined) throw refused('no_moment', step.path)
      return counted(shown(text, run), run)
    }
    case 'choose': {
      const holds = isSomething(look(step.path, frames)) !== step.negated
      return write(holds ? step.body : step.otherwise, frames, run)
    }
    case 'with': {
      const value = look(step.path, frames)
      if (!isSomething(value) && value !== 0) return write(step.otherwise, frames, run)
      return write(step.body, [...frames, { value }], run)
    }
    case 'each':
      return writeEach(step, frames, run)
  }
}

function writeEach(step: Step & { kind: 'each' }, frames: readonly Frame[], run: Run): string {
  const list = look(step.path, frames)
  if (!isSomething(list)) return write(step.otherwise, frames, run)
  if (!Array.isArray(list)) throw refused('no_list', step.path)
  let text = ''
  for (const [index, value] of list.entries()) {
    countStep(run)
    const loop = { index, first: index === 0, last: index === list.length - 1 }
    text += write(step.body, [...frames, { value, loop }], run)
  }
  return text
}

function countStep(run: Run): void {
  run.steps += 1
  if (run.steps > limits.steps) throw refused('too_many_steps')
}

function look(path: Path, frames: readonly Frame[]): unknown {
  if (path.loop !== undefined) {
    const { loop } = path
    return frames.findLast((frame) => frame.loop !== undefined)?.loop?.[loop]
  }
  let value = frames[frames.length - 1 - path.depth]?.value
  for (const part of path.parts) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

function required(path: Path, frames: readonly Frame[]): unknown {
  const value = look(path, frames)
  if (value === undefined || value === null) {
    throw new RenderRefusal({ kind: 'missing', path: path.name })
  }
  return value
}

/** What counts as "there" for `if` and `with`, as in Handlebars: an empty list or text does not. */
function isSomething(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

function textOf(value: unknown, path: Path): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw refused('no_text', path)
}

function shown(text: string, run: Run): string {
  return run.escaping ? Handlebars.escapeExpression(text) : text
}

function counted(text: string, run: Run): string {
  run.length += text.length
  if (run.length > limits.outputLength) throw refused('too_long')
  return text
}

export function refused(reason: string, path?: Path): RenderRefusal {
  return new RenderRefusal({
    kind: 'refused',
    reason,
    ...(path === undefined ? {} : { path: path.name }),
  })
}
