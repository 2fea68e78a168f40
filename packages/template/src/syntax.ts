import Handlebars from 'handlebars'
import { limits } from './limits.ts'
import { faultOfParser, findExcess, type SyntaxFault } from './syntax-fault.ts'
import type { Position } from './template.ts'

/**
 * What a template may say. Handlebars reads the text, and this file copies from its tree only what
 * is on the list: variables, `if`, `unless`, `each`, `with`, and the date helpers. What is copied is
 * all that render.ts can carry out, so nothing needs to be switched off there: no partials, no
 * unescaped output, no lookup, no sub-expressions, no helper that a template could name by accident.
 */
export type Step =
  | { kind: 'text'; text: string }
  | { kind: 'value'; path: Path }
  | { kind: 'moment'; format: MomentFormat; path: Path }
  | { kind: 'choose'; path: Path; negated: boolean; body: Step[]; otherwise: Step[] }
  | { kind: 'each'; path: Path; body: Step[]; otherwise: Step[] }
  | { kind: 'with'; path: Path; body: Step[]; otherwise: Step[] }

/**
 * `depth` counts the `each` and `with` blocks to step out of first. `loop` is set for `@index`,
 * `@first` and `@last`. `name` is the path from the root, as shown to people.
 */
export type Path = { depth: number; parts: string[]; name: string; loop?: LoopFact }

export const momentFormats = ['date', 'time', 'weekday', 'dateTime'] as const
export type MomentFormat = (typeof momentFormats)[number]

const loopFacts = ['index', 'first', 'last'] as const
export type LoopFact = (typeof loopFacts)[number]

/** One use of a variable. `guarded`: an enclosing `if` tests this very path, or it is itself a test. */
export type PathUse = Position & { path: string; guarded: boolean }
export type Reading = { steps: Step[]; uses: PathUse[]; faults: SyntaxFault[] }

