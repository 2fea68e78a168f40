import {
  instantOf,
  isLocalMoment,
  resolveLocalMoment,
} from '@wegwijs/campaign/specification/local-moment'
import type { Complaint, Fault } from '../fault.ts'
import { unlike } from '../schema-faults.ts'
import type { Path } from '../yaml-source.ts'
import { about } from './parts.ts'
import type { Looked } from './specifications.ts'

export function checkMoments({ loaded, specification, path }: Looked, timeZone: string): Fault[] {
  const past = specification.given['happened before']
  return [
    ...momentsOf(past, [...path, 'given', 'happened before']),
    ...momentsOf(specification, path),
  ].flatMap(({ text, path: where }) => {
    const complaint = complaintAboutMoment(text, timeZone)
    return complaint ? [about(loaded, where, complaint)] : []
  })
}

const momentKeys = [
  'at',
  'heard at',
  'planned for',
  'due',
  'for',
  'entered',
  'waits until',
  'goal reached',
  'until',
]

/** Every moment under `path`, but for the ones in the data of events: which those are their fields say. */
function momentsOf(value: unknown, path: Path): { text: string; path: Path }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key]
    if (key === 'data' || key === 'fields' || key === 'given') return []
    return momentKeys.includes(key) && typeof inner === 'string'
      ? [{ text: inner, path: here }]
      : momentsOf(inner, here)
  })
}

/** In the nights in which the clocks change a time may come twice, or not at all. */
export function complaintAboutMoment(value: unknown, timeZone: string): Complaint | undefined {
  if (typeof value !== 'string' || !isLocalMoment(value)) {
    return unlike('a moment such as "2026-03-14 09:30"', value)
  }
  const resolved = resolveLocalMoment(value, timeZone)
  if ('instant' in resolved) return undefined
  const ways = resolved.ways.map((way) => `"${way}"`).join(' or ')
  const does = resolved.fault === 'skipped' ? `skip ${value}` : `show ${value} twice`
  return { message: `the clocks of ${timeZone} ${does}; expected ${ways}`, found: value }
}

/** What is heard of earlier stands earlier. */
export function checkOrder({ loaded, specification, path }: Looked, timeZone: string): Fault[] {
  const { given, when, until } = specification
  const past = (given['happened before'] ?? []).map(({ at: text }, index) => ({
    path: ['given', 'happened before', index, 'at'],
    text,
    at: instantOf(text, timeZone),
  }))
  const lines = when.map((happening, index) => {
    const late = 'heard at' in happening ? happening['heard at'] : undefined
    const key = late === undefined ? 'at' : 'heard at'
    const text = late ?? happening.at
    const [at, happened] = [text, happening.at].map((each) => instantOf(each, timeZone))
    return { path: ['when', index, key], text, at: at ?? '', happened: happened ?? '' }
  })
  const last =
    until === undefined ? [] : [{ path: ['until'], text: until, at: instantOf(until, timeZone) }]
  const all: { path: Path; text: string; at: string; happened?: string }[] = [
    ...past,
    ...lines,
    ...last,
  ]
  return all.flatMap(({ path: where, text, at, happened = at }, index) => {
    const complain = (message: string) => [
      about(loaded, [...path, ...where], { message, found: text }),
    ]
    if (at < happened) return complain('nobody hears of it before it happens')
    const before = all[index - 1]?.at ?? ''
    return at < before ? complain('this is before what stands above it') : []
  })
}
