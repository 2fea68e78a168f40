import {
  mayPublish,
  type Publisher,
  type TouchpointsFile,
} from '@wegwijs/campaign/definition/touchpoints'
import { isOwnType, reservedTypes } from '@wegwijs/campaign/reserved-types'
import { type Complaint, type Fault, withNearest } from '../fault.ts'
import { about, type Loaded } from './parts.ts'

/** What a publisher may tell is something that there is, and not ours. */
export function checkPublishers(loaded: Loaded<TouchpointsFile>): Fault[] {
  return loaded.value.publishers.flatMap((publisher, index) =>
    publisher.types.flatMap((pattern, position) => {
      const complaint = complaintAboutPattern(pattern, loaded.value)
      return complaint ? [about(loaded, ['publishers', index, 'types', position], complaint)] : []
    }),
  )
}

/**
 * Whether a publisher may tell of a type, as far as is known: a pattern by which no touchpoint is called stands for
 * the one that it looks like, or for whatever its author meant. That it is wrong is told where it stands.
 */
export function mayTell({ types }: Publisher, type: string, file: TouchpointsFile): boolean {
  return types.some((pattern) => {
    const complaint = complaintAboutPattern(pattern, file)
    if (!complaint) return mayPublish([pattern], type)
    if (isOwnType(pattern)) return false
    return complaint.nearest === undefined || mayPublish([complaint.nearest], type)
  })
}

function complaintAboutPattern(
  pattern: string,
  { touchpoints }: TouchpointsFile,
): Complaint | undefined {
  if (isOwnType(pattern))
    return { message: `"${pattern}" is published by Wegwijs alone`, found: pattern }
  const types = [...touchpoints.map(({ type }) => type), ...Object.keys(reservedTypes)]
  if (types.some((type) => mayPublish([pattern], type))) return undefined
  const patterns = pattern.endsWith('.*') ? types.flatMap(patternsOf) : types
  return {
    message: `no touchpoint is called "${pattern}"`,
    found: pattern,
    hangsOn: 'touchpoint',
    ...withNearest(
      pattern,
      patterns.filter((known) => !isOwnType(known)),
    ),
  }
}

/** `care.intake.done.v1` → `care.*`, `care.intake.*`, `care.intake.done.*` */
function patternsOf(type: string): string[] {
  const parts = type.split('.').slice(0, -1)
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('.')}.*`)
}
