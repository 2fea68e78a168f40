import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Budget } from '@wegwijs/campaign/definition/policies'
import { ownIdSpace } from '@wegwijs/campaign/event-check'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { crashBefore } from '@wegwijs/test-support/crash'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { type SeededMessage, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  onTestFinished,
} from 'vitest'
import { type DatabaseTransaction, openStore, type Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { rekeyPerson } from '../src/merges.ts'
import { abandonClaim, settle } from '../src/settle.ts'
import { stopPerson } from '../src/stops.ts'
import { claimItems, intentOf, itemsOf, releaseAll, untilSomebodyWaits } from './delivery-steps.ts'

/** P3: what was committed before the claim began to look is always seen. */
let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'claim_races')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

beforeEach(async () => {
  await sql`truncate person, person_stop, relation, enrolment, intent, attempt, outbox, counted_message`.execute(
    store.db,
  )
})

afterAll(() => store.close())

async function queuedOne() {
  const [ids] = await seedMessages(store, 1)
  if (!ids) throw new Error('no message')
  return { ids, items: itemsOf(await releaseAll(store)) }
}

const staffStop = (personId: string) =>
  stopPerson(
    store.db,
    { idSpace: ownIdSpace, externalId: personId },
    { reason: 'test', source: 'test' },
  )

const cancel = (tx: DatabaseTransaction | Store['db'], intentId: string) =>
  sql`update intent set state = 'cancelled', reason = 'exit_touchpoint'
    where intent_id = ${intentId} and state in ('planned', 'queued')`.execute(tx)

describe('a claim', () => {
  it('finds nothing to claim after a withdrawal that it had to wait for', async () => {
    const { ids, items } = await queuedOne()
    let claiming: ReturnType<typeof claimItems> | undefined
    await store.db.transaction().execute(async (tx) => {
      await cancel(tx, ids.intentId)
      claiming = claimItems(store, items)
      await untilSomebodyWaits(store)
    })
    expect(await claiming).toMatchObject({ claimed: [], refused: [] })
    expect(await intentOf(store, ids.intentId)).toMatchObject({ state: 'cancelled', fence: 0 })
  })

  it('sees a stop that was committed while it waited for the row', async () => {
    const { ids, items } = await queuedOne()
    let claiming: ReturnType<typeof claimItems> | undefined
    await store.db.transaction().execute(async (tx) => {
      await sql`select from intent where intent_id = ${ids.intentId} for update`.execute(tx)
      claiming = claimItems(store, items)
      await untilSomebodyWaits(store)
      await staffStop(ids.personId)
    })
    expect(await claiming).toMatchObject({
      claimed: [],
      refused: [{ state: 'skipped', reason: 'person_stopped' }],
    })
  })

  it('sees one that was committed while its second look waited, which looks at more (P3)', async () => {
    for (const more of [{ fence: 1 }, { by_age: true }, { instead_of: newUuid() }]) {
      const [ids] = await seedMessages(store, 1, { intent: more })
      if (!ids) throw new Error('no message')
      const items = itemsOf(await releaseAll(store))
      const locked = Promise.withResolvers<void>()
      let stopping: Promise<void> | undefined
      const stopMeanwhile = async () => {
        stopping = store.db.transaction().execute(async (tx) => {
          await sql`select from intent where intent_id = ${ids.intentId} for update`.execute(tx)
          locked.resolve()
          await untilSomebodyWaits(store)
          await staffStop(ids.personId)
        })
        await locked.promise
      }
      const claiming = claimItems(beforeSecondTransaction(store, stopMeanwhile), items)
      expect(await claiming).toMatchObject({
        claimed: [],
        refused: [{ state: 'skipped', reason: 'person_stopped' }],
      })
      await stopping
    }
  })

  it('and a stop at the same time: a stop that was there first is never overlooked', async () => {
    for (let round = 0; round < 30; round += 1) {
      const { ids, items } = await queuedOne()
      let claimBegan = false
      const stopping = staffStop(ids.personId).then(() => !claimBegan)
      // The stop gets a head start that grows, so that some rounds fall on either side.
      for (let step = 0; step < round % 6; step += 1) await sql`select 1`.execute(store.db)
      claimBegan = true
      const { claimed } = await claimItems(store, items)
      if (await stopping) expect(claimed).toEqual([])
      const { state } = await intentOf(store, ids.intentId)
      expect(state).toBe(claimed.length === 1 ? 'sending' : 'skipped')
    }
  })

  it('and a withdrawal at the same time: one of the two has it', async () => {
    for (let round = 0; round < 30; round += 1) {
      const { ids, items } = await queuedOne()
      const [{ claimed }, withdrawn] = await Promise.all([
        claimItems(store, items),
        cancel(store.db, ids.intentId),
      ])
      const { state } = await intentOf(store, ids.intentId)
      expect(state).toBe(claimed.length === 1 ? 'sending' : 'cancelled')
      expect(claimed.length + Number(withdrawn.numAffectedRows)).toBe(1)
    }
  })

  it('of the same job by several workers: each message is claimed once, none is lost', async () => {
    await seedMessages(store, 200)
    const items = itemsOf(await releaseAll(store))
    const results = await Promise.all([
      claimItems(store, items),
      claimItems(store, items.toReversed()),
      claimItems(store, items.slice(50)),
      claimItems(store, items.slice(0, 150)),
    ])
    const claimed = results.flatMap((result) => result.claimed.map((each) => each.intentId))
    expect(claimed).toHaveLength(200)
    expect(new Set(claimed).size).toBe(200)
  })
})

