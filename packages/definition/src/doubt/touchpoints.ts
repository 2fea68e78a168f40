import type { TouchpointsFile } from '@wegwijs/campaign/definition/touchpoints'
import type { Loaded, Parts } from '../checks/parts.ts'
import type { Path } from '../yaml-source.ts'
import type { OpenNames } from './open-names.ts'
import { heardOf } from './stand-ins.ts'

/**
 * Without the touchpoints and the types that may be told of which something is not known, and without the
 * fields of which that is all that is not. Undefined when nothing is known of a whole list.
 */
export function certainTouchpoints(
  loaded: Parts['touchpoints'],
  open: OpenNames,
): Loaded<TouchpointsFile> | undefined {
  const paths = heardOf(loaded)
  if (!loaded || paths.length === 0) return loaded
  const { value } = loaded
  for (const path of paths) if (!isInField(path, value)) openNamesAt(path, open)
  if (paths.some(isWholeList)) return undefined
  return {
    ...loaded,
    value: {
      ...value,
      touchpoints: certainItems(value.touchpoints, within('touchpoints', paths)),
      emits: certainItems(value.emits, within('emits', paths)),
    },
  }
}

const lists = ['touchpoints', 'emits'] as const
type List = (typeof lists)[number]

function isList(name: unknown): name is List {
  return lists.some((list) => list === name)
}

function isWholeList([list, index]: Path): boolean {
  return isList(list) && typeof index !== 'number'
}

/** The ways from the list to what is not known in it. */
function within(list: List, paths: readonly Path[]): Path[] {
  return paths.filter(([name]) => name === list).map((path) => path.slice(1))
}

type Item = { data: TouchpointsFile['touchpoints'][number]['data'] }

function certainItems<T extends Item>(items: readonly T[], paths: readonly Path[]): T[] {
  return items.flatMap((item, index) => {
    const own = paths.filter(([at]) => at === index).map((path) => path.slice(1))
    if (!own.every((path) => isInFieldOf(item, path))) return []
    const isKnown = (name: string) => !own.some(([, field]) => field === name)
    const data = Object.fromEntries(Object.entries(item.data).filter(([name]) => isKnown(name)))
    return [{ ...item, data }]
  })
}

function isInField([list, index, ...path]: Path, value: TouchpointsFile): boolean {
  const item = isList(list) && typeof index === 'number' ? value[list][index] : undefined
  return item !== undefined && isInFieldOf(item, path)
}

/** Whatever is wrong in a field, it is known that it is there. */
function isInFieldOf({ data }: Item, [key, name]: Path): boolean {
  return key === 'data' && typeof name === 'string' && Object.hasOwn(data, name)
}

function openNamesAt(path: Path, open: OpenNames): void {
  const [list, , key] = path
  if (list === 'publishers') open.kind('publisher')
  else if (!isList(list)) open.kind('type that may be told')
  else if (isWholeList(path)) open.kind('touchpoint', 'entity', 'type that may be told')
  else if (list === 'emits') openNamesOfEmitted(key, open)
  else openNamesOfTouchpoint(key, open)
}

function openNamesOfEmitted(key: Path[number] | undefined, open: OpenNames): void {
  if (key === undefined || key === 'type') open.kind('type that may be told')
}

function openNamesOfTouchpoint(key: Path[number] | undefined, open: OpenNames): void {
  if (key === undefined || key === 'type') open.kind('touchpoint')
  open.kind('entity')
  if (key === undefined || !besideFields.has(key)) open.root('event', 'entity')
}

/** Whatever is wrong with these, all fields of the touchpoint are known. */
const besideFields = new Set<Path[number]>(['type', 'journey', 'phase', 'entity', 'withdraws'])
