import { type Alias, type Document, isAlias, isCollection, isNode, isPair, type Node } from 'yaml'
import { type Complaint, unknownName } from './fault.ts'
import { mostLevels, tooDeep } from './yaml-levels.ts'

/** Values that the aliases of a document may add to those that are written in it. */
const mostUnfolded = 10_000

/** Something of a document that cannot be read; `offset` is that of its first character. */
type UnfoldingFault = { offset: number; complaint: Complaint }

/**
 * The first place at which a document cannot be unfolded: an alias to nothing; one within what it stands
 * for, which never ends; more than a hundred levels, also when only aliases make them; aliases that stand
 * for too much together. Undefined when there is none.
 */
export function findUnfoldingFault({ contents }: Document): UnfoldingFault | undefined {
  const look: Look = { named: new Map(), sizes: new Map(), unfolded: 0, found: undefined }
  measure(contents, 0, look)
  return look.found
}

/** How deep something goes, and how many values it has, with its aliases unfolded. */
type Size = { levels: number; values: number }

const nothing: Size = { levels: 0, values: 0 }

type Look = {
  /** What each name stands for at the place that is looked at. */
  named: Map<string, Node>
  /** Of all that was looked at; what is not there yet is being looked at. */
  sizes: Map<Node, Size>
  unfolded: number
  found: UnfoldingFault | undefined
}

/**
 * The size of `part`, which stands within `depth` others. Everything is looked at once: an alias comes
 * after what it stands for, whose size is known by then, or it stands within it.
 */
function measure(part: unknown, depth: number, look: Look): Size {
  if (look.found !== undefined) return nothing
  if (isPair(part)) return together([part.key, part.value], depth, look)
  if (!isNode(part)) return nothing
  if (isAlias(part)) return measureAlias(part, depth, look)
  if (part.anchor) look.named.set(part.anchor, part)
  const size = isCollection(part)
    ? measureWithin(part, part.items, depth, look)
    : { levels: 0, values: 1 }
  look.sizes.set(part, size)
  return size
}

function measureWithin(holder: Node, items: readonly unknown[], depth: number, look: Look): Size {
  if (depth === mostLevels) tell(holder, tooDeep, look)
  const { levels, values } = together(items, depth + 1, look)
  return { levels: levels + 1, values: values + 1 }
}

function together(parts: readonly unknown[], depth: number, look: Look): Size {
  return parts.reduce<Size>(({ levels, values }, part) => {
    const size = measure(part, depth, look)
    return { levels: Math.max(levels, size.levels), values: values + size.values }
  }, nothing)
}

function measureAlias(alias: Alias, depth: number, look: Look): Size {
  const found = `*${alias.source}`
  const meant = look.named.get(alias.source)
  const size = meant && look.sizes.get(meant)
  if (!size) {
    const message = `"${found}" stands within what it stands for, and so on without end`
    const names = [...look.named.keys()].map((name) => `*${name}`)
    tell(alias, meant ? { message, found } : unknownName('alias', found, names), look)
    return nothing
  }
  look.unfolded += size.values
  if (depth + size.levels > mostLevels) tell(alias, tooDeep, look)
  if (look.unfolded > mostUnfolded) tell(alias, { message: tooMuch, found }, look)
  return size
}

const tooMuch = 'what the aliases (*) of this file stand for is too much to unfold'

function tell({ range }: Node, complaint: Complaint, look: Look): void {
  look.found ??= { offset: range?.[0] ?? 0, complaint }
}