describe('two claims of what one person has a budget for', () => {
  const budgets: Budget[] = [{ id: 'a-day', most: 1, per: 'P1D', classes: ['service'] }]
  const alone = { job_id: 'j', state: 'queued', class: 'service' }
  /** Messages of one person, each in a job of its own. */
  const queuedOf = async (count: number, of?: SeededMessage) => {
    const queued: SeededMessage[] = []
    for (let index = 0; index < count; index += 1) {
      const first = of ?? queued[0]
      const own = first && { person_id: first.personId, enrolment_id: first.enrolmentId }
      const [ids] = await seedMessages(store, 1, { intent: { ...alone, ...own } })
      if (ids) queued.push({ ...ids, personId: first?.personId ?? ids.personId })
    }
    return queued
  }
  const claimOf = (ids: SeededMessage, over: object = {}) =>
    claimItems(store, [{ intentId: ids.intentId, jobId: 'j' }], { budgets, ...over })
  const lockOf = (what: string) =>
    sql`select pg_advisory_xact_lock(hashtextextended(${`${store.namespace} ${what}`}, 0))`
  const lockedBudget = (personId: string) => lockOf(`budget ${personId}`)
  /** One that somebody gets who acts for whom it is about. */
  const messageAbout = async ({ personId }: SeededMessage) => {
    const to = { recipient_id: personId, recipient_as: 'caregiver', recipient_scope: 'care' }
    const [about] = await seedMessages(store, 1, { intent: { ...alone, ...to } })
    if (!about) throw new Error('no message')
    await sql`insert into relation (person_id, other_id, kind, state, scope, at)
      values (${about.personId}, ${personId}, 'caregiver', 'granted', '{care}', now())`.execute(
      store.db,
    )
    return about
  }
  const messageIdOf = async ({ intentId }: SeededMessage) =>
    (await intentOf(store, intentId)).message_id
  /** Whoever counts what they claim waits for a lock before. */
  const waitsToCount = async () => {
    await sql`create function wait_to_count() returns trigger language plpgsql as $$ begin
      perform pg_advisory_xact_lock(hashtextextended(${sql.lit(`${store.namespace} counting`)}, 0));
      return new; end $$`.execute(store.db)
    await sql`create trigger waits before insert on counted_message
      for each row execute function wait_to_count()`.execute(store.db)
    onTestFinished(async () => {
      await sql`drop function wait_to_count cascade`.execute(store.db)
    })
  }
  const become = (tx: DatabaseTransaction, from: SeededMessage, into: SeededMessage) =>
    rekeyPerson(tx, store.namespace, { from: from.personId, into: into.personId })
  const countedOf = async (personId: string) => {
    const { rows } = await sql`select from counted_message where person_id = ${personId}`.execute(
      store.db,
    )
    return rows.length
  }

  it('never both take the last place, in two workers at the same instant (P3)', async () => {
    for (let round = 0; round < 20; round += 1) {
      const [one, other] = await queuedOf(2)
      if (!one || !other) throw new Error('no messages')
      const claiming: ReturnType<typeof claimItems>[] = []
      await store.db.transaction().execute(async (tx) => {
        await lockedBudget(one.personId).execute(tx)
        claiming.push(claimOf(one), claimOf(other))
        await untilSomebodyWaits(store, 2)
      })
      const results = await Promise.all(claiming)
      expect(results.flatMap(({ claimed }) => claimed)).toHaveLength(1)
      expect(results.flatMap(({ refused }) => refused)).toMatchObject([{ reason: 'budget_used' }])
      expect(await countedOf(one.personId)).toBe(1)
    }
  })

  it('nor of somebody who hears of two others beside what is their own (P3)', async () => {
    const [own] = await queuedOf(1)
    if (!own) throw new Error('no message')
    const to = { recipient_id: own.personId, recipient_as: 'caregiver', recipient_scope: 'care' }
    const about = await seedMessages(store, 2, { intent: { ...alone, ...to } })
    await sql`insert into relation (person_id, other_id, kind, state, scope, at)
      select person_id, ${own.personId}, 'caregiver', 'granted', '{care}', now()
      from unnest(${about.map(({ personId }) => personId)}::uuid[]) as person_id`.execute(store.db)
    const claiming: ReturnType<typeof claimItems>[] = []
    await store.db.transaction().execute(async (tx) => {
      await lockedBudget(own.personId).execute(tx)
      claiming.push(...[own, ...about].map((each) => claimOf(each)))
      await untilSomebodyWaits(store, 3)
    })
    const results = await Promise.all(claiming)
    expect(results.flatMap(({ claimed }) => claimed)).toMatchObject([{ receiverId: own.personId }])
    expect(results.flatMap(({ refused }) => refused.map(({ reason }) => reason))).toEqual([
      'budget_used',
      'budget_used',
    ])
    expect(await countedOf(own.personId)).toBe(1)
  })

  it('and what a claim took that is then lost is not counted', async () => {
    const [one, other] = await queuedOf(2)
    if (!one || !other) throw new Error('no messages')
    await expect(
      claimItems(crashBefore(store, 3), [{ intentId: one.intentId, jobId: 'j' }], { budgets }),
    ).rejects.toThrow('the process is dead')
    expect((await claimOf(other)).claimed).toHaveLength(1)
  })

  it('never exceed it, whatever many workers claim, settle and bring again in any order', async () => {
    const two = [{ ...budgets[0], most: 2 }] as Budget[]
    const people = await Promise.all(Array.from({ length: 4 }, () => queuedOf(10)))
    const all = people.flat()
    const jobs = Array.from({ length: 24 }, (_, job) =>
      all
        .filter((_, index) => (index * 7 + job * 5) % 4 === 0)
        .map(({ intentId }) => ({ intentId, jobId: 'j' })),
    )
    const worker = async (own: typeof jobs) => {
      for (const [round, items] of own.entries()) {
        const ordered = round % 2 === 0 ? items : items.toReversed()
        const { claimed } = await claimItems(store, ordered, { budgets: two })
        // Every third comes back, and is brought again.
        const returned = claimed.filter((_, index) => index % 3 === 0)
        const outcome = { kind: 'not_started', reason: 'test' } as const
        await settle(
          store,
          returned.map(({ intentId, fence }) => ({ intentId, fence, outcome })),
        )
        await sql`update intent set state = 'queued', job_id = 'j', due_at = now()
          where intent_id in (select intent_id from intent where state = 'planned'
            order by intent_id for update)`.execute(store.db)
      }
    }
    await Promise.all([0, 1, 2, 3].map((one) => worker(jobs.filter((_, job) => job % 4 === one))))
    for (let round = 0; round < 10; round += 1) {
      const items = all.map(({ intentId }) => ({ intentId, jobId: 'j' }))
      await claimItems(store, items, { budgets: two })
      await sql`update intent set state = 'queued', job_id = 'j', due_at = now()
        where state = 'planned'`.execute(store.db)
    }
    const { rows } = await sql<{ state: string; many: number }>`
      select person_id, count(*)::integer as many from intent where state = 'sending'
      group by person_id`.execute(store.db)
    expect(rows.map(({ many }) => many)).toEqual([2, 2, 2, 2])
    for (const [first] of people) expect(await countedOf(first?.personId ?? '')).toBe(2)
  })

  it('of two records that become one meanwhile: the claim is counted for who is left', async () => {
    const [into] = await queuedOf(1)
    const [from] = await queuedOf(1)
    if (!into || !from) throw new Error('no messages')
    let claiming: ReturnType<typeof claimItems> | undefined
    await store.db.transaction().execute(async (tx) => {
      await become(tx, from, into)
      claiming = claimOf(from)
      await untilSomebodyWaits(store)
    })
    expect((await claiming)?.claimed).toHaveLength(1)
    expect(await countedOf(into.personId)).toBe(1)
    expect((await claimOf(into)).refused).toMatchObject([{ reason: 'budget_used' }])
  })

  it('and a merge that waits for the claim takes what it has counted', async () => {
    const [into] = await queuedOf(1)
    const [from] = await queuedOf(1)
    if (!into || !from) throw new Error('no messages')
    const claimed: unknown[] = []
    let merging: Promise<void> | undefined
    await store.db.transaction().execute(async (tx) => {
      await lockedBudget(from.personId).execute(tx)
      const claiming = claimOf(from).then(({ claimed: own }) => claimed.push(...own))
      await untilSomebodyWaits(store)
      merging = store.db.transaction().execute((other) => become(other, from, into))
      await untilSomebodyWaits(store, 2)
      merging = Promise.all([merging, claiming]).then(() => undefined)
    })
    await merging
    expect(claimed).toHaveLength(1)
    expect(await countedOf(into.personId)).toBe(1)
  })

  it('and so does one of somebody who hears of another, whose own messages it does not wait for (P3)', async () => {
    const [into] = await queuedOf(1)
    const [from] = await queuedOf(1)
    if (!into || !from) throw new Error('no messages')
    const about = await messageAbout(from)
    await waitsToCount()
    let both: Promise<unknown> | undefined
    await store.db.transaction().execute(async (tx) => {
      await lockOf('counting').execute(tx)
      const claiming = claimOf(about)
      await untilSomebodyWaits(store)
      const merging = store.db.transaction().execute((other) => become(other, from, into))
      both = Promise.all([merging, claiming])
      await Promise.race([merging, untilSomebodyWaits(store, 2)])
    })
    await both
    expect(await countedOf(into.personId)).toBe(1)
    expect((await claimOf(into)).refused).toMatchObject([{ reason: 'budget_used' }])
  })

  it('of whom one hears of another as a record that becomes the other meanwhile (P3)', async () => {
    const [into] = await queuedOf(1)
    const [from] = await queuedOf(1)
    if (!into || !from) throw new Error('no messages')
    const about = await messageAbout(from)
    await waitsToCount()
    const [same, counting] = [
      lockOf(`message ${about.enrolmentId} ${await messageIdOf(about)}`),
      lockOf('counting'),
    ]
    const claiming: ReturnType<typeof claimItems>[] = []
    await store.db.transaction().execute(async (later) => {
      await counting.execute(later)
      await store.db.transaction().execute(async (merge) => {
        await store.db.transaction().execute(async (tx) => {
          await same.execute(tx)
          claiming.push(claimOf(about))
          await untilSomebodyWaits(store)
          await become(merge, from, into)
        })
        // It waits for the merge, as the other one does not.
        await untilSomebodyWaits(store)
        claiming.push(claimOf(into))
        await untilSomebodyWaits(store, 2)
      })
      await untilSomebodyWaits(store, 2)
    })
    const results = await Promise.all(claiming)
    expect(results.flatMap(({ claimed }) => claimed)).toHaveLength(1)
    expect(results.flatMap(({ refused }) => refused)).toMatchObject([{ reason: 'budget_used' }])
    expect(await countedOf(into.personId)).toBe(1)
  })
})

