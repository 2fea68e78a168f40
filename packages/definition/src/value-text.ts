import type { JsonObject, JsonValue } from '@wegwijs/campaign/json'
import { stringify } from 'yaml'

/** A value as a file of a definition has it: YAML, long texts folded at 100 characters. */
export function valueText(value: JsonValue): string {
  return stringify(value, { lineWidth: 100, aliasDuplicateObjects: false }).trimEnd()
}

/** A value on one line, as our files write it: `{ for: P2D }`, `[sms]`. */
export function flowText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`
  if (typeof value === 'object' && value !== null) return `{ ${flowPairs(value)} }`
  return stringify(value, { lineWidth: 0, defaultStringType: 'PLAIN' }).trimEnd()
}

/** The same, without its braces: `wait: { for: P2D }`. */
export function flowPairs(value: Readonly<JsonObject>): string {
  return Object.entries(value)
    .map(([key, part]) => `${key}: ${flowText(part)}`)
    .join(', ')
}
