import { createAppChannel } from '@wegwijs/channels/app'
import type { Channel, OutgoingMessage } from '@wegwijs/channels/port'
import { createAppInbox } from '@wegwijs/store/app-inbox'
import type { Store } from '@wegwijs/store/database'
import type { CompiledQuery, QueryResult } from 'kysely'
import type { Gate, Life } from './gate.ts'
import type { History } from './history.ts'
import { textOf } from './provider.ts'

type Put = { readonly message: OutgoingMessage; call: number | null }

/**
 * The app of everybody, which is a table of ours: the channel and the inbox are the real ones. It is given a message
 * when the statement is carried out that puts it there, for whichever claim still runs then.
 */
export class App {
  readonly #history: History
  readonly #gate: Gate
  readonly #nextCall: () => number
  readonly #puts = new Map<string, Put>()
  readonly #there = new Set<string>()

  constructor(world: { history: History; gate: Gate; nextCall: () => number }) {
    this.#history = world.history
    this.#gate = world.gate
    this.#nextCall = world.nextCall
  }

  channel({ store, life }: { store: Store; life: Life }): Channel {
    const channel = createAppChannel(createAppInbox(store.db))
    return {
      ...channel,
      send: async (message, signal) => {
        const put: Put = { message, call: null }
        this.#puts.set(placeOf(life, message.intentId), put)
        const outcome = await channel.send(message, signal)
        const { call } = put
        if (call !== null) this.#history.add({ kind: 'answered', call, answer: outcome.kind })
        return outcome
      },
    }
  }

  answered(life: Life, { sql }: CompiledQuery, { rows }: QueryResult<unknown>): void {
    if (!sql.includes('insert into app_message')) return
    for (const { intent_id: intent } of rows as { intent_id: string }[]) {
      const put = this.#puts.get(placeOf(life, intent))
      if (put) this.#give(life, put)
    }
  }

  #give({ slot, nth }: Life, put: Put): void {
    const { message } = put
    const { intentId: intent } = message
    const call = this.#nextCall()
    put.call = call
    this.#history.add({
      kind: 'given',
      call,
      worker: `${slot} ${nth}`,
      intent,
      channel: 'app',
      to: message.to,
      text: textOf(message).text,
      marked: message.duplicate,
      key: message.idempotencyKey,
      begunMs: this.#gate.nowMs,
      expiresAt: message.expiresAt,
      folds: true,
    })
    // What stands there already is left as it is.
    if (this.#there.has(intent)) return
    this.#there.add(intent)
    this.#history.add({ kind: 'taken', call })
  }
}

function placeOf({ slot, nth }: Life, intent: string): string {
  return `${slot} ${nth} ${intent}`
}