describe('a claim whose connection ends while it waits for a lock', () => {
  it('can be given back though PostgreSQL carries it out later: it has all of it (P2)', async () => {
    const { ids, items } = await queuedOne()
    const link = await openLink(inject('servers').databaseUrl)
    onTestFinished(link.close)
    const { namespace } = store
    const worker = openStore({
      databaseUrl: link.databaseUrl,
      namespace,
      applicationName: namespace,
    })
    onTestFinished(worker.close)
    await sql`select 1`.execute(worker.db)
    const claimId = newUuid()
    let givingBack: Promise<number> | undefined
    await store.db.transaction().execute(async (tx) => {
      await sql`select from intent where intent_id = ${ids.intentId} for update`.execute(tx)
      const claiming = claimItems(worker, items, { claimId })
      await untilSomebodyWaits(store)
      link.cut()
      await expect(claiming).rejects.toMatchObject({ retryable: true })
      givingBack = abandonClaim(store, claimId, [ids.intentId])
      await untilSomebodyWaits(store, 2)
    })
    expect(await givingBack).toBe(1)
    expect(await intentOf(store, ids.intentId)).toMatchObject({ state: 'planned' })
  })
})

describe('a claim with a refusal that others are to be told of', () => {
  const queuedTwo = async () => {
    const [fine, over] = await seedMessages(store, 2)
    if (!fine || !over) throw new Error('no messages')
    const items = itemsOf(await releaseAll(store))
    await sql`update intent set expires_at = now() - interval '1 day'
      where intent_id = ${over.intentId}`.execute(store.db)
    return { fine: fine.intentId, over: over.intentId, items }
  }

  it('does not wait for its lock with what it has claimed (P3)', async () => {
    const { fine, over, items } = await queuedTwo()
    const letGo = Promise.withResolvers<void>()
    let holding: Promise<void> | undefined
    const lockOver = async () => {
      const locked = Promise.withResolvers<void>()
      holding = store.db.transaction().execute(async (tx) => {
        await sql`select from intent where intent_id = ${over} for update`.execute(tx)
        locked.resolve()
        await letGo.promise
      })
      await locked.promise
    }
    const { claimed, refused } = await claimItems(beforeSecondTransaction(store, lockOver), items)
    letGo.resolve()
    await holding
    expect([claimed.map(({ intentId }) => intentId), refused]).toEqual([[fine], []])
    expect(await intentOf(store, over)).toMatchObject({ state: 'queued' })
  })

  it('keeps what it has claimed when the refusal fails; that one is brought again', async () => {
    const { fine, over, items } = await queuedTwo()
    const dying = crashBefore(store, 4)
    const { claimed, refused } = await claimItems(dying, items)
    expect([claimed.map(({ intentId }) => intentId), refused]).toEqual([[fine], []])
    expect(await intentOf(store, over)).toMatchObject({ state: 'queued' })
    const again = await claimItems(store, items)
    expect([again.claimed, again.refused.map(({ state }) => state)]).toEqual([[], ['expired']])
  })

  it('fails with the refusal when it has claimed nothing', async () => {
    const { over, items } = await queuedTwo()
    const refused = items.filter(({ intentId }) => intentId === over)
    await expect(claimItems(crashBefore(store, 4), refused)).rejects.toThrow('the process is dead')
    expect(await intentOf(store, over)).toMatchObject({ state: 'queued' })
  })
})

