import { replayLetters } from '@wegwijs/cli/replay-letters'
import type { EventPublisher } from '@wegwijs/kafka/port'
import type { Store } from '@wegwijs/store/database'
import { replayOrder } from '@wegwijs/store/dead-letters'
import { applyDefinition } from '@wegwijs/store/definitions'
import { allowReach } from '@wegwijs/store/reach'
import { liftOperation, type OperationScope, stopOperation, stopPerson } from '@wegwijs/store/stops'
import { sql } from 'kysely'
import type { Chapter } from './chapters/chapter.ts'
import type { Happening } from './drafts.ts'
import type { Gate, Life } from './gate.ts'

/** What staff need of the world. */
type Surroundings = {
  readonly gate: Gate
  readonly chapter: Chapter | null
  /** Looked at from outside. */
  readonly store: Store
  act(slot: string, work: (life: Life) => Promise<void>): void
  /** Whether somebody is out of luck. */
  isAway(...about: readonly (string | number)[]): boolean
  storeOf(life: Life): Store
  publisherOf(life: Life): EventPublisher
  setBrokerAway(isAway: boolean): void
}

const words = { reason: 'asked for', source: 'staff' }
/** Of a person of whom nothing can be decided, since this cannot be read. */
const unreadable = JSON.stringify({ k3v9: { '20515': 'twice' } })
/** Of what is put aside since something stored is in its way. */
const errorClass = 'apply_failed'

/**
 * Staff: they stop a person at the desk, or a part of everything for a while, let go on, publish, and have what was
 * put aside done after all, when they have mended what was in its way.
 */
export class Staff {
  readonly #world: Surroundings
  readonly #damaged = new Set<string>()
  #looks = 0

  constructor(world: Surroundings) {
    this.#world = world
  }

  async direct(life: Life, happening: Happening): Promise<void> {
    const { type, subject, data, id } = happening
    const store = this.#world.storeOf(life)
    const operation = { scope: data.scope as OperationScope, target: String(data.target) }
    switch (type) {
      case 'staff.person.stopped': {
        const idSpace = String(data.idSpace ?? 'ehr')
        await stopPerson(store.db, { idSpace, externalId: subject }, words)
        return
      }
      case 'staff.reach.allowed':
        await allowReach(store, String(data.campaign), Number(data.more), words)
        return
      case 'staff.version.applied': {
        const later = this.#world.chapter?.later?.[String(data.version)]
        if (later) await applyDefinition(store, later, 'staff')
        return
      }
      case 'staff.operation.stopped':
        await stopOperation(store.db, operation, words)
        return
      case 'staff.operation.lifted':
        await liftOperation(store.db, operation, words)
        return
      case 'staff.record.damaged':
        this.#damaged.add(subject)
        return setHappened(store, subject, unreadable)
      case 'staff.record.mended':
        await setHappened(store, subject, '{}')
        this.#damaged.delete(subject)
        return
      case 'staff.letters.replayed': {
        if (happening.isDoubled) {
          const again = `${life.slot}, somebody else`
          this.#world.act(again, (other) => this.#replay(other, `${id} again`))
        }
        return this.#replay(life, id)
      }
      default:
        throw new RangeError(`staff know nothing of ${type}`)
    }
  }

  /** When all is at rest they mend what is damaged still, and replay what lies there still; false when nothing does. */
  async lookAgain(): Promise<boolean> {
    const { store, act } = this.#world
    const open = await replayOrder(store.db, { errorClass })
    if (open.length === 0 && this.#damaged.size === 0) return false
    this.#looks += 1
    const name = `staff looking again, ${this.#looks}`
    act(name, async (life) => {
      for (const subject of this.#damaged)
        await setHappened(this.#world.storeOf(life), subject, '{}')
      this.#damaged.clear()
      await this.#replay(life, name)
    })
    return true
  }

  /** All that is open, as `wegwijs dead-letters replay` does, until none of it failed. */
  async #replay(life: Life, id: string): Promise<void> {
    const { gate, storeOf, publisherOf, isAway, setBrokerAway } = this.#world
    const { db } = storeOf(life)
    const clock = gate.clockOf(life, { beginsMs: 0, epochMs: 0 })
    for (let tries = 1; ; tries += 1) {
      const letters = await replayOrder(db, { errorClass })
      const away = tries === 1 && letters.length > 0 && isAway('broker of staff', id)
      if (away) setBrokerAway(true)
      const isDone = await replayLetters(db, publisherOf(life), letters).then(
        () => true,
        () => false,
      )
      if (away) setBrokerAway(false)
      if (isDone) return
      await clock.sleep(2_000)
    }
  }
}

async function setHappened({ db }: Store, subject: string, happened: string): Promise<void> {
  await sql`update person set happened = ${happened}::jsonb where person_id = (
    select person_id from person_identity where id_space = 'ehr' and external_id = ${subject})`.execute(
    db,
  )
}
