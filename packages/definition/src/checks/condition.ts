import { type Condition, type Leaf, leavesOf } from '@wegwijs/campaign/condition'
import type { Field, FieldType } from '@wegwijs/campaign/definition/field'
import { toInstant } from '@wegwijs/campaign/instant'
import { operatorsOf, valueShapes } from '@wegwijs/campaign/operators'
import { z } from 'zod'
import { type Complaint, type Fault, oneOf, unknownName, withNearest } from '../fault.ts'
import { unlike } from '../schema-faults.ts'
import { about, type Loaded } from './parts.ts'

type Fields = ReadonlyMap<string, Field>

/**
 * Every leaf of a condition against the fields it may name: the field is there, the operator can
 * be used on its type, the value is one that the field can have. A leaf that could never hold is
 * a campaign that silently reaches nobody.
 */
export function checkCondition(
  loaded: Loaded<unknown>,
  path: (string | number)[],
  condition: Condition,
  fields: Fields,
): Fault[] {
  return leavesOf(condition, path).flatMap(({ leaf, path: at }) => {
    const field = fields.get(leaf.field)
    if (!field)
      return [about(loaded, [...at, 'field'], unknownName('field', leaf.field, fields.keys()))]
    const misuse = complaintAboutOperator(leaf, field.type)
    if (misuse) return [about(loaded, [...at, 'op'], misuse)]
    return checkValue(leaf, field).map(({ complaint, index }) =>
      about(loaded, [...at, 'value', ...(index === undefined ? [] : [index])], complaint),
    )
  })
}

const listing = ['in', 'notIn']

function complaintAboutOperator(leaf: Leaf, type: FieldType): Complaint | undefined {
  if (operatorsOf[type].includes(leaf.op)) return undefined
  const message = `"${leaf.op}" cannot be used on ${leaf.field}, which is a ${type}`
  return { message, found: leaf.op }
}

type ValueComplaint = { complaint: Complaint; index?: number }

function checkValue(leaf: Leaf, field: Field): ValueComplaint[] {
  const { op, value } = leaf
  const shape = valueShapes[op]
  if (shape && !shape.fits(value)) return [{ complaint: unlike(shape.expected, value) }]
  if (shape) return complaintsAboutOrder(op, value)
  if (listing.includes(op) || op === 'between') {
    if (!Array.isArray(value)) return [{ complaint: unlike(`a list after "${op}"`, value) }]
    if (op === 'between' && value.length !== 2)
      return [{ complaint: unlike('two values, the smaller one first', value) }]
    const found = value.flatMap((item, index) => {
      const complaint = complaintAboutValue(item, field)
      return complaint ? [{ complaint, index }] : []
    })
    return found.length > 0 || op !== 'between' ? found : complaintsAboutOrder(op, value)
  }
  if (Array.isArray(value))
    return [
      {
        complaint: unlike(
          `one value after "${op}" (a list is for "in", "notIn" and "between")`,
          value,
        ),
      },
    ]
  // What a text contains is a part of a value, not one of the values.
  const isPart = op === 'contains' || op === 'startsWith'
  const complaint = complaintAboutValue(value, isPart ? withoutValues(field) : field)
  return complaint ? [{ complaint }] : []
}

/** Between two values, of which the first is the larger one, nothing ever lies. */
function complaintsAboutOrder(op: Leaf['op'], value: Leaf['value']): ValueComplaint[] {
  if (!Array.isArray(value)) return []
  const [from = 0, to = 0] = value
  if (from <= to) return []
  const message = `nothing lies from ${JSON.stringify(from)} to ${JSON.stringify(to)}: "${op}" takes the smaller one first`
  return [{ complaint: { message, found: String(from) }, index: 0 }]
}

/** What is wrong with a value for a field of this type; undefined when nothing is. */
export function complaintAboutValue(value: unknown, field: Field): Complaint | undefined {
  switch (field.type) {
    case 'number':
      return typeof value === 'number' ? undefined : unlike('a number', value)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : unlike('true or false', value)
    case 'date':
      // By the calendar: no person was born on the 30th of February.
      return z.iso.date().safeParse(value).success
        ? undefined
        : unlike('a day such as "2026-03-14"', value)
    case 'instant':
      return complaintAboutInstant(value)
    case 'text':
      return complaintAboutText(value, field)
  }
}

function complaintAboutText(value: unknown, field: Field): Complaint | undefined {
  const { values } = field
  if (typeof value !== 'string') return unlike('a text', value)
  if (!values || values.includes(value)) return undefined
  return {
    ...unlike(oneOf(values, 'value'), value),
    ...(calledSo(value, field) ?? withNearest(value, values)),
  }
}

/** Who writes what people call a value means that value. */
function calledSo(found: string, { valueLabels = {} }: Field): { nearest: string } | undefined {
  const meant = Object.entries(valueLabels).find(([, { nl, en }]) => found === nl || found === en)
  return meant && { nearest: meant[0] }
}

/** Instants are compared as texts, so another spelling of the same moment would not be equal to it. */
function complaintAboutInstant(value: unknown): Complaint | undefined {
  const complaint = unlike('a moment such as "2026-03-14T08:30:00.000Z"', value)
  if (typeof value !== 'string') return complaint
  try {
    const nearest = toInstant(value)
    return nearest === value ? undefined : { ...complaint, nearest }
  } catch {
    return complaint
  }
}

function withoutValues({ values: _, ...field }: Field): Field {
  return field
}