/** The same store, on which something happens before its second transaction begins. */
function beforeSecondTransaction(on: Store, happen: () => Promise<void>): Store {
  let count = 0
  const transaction = () => ({
    execute: async (work: Parameters<ReturnType<Store['db']['transaction']>['execute']>[0]) => {
      count += 1
      if (count === 2) await happen()
      return on.db.transaction().execute(work)
    },
  })
  const db = new Proxy(on.db, {
    get: (target, name) => {
      if (name === 'transaction') return transaction
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return { ...on, db }
}

/** PostgreSQL behind a link that can end for us alone: PostgreSQL is left with what it has. */
async function openLink(databaseUrl: string) {
  const url = new URL(databaseUrl)
  const there = { host: url.hostname, port: Number(url.port || 5432) }
  const ours: Socket[] = []
  const theirs: Socket[] = []
  const server = createServer((socket) => {
    const target = connect(there)
    for (const end of [socket, target]) end.on('error', () => undefined)
    socket.pipe(target, { end: false })
    target.pipe(socket, { end: false })
    ours.push(socket)
    theirs.push(target)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const cut = () => {
    for (const socket of ours) socket.destroy()
  }
  return {
    databaseUrl: url.href,
    cut,
    close: async () => {
      cut()
      for (const socket of theirs) socket.destroy()
      server.close()
    },
  }
}
