import type { World } from '../world.ts'

/** Each with as many events as this, for four messages a person. */
const REQUESTS = 12
const PEOPLE_A_REQUEST = 10

/** Publishes over HTTP that the gateway has in its hands. */
export type UnfinishedPublishes = {
  /** Those that nobody has acknowledged yet. */
  unfinished(): number
  /** Resolves when all of it is acknowledged: what breaks off is said again. */
  taken(): Promise<unknown>
}

/** Resolves as soon as the gateway has taken one of many that came at once. */
export async function publishAtOnce(world: World, name: string): Promise<UnfinishedPublishes> {
  let unfinished = REQUESTS
  const publishes = Array.from({ length: REQUESTS }, async (_, index) => {
    await world.load.wave(`${name}${index + 1}-`, PEOPLE_A_REQUEST)
    unfinished -= 1
  })
  const taken = Promise.all(publishes)
  // Told by `taken`.
  taken.catch(() => {})
  // At once: what is looked at now and then may all be over by then.
  await Promise.race(publishes)
  return { unfinished: () => unfinished, taken: () => taken }
}
