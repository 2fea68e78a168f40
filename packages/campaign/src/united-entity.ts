import type { Entity } from './state.ts'

/** An entity of which more is known, and the fields in which the newest version of it differs now. */
export type UnitedEntity = { entity: Entity; changed: ReadonlySet<string> }

/**
 * Makes one of what two tell of the same entity, in whatever order: each field as its newest version says,
 * and of one version as the first of the two does.
 */
export function uniteEntities(one: Entity, other: Entity): UnitedEntity {
  const [newest, older] = one.version >= other.version ? [one, other] : [other, one]
  const data = { ...newest.data }
  const fields = { ...newest.saidIn.fields }
  for (const [field, value] of Object.entries(older.data)) {
    const version = versionOfField(older, field)
    if (version <= versionOfField(newest, field)) continue
    Object.assign(data, { [field]: value })
    if (version < newest.version) fields[field] = version
    else delete fields[field]
  }
  const touchpoints = { ...older.saidIn.touchpoints }
  for (const [type, version] of Object.entries(newest.saidIn.touchpoints))
    touchpoints[type] = Math.max(version, touchpoints[type] ?? version)
  const entity = { ...newest, data, saidIn: { fields, touchpoints } }
  const sameAge = older.version === newest.version ? [newest, older] : [newest]
  return { entity, changed: new Set(sameAge.flatMap((each) => fieldsThatDiffer(entity, each))) }
}

/** Below all versions for a field that it does not have. */
function versionOfField({ data, version, saidIn }: Entity, field: string): number {
  if (!Object.hasOwn(data, field)) return -1
  return saidIn.fields[field] ?? version
}

function fieldsThatDiffer(one: Entity, other: Entity): string[] {
  return Object.keys(one.data).filter(
    (field) => JSON.stringify(one.data[field]) !== JSON.stringify(other.data[field]),
  )
}
