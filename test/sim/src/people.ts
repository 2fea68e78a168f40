import type { Store } from '@wegwijs/store/database'
import { listTasks, sayTaskDone } from '@wegwijs/store/tasks'
import type { Chance } from './chance.ts'
import { answers, outcomes, question } from './chapters/asks.ts'
import type { Gate, Life } from './gate.ts'
import type { History, Told } from './history.ts'
import type { Taken } from './provider.ts'
import { type Door, secret } from './workers.ts'

/** What people and nurses need of the world. */
type Surroundings = {
  readonly chance: Chance
  readonly gate: Gate
  readonly history: History
  /** Looked at from outside. */
  readonly store: Store
  now(): string
  act(slot: string, work: (life: Life) => Promise<void>): void
  askGateway(
    life: Life,
    label: string,
    ask: (door: Door | null) => Promise<boolean> | undefined,
  ): Promise<boolean>
  storeOf(life: Life): Store
}

/** People who answer what they are asked, or not, or twice, or late; and nurses who say what came of a call. */
export class People {
  readonly #world: Surroundings
  readonly #asked = new Map<string, Taken>()
  readonly #known = new Set<string>()

  constructor(world: Surroundings) {
    this.#world = world
  }

  /** Somebody has got a message. */
  onTaken(taken: Taken): void {
    const { chance } = this.#world
    const [id, ref = ''] = taken.text.split(' ')
    if (id === question) {
      this.#asked.set(ref, taken)
      const how = chance.pick(
        ['not', 'once', 'once', 'both', 'both', 'late'] as const,
        'answers',
        ref,
      )
      const said = { not: [], late: [], both: answers, once: [chance.pick(answers, 'which', ref)] }[
        how
      ]
      for (const answer of said) this.#answer(taken, answer)
    }
    const asked = id === 'nudge' ? this.#asked.get(ref) : undefined
    if (asked && chance.is(0.5, 'late after all', ref)) this.#answer(asked, 'good')
  }

  #answer({ intent, text, call }: Taken, answer: string): void {
    const { act, askGateway, gate, history, chance, now } = this.#world
    const id = `${intent}-${answer}`
    const event = toldOf(`answers`, id, 'message.answered.v1', { text, says: answer }, now())
    const receipt = { receiptId: `a${call}-${answer}`, reference: intent, answer } as const
    const times = chance.is(0.3, 'twice', text, answer) ? 2 : 1
    act(`person of ${text}, ${answer}`, async (life) => {
      const clock = gate.clockOf(life, { beginsMs: 0, epochMs: 0 })
      for (let kept = 0; kept < times; ) {
        const isKept = await askGateway(life, `answers ${answer} to ${text}`, (door) => {
          history.add({ kind: 'said', event, by: 'http' })
          return door?.receive({ ...receipt, status: 'answered', at: now() }, 'smtp')
        })
        await gate.pass(life, isKept ? 'is answered' : 'is not answered', () => {
          if (isKept) history.add({ kind: 'kept', event: event.key, by: 'http' })
        })
        if (isKept) kept += 1
        else await clock.sleep(2_000)
      }
    })
  }

  /** Nurses take what is new on their list; false when nothing is. */
  async takeTasks(): Promise<boolean> {
    const { store, chance } = this.#world
    const open = await listTasks(store.db, { team: null, state: 'open', limit: 50 })
    const fresh = open.filter(({ taskId }) => !this.#known.has(taskId))
    for (const { taskId, personId } of fresh) {
      this.#known.add(taskId)
      const how = chance.pick(['not', 'once', 'once', 'both', 'both'] as const, 'does', taskId)
      const once = [chance.pick(outcomes, 'outcome', taskId)]
      for (const outcome of { not: [], once, both: outcomes }[how])
        this.#sayDone({ taskId, personId, outcome })
    }
    return fresh.length > 0
  }

  /** Two nurses may say so at once; the first word counts. */
  #sayDone(done: { taskId: string; personId: string; outcome: string }): void {
    const { act, gate, history, storeOf, now } = this.#world
    const { taskId, personId, outcome } = done
    const data = { says: outcome }
    const event = { ...toldOf('tasks', `${taskId}-${outcome}`, 'task.done.v1', data, now()) }
    act(`nurse ${outcome} ${taskId}`, async (life) => {
      await gate.pass(life, `says ${outcome}`, () => {
        history.add({ kind: 'said', event: { ...event, subject: personId }, by: 'kafka' })
      })
      const said = { taskId, outcome, by: outcome }
      if ((await sayTaskDone(storeOf(life), said, secret)).refusal === null)
        history.add({ kind: 'kept', event: event.key, by: 'kafka' })
    })
  }
}

/** An event of our own, as the records call it. */
function toldOf(source: string, id: string, type: string, data: Told['data'], time: string): Told {
  const publisher = `urn:wegwijs:${source}`
  return { key: `receipt ${id}`, publisher, subject: '', id, type, time, data }
}
