import type { z } from 'zod'
import { type Complaint, type Fault, faultAt, oneOf, withNearest } from './fault.ts'
import { kindOf, referenceTo } from './file-kinds.ts'
import { inExamples, listMeant, titleAt } from './schema-hints.ts'
import { type Schema, schemasAt } from './schema-walk.ts'
import type { Path, YamlSource } from './yaml-source.ts'

type Issue = z.core.$ZodIssue

/** The value as the schema gives it, or every way in which it is not what the schema asks for. */
export function checkAgainst<T>(
  schema: z.ZodType<T>,
  source: YamlSource,
): { value: T | undefined; faults: Fault[] } {
  const result = schema.safeParse(source.value)
  if (result.success) return { value: result.data, faults: [] }
  return { value: undefined, faults: withoutMisspelt(findingsOf(schema, source, result.error)) }
}

/** A fault with what it is about: a value, a key that nobody knows, or one that is missing. */
export type Finding = { fault: Fault; path: Path; stranger?: string; missing?: string }

/** Everything that a schema finds in `source`, in the terms of the arm that was meant of each union. */
export function findingsOf(schema: Schema, source: YamlSource, error: z.core.$ZodError): Finding[] {
  return error.issues.flatMap((issue) => faultsOf(schema, source, issue, []))
}

function faultsOf(schema: Schema, source: YamlSource, issue: Issue, above: Path): Finding[] {
  const path = [...above, ...pathOf(issue)]
  const reference = referenceTo(source.file, path)
  if (issue.code === 'invalid_union' && issue.errors.length > 0)
    return likeliestArm(issue.errors, valueAt(source.value, path)).flatMap((inner) =>
      faultsOf(schema, source, inner, path),
    )
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path,
      stranger: key,
      fault: faultAt(source.file, source.positionOfKey([...path, key]), {
        ...strangerAt(schema, source, path, key),
        found: key,
        reference,
      }),
    }))
  if (issue.code === 'invalid_key')
    return issue.issues.map((inner) => ({
      path: path.slice(0, -1),
      stranger: String(path.at(-1)),
      fault: faultAt(source.file, source.positionOfKey(path), {
        message: `${inner.message}, found "${String(path.at(-1))}"`,
        found: String(path.at(-1)),
        reference,
      }),
    }))
  if (isMissing(issue, valueAt(source.value, path)) && path.length > 0) {
    const key = String(path.at(-1))
    const message = `missing key "${key}"`
    return [
      {
        path,
        fault: faultAt(source.file, source.positionOf(path), { message, reference }),
        missing: key,
      },
    ]
  }
  const complaint = complaintAt(schema, path, issue, valueAt(source.value, path))
  return [
    { path, fault: faultAt(source.file, source.positionOf(path), { ...complaint, reference }) },
  ]
}

