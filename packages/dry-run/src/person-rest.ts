import type { PersonState } from '@wegwijs/campaign/state'

/**
 * A person in one text, for as long as nothing happens to them: maps and sets of objects cost memory
 * and every pass of the garbage collector, a text hardly does. Whatever members a state has, maps and
 * sets among them, come back as they were.
 */
export function pack(state: PersonState): string {
  return JSON.stringify(
    Object.entries(state).map(([name, member]: [string, unknown]) => {
      if (member instanceof Map) return member.size > 0 ? [name, 'map', [...member]] : [name, 'map']
      if (member instanceof Set) return member.size > 0 ? [name, 'set', [...member]] : [name, 'set']
      return [name, '', member]
    }),
  )
}

export function unpack(text: string): PersonState {
  const members = JSON.parse(text) as [string, string, never?][]
  return Object.fromEntries(
    members.map(([name, kind, value]) => {
      if (kind === 'map') return [name, new Map(value ?? [])]
      if (kind === 'set') return [name, new Set(value ?? [])]
      return [name, value]
    }),
  ) as PersonState
}
