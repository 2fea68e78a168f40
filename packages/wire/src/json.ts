import { isUtf8 } from 'node:buffer'

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject
export type JsonObject = { [key: string]: JsonValue }

export const jsonFaultKinds = [
  'forbidden_key',
  'forbidden_character',
  'too_deep',
  'not_json',
] as const

/** `reason` never quotes the value; `path` names keys of it. */
export type JsonFault = { kind: (typeof jsonFaultKinds)[number]; reason: string; path: string }

/** Levels of objects and arrays within each other, the outermost one counted. */
export const maxDepth = 32

const MAX_PATH_LENGTH = 200

/**
 * Reads JSON text, once. Undefined when it is not JSON, and when it is not UTF-8: decoding that all
 * the same would put U+FFFD in the middle of somebody's name without a word.
 */
export function parseJson(text: Buffer): { value: unknown } | undefined {
  if (!isUtf8(text)) return undefined
  try {
    return { value: JSON.parse(text.toString('utf8')) }
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * What in a value would hurt whoever keeps it or copies it, or undefined:
 *
 * - a key `__proto__`, `constructor` or `prototype`, which changes what objects are once somebody
 *   merges or assigns the value;
 * - U+0000, which `jsonb` refuses, and half a surrogate pair, which UTF-8 cannot hold: both pass
 *   JSON.parse, and would later fail all the rows that are written together with this one (P1);
 * - more than 32 levels, which would run whoever recurses out of stack;
 * - what JSON cannot hold, such as the Infinity that JSON.parse makes of `1e999`.
 *
 * One pass. `root` is the name that the path begins with.
 */
export function findJsonFault(value: unknown, root: string): JsonFault | undefined {
  const fault = visit(value, 0)
  return fault && { ...fault, path: `${root}${fault.path}`.slice(0, MAX_PATH_LENGTH) }
}

function visit(value: unknown, depth: number): JsonFault | undefined {
  if (typeof value === 'string') return textFault(value)
  if (typeof value === 'object' && value !== null) return containerFault(value, depth)
  if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return undefined
  return { kind: 'not_json', reason: 'not a value that JSON can hold', path: '' }
}

function containerFault(value: object, depth: number): JsonFault | undefined {
  if (depth === maxDepth) {
    return { kind: 'too_deep', reason: `nested more than ${maxDepth} levels deep`, path: '' }
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const fault = visit(item, depth + 1)
      if (fault) return { ...fault, path: `[${index}]${fault.path}` }
    }
    return undefined
  }
  return objectFault(value, depth)
}

function objectFault(value: object, depth: number): JsonFault | undefined {
  if (!isPlain(value)) return { kind: 'not_json', reason: 'not a plain object', path: '' }
  for (const key of Object.keys(value)) {
    const fault = keyFault(key) ?? visit((value as JsonObject)[key], depth + 1)
    if (fault) return { ...fault, path: `${segment(key)}${fault.path}` }
  }
  return undefined
}

/** True for a key that no object from outside may have. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype'
}

function keyFault(key: string): JsonFault | undefined {
  if (isForbiddenKey(key)) {
    return { kind: 'forbidden_key', reason: 'a key that objects keep for themselves', path: '' }
  }
  return textFault(key)
}

function textFault(text: string): JsonFault | undefined {
  if (text.includes('\u0000')) {
    return { kind: 'forbidden_character', reason: 'holds the character U+0000', path: '' }
  }
  if (!text.isWellFormed()) {
    return { kind: 'forbidden_character', reason: 'holds half a surrogate pair', path: '' }
  }
  return undefined
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function segment(key: string): string {
  return /^[A-Za-z_][\w-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key.toWellFormed())}]`
}