function strangerAt(schema: Schema, source: YamlSource, path: Path, key: string): Complaint {
  const file = path.length === 0 ? kindOf(source.file)?.elsewhere?.[key] : undefined
  if (file !== undefined) return { message: `"${key}" belongs in ${file}: move it there` }
  const known = keysAt(schema, path)
  const others = keysOf(valueAt(source.value, path)).filter((other) => other !== key)
  // Each is known by itself, in another shape of what stands here.
  if (known.includes(key) && others.length > 0)
    return { message: `"${key}" does not go together with ${inWords(others)}` }
  const missing = known.filter((each) => !others.includes(each))
  const message = `unknown key "${key}"`
  const { nearest } = withNearest(key, missing)
  if (nearest !== undefined) return { message, nearest }
  // Nothing beside it says what it was to be.
  const isAlone = schemasAt(schema, path).length > 1 && missing.length === known.length
  return {
    message: isAlone ? `${message}, expected ${oneOf([...new Set(missing)], 'key')}` : message,
  }
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

function inWords(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(', ')
}

/** `tamplate` is one mistake: its unknown key is told, the missing `template` is not told as well. */
function withoutMisspelt(findings: Finding[]): Fault[] {
  const meant = new Set(findings.map(({ fault }) => fault.nearest))
  return findings
    .filter(({ missing }) => missing === undefined || !meant.has(missing))
    .map(({ fault }) => fault)
}

/**
 * Of the arms of a union, none of which fits, the one its author most likely meant: the one whose
 * keys fit best. When several fit equally badly, only the keys that none knows are told.
 */
function likeliestArm(arms: readonly (readonly Issue[])[], value: unknown): readonly Issue[] {
  const scored = arms
    .map((issues) => ({ issues, misfit: misfitOf(issues, value) }))
    .sort((a, b) => a.misfit - b.misfit || a.issues.length - b.issues.length)
  const [best, next] = scored
  if (!best) return []
  const strangers = best.issues.filter((issue) => issue.code === 'unrecognized_keys')
  return next && next.misfit === best.misfit && best.misfit > 0 && strangers.length > 0
    ? strangers
    : best.issues
}

/** How little a value looks like the arm that these issues come from. */
function misfitOf(issues: readonly Issue[], value: unknown): number {
  return issues
    .map((issue) => {
      if (issue.code === 'unrecognized_keys' && issue.path.length === 0) return issue.keys.length
      if (issue.code === 'invalid_union' && issue.path.length === 0)
        return Math.min(...issue.errors.map((arm) => misfitOf(arm, value)))
      if (issue.path.length === 0) return 100
      return issue.path.length === 1 && isMissing(issue, valueAt(value, pathOf(issue))) ? 1 : 0
    })
    .reduce((sum, misfit) => sum + misfit, 0)
}

function isMissing(issue: Issue, value: unknown): boolean {
  return (
    value === undefined &&
    (issue.code === 'invalid_type' ||
      issue.code === 'invalid_value' ||
      issue.code === 'invalid_union')
  )
}

/** With how it could have been written, where that can be told. */
function complaintAt(schema: Schema, path: Path, issue: Issue, value: unknown): Complaint {
  if (issue.code === 'invalid_value' && issue.values.length > 1)
    return complaintAboutWord(schema, path, issue.values.map(String), value)
  if (issue.code !== 'invalid_type') return complaintOf(issue, value)
  const what = typeNames[issue.expected] ?? issue.expected
  const hint = listMeant(schema, path, value) ?? inExamples(schema, path, value)
  return unlike(hint === undefined ? what : `${what} ${hint}`, value)
}

function complaintAboutWord(
  schema: Schema,
  path: Path,
  words: readonly string[],
  value: unknown,
): Complaint {
  const listed = oneOf(words, titleAt(schema, path))
  const near = typeof value === 'string' ? withNearest(value, words) : {}
  const list = near.nearest === undefined ? listMeant(schema, path, value) : undefined
  return {
    ...unlike(list === undefined ? listed : `${listed}, or a list ${list}`, value),
    ...near,
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

function complaintOf(issue: Issue, value: unknown): Complaint {
  const found = show(value)
  const expected = (what: string) => unlike(what, value)
  switch (issue.code) {
    case 'invalid_value':
      return expected(JSON.stringify(issue.values[0]))
    case 'too_small':
      return counted(
        expected(`${typeNames[issue.origin] ?? issue.origin} of at least ${issue.minimum}`),
        value,
      )
    case 'too_big':
      return counted(
        expected(`${typeNames[issue.origin] ?? issue.origin} of at most ${issue.maximum}`),
        value,
      )
    default:
      // What a whole list or mapping has wrong its rule says.
      if (typeof value === 'object' && value !== null && keysOf(value).length > 0)
        return { message: issue.message, found }
      return {
        message: `${issue.message}, found ${found}`,
        found: typeof value === 'string' ? value : found,
        ...(typeof value === 'string' ? nearestOf(issue, value) : {}),
      }
  }
}

/** Of a list that is too short or too long it helps to know how long it is. */
function counted(complaint: Complaint, value: unknown): Complaint {
  if (!Array.isArray(value) || value.length === 0) return complaint
  return { ...complaint, message: `${complaint.message} of ${value.length}` }
}

/** A rule that knows all its words says which they are: there are too many zones to list them. */
function nearestOf(issue: Issue, value: string): { nearest?: string } {
  const isOfZone = issue.code === 'custom' && issue.params?.words === 'timeZone'
  return isOfZone ? withNearest(value, Intl.supportedValuesOf('timeZone')) : {}
}

/** `expected a number, found "ten"` */
export function unlike(expected: string, value: unknown): Complaint {
  const found = show(value)
  return {
    message: `expected ${expected}, found ${found}`,
    found: typeof value === 'string' ? value : found,
  }
}

/** A value as a fault shows it: short, and on one line. */
function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'object') {
    const shape = Array.isArray(value) ? 'list' : 'mapping'
    return keysOf(value).length > 0 ? `a ${shape}` : `an empty ${shape}`
  }
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text
}

function pathOf(issue: Issue): (string | number)[] {
  return issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = (current as Record<string | number, unknown>)[part]
  }
  return current
}

/** Every key that any schema at `path` knows: what a misspelt key is compared with. */
export function keysAt(schema: Schema, path: Path): string[] {
  return schemasAt(schema, path).flatMap(({ schema: found }) => {
    const { def } = (found as z.core.$ZodTypes)._zod
    return def.type === 'object' ? Object.keys(def.shape) : []
  })
}