const blockNames = ['if', 'unless', 'each', 'with'] as const
/** A field, or the name of a journey, a message or an answer, which may hold hyphens. */
const pathPart = /^[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*$/
const forbiddenParts = new Set(['__proto__', 'constructor', 'prototype', 'lookup', 'log'])

/** What surrounds a statement: the roots that `../` steps through, and the paths known to be there. */
type Scope = {
  roots: readonly string[]
  inList: boolean
  guards: readonly string[]
  reading: Reading
}

/** Reads one source. `steps` may be carried out only if there are no faults. */
export function readTemplate(source: string, maxLength: number = limits.sourceLength): Reading {
  const reading: Reading = { steps: [], uses: [], faults: [] }
  if (source.length > maxLength) {
    const message = `this text is longer than ${maxLength} characters`
    reading.faults.push({ line: 1, column: 1, message })
    return reading
  }
  const excess = findExcess(source)
  if (excess !== undefined) {
    reading.faults.push(excess)
    return reading
  }
  const scope: Scope = { roots: [''], inList: false, guards: [], reading }
  try {
    reading.steps = readProgram(Handlebars.parse(source), scope)
  } catch (error) {
    reading.faults.push(faultOfParser(error, source))
  }
  return reading
}

function readProgram(program: hbs.AST.Program | undefined, scope: Scope): Step[] {
  if (program === undefined) return []
  if (program.blockParams !== undefined && program.blockParams.length > 0) {
    refuse(scope, program, 'names after `as` are not available: use `this` inside the block')
  }
  return program.body.flatMap((statement) => readStatement(statement, scope))
}

function readStatement(statement: hbs.AST.Statement, scope: Scope): Step[] {
  if (isContent(statement)) return [{ kind: 'text', text: statement.value }]
  if (statement.type === 'CommentStatement') return []
  if (isMustache(statement)) return readMustache(statement, scope)
  if (isBlock(statement)) return readBlock(statement, scope)
  refuse(scope, statement, refusals[statement.type] ?? 'this is not available in templates')
  return []
}

const refusals: Record<string, string> = {
  PartialStatement: 'partials ({{> …}}) are not available: write the text here',
  PartialBlockStatement: 'partials ({{#> …}}) are not available: write the text here',
  Decorator: 'inline helpers ({{* …}}) are not available',
  DecoratorBlock: 'inline helpers ({{#* …}}) are not available',
}

function readMustache(statement: hbs.AST.MustacheStatement, scope: Scope): Step[] {
  if (!statement.escaped) {
    refuse(scope, statement, 'unescaped output ({{{…}}} or {{&…}}) is not available: use {{…}}')
    return []
  }
  const name = nameOf(statement.path)
  const format = momentFormats.find((known) => known === name)
  if (format !== undefined) {
    const path = readArgument(statement, `{{${format} …}}`, scope)
    return path === undefined ? [] : [{ kind: 'moment', format, path }]
  }
  if (statement.params.length > 0 || statement.hash !== undefined) {
    refuse(scope, statement, `there is no helper "${name}"; there are ${momentFormats.join(', ')}`)
    return []
  }
  const path = readPath(statement.path, scope)
  if (path === undefined) return []
  note(path, statement, scope)
  return [{ kind: 'value', path }]
}

function readBlock(statement: hbs.AST.BlockStatement, scope: Scope): Step[] {
  const name = nameOf(statement.path)
  const block = blockNames.find((known) => known === name)
  if (block === undefined) {
    refuse(scope, statement, `there is no block {{#${name}}}; there are ${blockNames.join(', ')}`)
    return []
  }
  const path = readArgument(statement, `{{#${block} …}}`, scope)
  if (path === undefined) return []
  return [readBranches(block, path, statement, scope)]
}

function readBranches(
  block: (typeof blockNames)[number],
  path: Path,
  { program, inverse }: hbs.AST.BlockStatement,
  scope: Scope,
): Step {
  const { roots } = scope
  const there: Scope = { ...scope, guards: [...scope.guards, path.name] }
  switch (block) {
    case 'if': {
      const branches = { body: readProgram(program, there), otherwise: readProgram(inverse, scope) }
      return { kind: 'choose', path, negated: false, ...branches }
    }
    case 'unless': {
      const branches = { body: readProgram(program, scope), otherwise: readProgram(inverse, there) }
      return { kind: 'choose', path, negated: true, ...branches }
    }
    case 'each': {
      const item: Scope = { ...scope, roots: [...roots, `${path.name}[]`], inList: true }
      const branches = { body: readProgram(program, item), otherwise: readProgram(inverse, scope) }
      return { kind: 'each', path, ...branches }
    }
    case 'with': {
      const within: Scope = { ...there, roots: [...roots, path.name] }
      const branches = {
        body: readProgram(program, within),
        otherwise: readProgram(inverse, scope),
      }
      return { kind: 'with', path, ...branches }
    }
  }
}

/** The one path that a block or a date helper takes. `form` is how it is written, for messages. */
function readArgument(
  statement: hbs.AST.MustacheStatement | hbs.AST.BlockStatement,
  form: string,
  scope: Scope,
): Path | undefined {
  const [argument] = statement.params
  if (argument === undefined || statement.params.length > 1 || statement.hash !== undefined) {
    refuse(scope, statement, `${form} takes exactly one variable`)
    return undefined
  }
  const path = readPath(argument, scope)
  if (path !== undefined) note(path, argument, scope, isBlock(statement))
  return path
}

function readPath(expression: hbs.AST.Expression, scope: Scope): Path | undefined {
  if (!isPath(expression)) {
    refuse(scope, expression, 'only a variable can stand here, no literal and no expression')
    return undefined
  }
  if (expression.data) return readLoopFact(expression, scope)
  const parts = expression.parts.filter((part): part is string => typeof part === 'string')
  const root = scope.roots[scope.roots.length - 1 - expression.depth]
  if (root === undefined) {
    refuse(scope, expression, `"${expression.original}" steps out further than there are blocks`)
    return undefined
  }
  const bad = parts.find((part) => !pathPart.test(part) || forbiddenParts.has(part))
  if (bad !== undefined || parts.length < expression.parts.length) {
    refuse(scope, expression, `"${expression.original}" is not the name of a variable`)
    return undefined
  }
  const name = [root, ...parts].filter((part) => part !== '').join('.')
  if (name === '') {
    refuse(scope, expression, '"this" has a meaning only inside {{#each}} or {{#with}}')
    return undefined
  }
  return { depth: expression.depth, parts, name }
}

function readLoopFact(expression: hbs.AST.PathExpression, scope: Scope): Path | undefined {
  const { original } = expression
  const loop = loopFacts.find((fact) => `@${fact}` === original)
  if (loop === undefined || !scope.inList) {
    const known = loopFacts.map((fact) => `@${fact}`).join(', ')
    refuse(scope, expression, `"${original}" is not available; inside {{#each}} there are ${known}`)
    return undefined
  }
  return { depth: 0, parts: [], name: original, loop }
}

function note(path: Path, at: hbs.AST.Node, { guards, reading }: Scope, isTest = false): void {
  if (path.loop !== undefined) return
  const guarded = isTest || guards.includes(path.name)
  reading.uses.push({ path: path.name, guarded, ...placeOf(at) })
}

function refuse({ reading }: Scope, node: hbs.AST.Node, message: string): void {
  reading.faults.push({ ...placeOf(node), message })
}

function placeOf(node: hbs.AST.Node): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 }
}

function nameOf(expression: hbs.AST.Expression): string {
  return isPath(expression) ? expression.original : ''
}

function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === 'PathExpression'
}

function isContent(node: hbs.AST.Node): node is hbs.AST.ContentStatement {
  return node.type === 'ContentStatement'
}

function isMustache(node: hbs.AST.Node): node is hbs.AST.MustacheStatement {
  return node.type === 'MustacheStatement'
}

function isBlock(node: hbs.AST.Node): node is hbs.AST.BlockStatement {
  return node.type === 'BlockStatement'
}
