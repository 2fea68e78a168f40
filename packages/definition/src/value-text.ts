import type { JsonValue } from '@wegwijs/campaign/json'
import { stringify } from 'yaml'

/** A value as a file of a definition has it: YAML, long texts folded at 100 characters. */
export function valueText(value: JsonValue): string {
  return stringify(value, { lineWidth: 100, aliasDuplicateObjects: false }).trimEnd()
}
