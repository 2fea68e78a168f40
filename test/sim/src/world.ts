import { createMemoryBroker, type MemoryBroker } from '@wegwijs/kafka/memory'
import type { OutgoingRecord } from '@wegwijs/kafka/port'
import { createMemoryQueue, type MemoryQueue } from '@wegwijs/queue/memory'
import type { DeliveryJob } from '@wegwijs/queue/port'
import { makeIdsFrom } from '@wegwijs/runtime/derived-id'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { applyDefinition } from '@wegwijs/store/definitions'
import type { Wake } from '@wegwijs/store/wake'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { isUrgent, topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import type { CompiledQuery, QueryResult } from 'kysely'
import { App } from './app.ts'
import { Chance } from './chance.ts'
import { chapters } from './chapters/all.ts'
import type { Chapter } from './chapters/chapter.ts'
import { clinic } from './clinic.ts'
import type { Happening } from './drafts.ts'
import { readEnding, readRemains, wereQueued } from './ending.ts'
import { Gate, type Life, newLife, type Operation } from './gate.ts'
import { gatedKafka } from './gated-kafka.ts'
import { gatedStore } from './gated-store.ts'
import type { SimulatedDatabase } from './ground.ts'
import { type Ending, type Entry, History, type Told } from './history.ts'
import { Meetings } from './meetings.ts'
import { People } from './people.ts'
import { createProviders, type Taken } from './provider.ts'
import { Staff } from './staff.ts'
import {
  type Fault,
  type FaultKind,
  type Story,
  type WorkerKind,
  workerKinds,
  worldSlot,
} from './story.ts'
import { createWorker, type Door, leaseMs, type Worker } from './workers.ts'

/** What came of a story. */
export type Outcome = {
  readonly entries: readonly Entry[]
  readonly ending: Ending | null
  /** Why the world could not come to an end, or what no model is needed for to be wrong. */
  readonly breakdown: string | null
  readonly steps: number
  /** Of what was to go wrong in it, what did. */
  readonly faults: readonly FaultKind[]
}

const sources = { ehr: 'urn:test:ehr', crm: 'urn:test:crm', staff: 'staff' } as const
/** Steps of the world after which a story that is not over is taken for stuck. */
const mostSteps = 20_000
/** Looks at nothing new before the world is taken for stuck: sweeps come every few seconds. */
const mostIdleLooks = 60

/** Plays a story to its end, one operation after the other. */
export async function play(story: Story, database: SimulatedDatabase): Promise<Outcome> {
  const world = new World(story, database)
  const undo = makeIdsFrom(world.ids)
  try {
    return await world.play()
  } finally {
    undo()
  }
}

class World {
  readonly ids
  readonly #story: Story
  readonly #database: SimulatedDatabase
  readonly #chance: Chance
  readonly #gate: Gate
  readonly #history: History
  readonly #broker: MemoryBroker
  readonly #queue: MemoryQueue
  readonly #workers: Worker[]
  readonly #beginsMs: number
  readonly #meetings: Meetings
  readonly #chapter: Chapter | null
  readonly #people: People
  readonly #staff: Staff
  readonly #done = new Set<Fault>()
  readonly #apart = new WeakSet<OutgoingRecord>()
  readonly #read = new Map<string, bigint>()
  readonly #held = new Map<string, number>()
  readonly #restarts = new Map<Worker, number>()
  readonly #faults: Fault[]
  readonly #happened: FaultKind[] = []
  #actors = 0
  #steps = 0
  #calm = false
  #last = ''
  #now: string
  #leisure: number
  #leisurelyLooks = 0
  #shownMs = -1
  #ids = 0
  #awayUntil = 0

  constructor(story: Story, database: SimulatedDatabase) {
    this.#story = story
    this.#database = database
    this.#beginsMs = Date.parse(story.begins)
    this.#chapter = story.chapter && chapters[story.chapter]
    this.#now = story.begins
    this.#leisure = story.leisure
    this.#meetings = new Meetings(story.meetings, (text) => this.#note(text))
    this.#chance = new Chance(`world ${story.seed}`)
    this.#gate = new Gate(database.watch)
    this.#history = new History(() => ({ ms: this.#gate.nowMs, now: this.#now }))
    this.#faults = [...story.faults]
    this.ids = {
      bytes: () => {
        this.#ids += 1
        return this.#chance.bytes(16, 'id', this.#ids)
      },
      epochMs: () => this.#beginsMs + this.#gate.nowMs,
    }
    const machine: Life = newLife('machine')
    const clock = this.#gate.clockOf(machine, { beginsMs: 0, epochMs: this.#beginsMs })
    this.#broker = createMemoryBroker({
      clock,
      // Publishers that hash otherwise than we do.
      partitionOf: (record, usual) => (this.#apart.has(record) ? 1 - usual : usual),
    })
    this.#queue = createMemoryQueue({ clock })
    let calls = 0
    const nextCall = () => {
      calls += 1
      return calls
    }
    const app = new App({ history: this.#history, gate: this.#gate, nextCall })
    const providers = createProviders({
      nextCall,
      history: this.#history,
      chance: this.#chance,
      roughness: () => (this.#calm ? 0 : story.roughness),
      manners: story.manners,
      folds: story.folds,
      onTaken: (taken) => {
        this.#expectReceipts(taken)
        this.#people.onTaken(taken)
      },
    })
    this.#people = new People({
      chance: this.#chance,
      gate: this.#gate,
      history: this.#history,
      store: database.store,
      now: () => this.#now,
      act: (slot, work) => this.#act(slot, work),
      askGateway: (life, label, ask) => this.#askGateway(life, label, ask),
      storeOf: (life) => this.#storeOf(life),
    })
    this.#staff = new Staff({
      gate: this.#gate,
      chapter: this.#chapter,
      store: database.store,
      act: (slot, work) => this.#act(slot, work),
      isAway: (...about) => !this.#calm && this.#chance.is(0.4, ...about),
      storeOf: (life) => this.#storeOf(life),
      publisherOf: (life) => {
        const parts = { gate: this.#gate, life, chance: this.#chance, onRead: () => undefined }
        return gatedKafka(this.#broker, parts).publisher
      },
      setBrokerAway: (isAway) => this.#broker.unavailable(isAway),
    })
    const ground = {
      gate: this.#gate,
      chance: this.#chance,
      connections: database.connections,
      heard: {
        answered: (
          life: Life,
          query: CompiledQuery,
          result: QueryResult<unknown>,
          begun: number,
        ) => {
          app.answered(life, query, result)
          this.#hear(life, query, result, begun)
        },
        committed: (life: Life, queries: readonly CompiledQuery[]) =>
          this.#noteSettled(life, queries),
        moment: () => this.#history.moment(),
      },
      broker: this.#broker,
      queue: this.#queue,
      providers,
      app,
      history: this.#history,
      onRead: (topic: string, partition: number, offset: bigint) =>
        this.#noteRead(topic, partition, offset),
      onAdd: (jobs: readonly DeliveryJob[]) => this.#noteAdded(jobs),
      beginsMs: this.#beginsMs,
    }
    this.#workers = workerKinds.flatMap((kind: WorkerKind) =>
      Array.from({ length: story.workers[kind] }, (_, index) =>
        createWorker(kind, index + 1, ground),
      ),
    )
  }

  async play(): Promise<Outcome> {
    await this.#lay()
    for (const worker of this.#workers) worker.start()
    this.#begin()
    const breakdown = (await this.#live()) ?? this.#failed()
    const ending = breakdown === null ? await this.#end() : null
    for (const worker of this.#workers) worker.kill()
    await this.#gate.quiet()
    const faults = this.#happened
    return { entries: this.#history.entries, ending, breakdown, steps: this.#steps, faults }
  }

  async #lay(): Promise<void> {
    const { store, clear, setMachineTime } = this.#database
    await clear()
    await setMachineTime(this.#story.begins)
    await stepBusinessTime(store.db, this.#story.begins)
    const { published } = this.#chapter ?? { published: clinic }
    await applyDefinition(store, published, 'simulation')
    await this.#broker.admin.ensureTopics(topicConfigs(store.namespace, { partitions: 2 }))
  }

  /** Publishers and whoever steps business time: they act through the same gate. */
  #begin(): void {
    const streams = Map.groupBy(
      this.#story.happenings,
      ({ publisher, subject }) => `${publisher} about ${subject}`,
    )
    for (const [slot, happenings] of streams)
      this.#act(slot, (life) => this.#tell(life, happenings))
    this.#act('calendar', async (life) => {
      for (const minutes of this.#story.steps) {
        await this.#gate.pass(life, `${minutes} minutes pass`, () => this.#stepBy(minutes))
      }
    })
  }

  #act(slot: string, work: (life: Life) => Promise<void>): void {
    this.#actors += 1
    void work(newLife(slot)).then(() => {
      this.#actors -= 1
    })
  }

  /** A publisher says the next thing when the last one is kept, and goes on asking until it is. */
  async #tell(life: Life, happenings: readonly Happening[]): Promise<void> {
    for (const happening of happenings) {
      if (happening.publisher === 'staff') {
        await this.#direct(life, happening)
        continue
      }
      const event = await this.#gate.pass(life, `thinks of ${happening.id}`, () =>
        eventOf(happening, this.#now),
      )
      const clock = this.#gate.clockOf(life, { beginsMs: 0, epochMs: 0 })
      let kept = 0
      for (let tries = 1; kept < happening.times; tries += 1) {
        const isKept = happening.isDoubled
          ? await this.#sayToBoth(life, happening, { event, tries })
          : await this.#say(life, happening, { event, tries })
        if (isKept) kept += 1
        else await clock.sleep(2_000)
      }
    }
  }

  /** The same at the same time, to one gateway and to another one; true when either has kept it. */
  async #sayToBoth(
    life: Life,
    happening: Happening,
    { event, tries }: { event: TouchpointEvent; tries: number },
  ): Promise<boolean> {
    const twin = newLife(`${life.slot}, once more`)
    const kept = await Promise.all([
      this.#say(life, happening, { event, tries, gateway: 0 }),
      this.#say(twin, happening, { event, tries, gateway: 1 }),
    ])
    return kept.includes(true)
  }

  async #say(
    life: Life,
    { id, by }: Happening,
    { event, tries, gateway }: { event: TouchpointEvent; tries: number; gateway?: number },
  ): Promise<boolean> {
    const told = toldOf(event)
    const isApart = by === 'kafka' && this.#story.partitionsApart && !isUrgent(event.type)
    const said = () =>
      this.#history.add({ kind: 'said', event: told, by, ...(isApart && { isApart }) })
    const isLost = () => !this.#calm && this.#chance.is(0.1, 'lost answer', id, tries)
    const kept = await (by === 'http'
      ? this.#sayOverHttp(life, event, { said, gateway })
      : this.#gate.pass(life, `says ${id} on Kafka: ${event.type}`, async () => {
          said()
          if (isLost()) this.#broker.loseNextAnswer()
          return this.#publish(event, isApart).then(
            () => true,
            () => false,
          )
        }))
    await this.#gate.pass(
      life,
      kept ? `is answered: ${id} is kept` : `is not answered: ${id}`,
      () => {
        if (kept) this.#history.add({ kind: 'kept', event: told.key, by })
      },
    )
    return kept
  }

  async #publish(event: TouchpointEvent, isApart: boolean): Promise<void> {
    const topics = topicsOf(this.#database.store.namespace)
    const topic = isUrgent(event.type) ? topics.urgent : topics.touchpoints
    const record = { topic, ...encodeRecord(event) }
    if (isApart) this.#apart.add(record)
    await this.#broker.publisher.publish([record], { deadlineMs: 5_000 })
  }

  /** False when the gateway does not answer, or says that it could not keep it. */
  async #sayOverHttp(
    life: Life,
    event: TouchpointEvent,
    { said, gateway }: { said: () => void; gateway: number | undefined },
  ): Promise<boolean> {
    const label = `says ${event.id} over HTTP: ${event.type}`
    const ask = async (door: Door | null) => {
      said()
      const idSpace = event.source === sources.ehr ? 'ehr' : 'crm'
      const [answer] = (await door?.keep([{ event, idSpace }])) ?? []
      return answer?.kind === 'kept'
    }
    return this.#askGateway(life, label, ask, gateway)
  }

  /**
   * Asks a gateway that runs: of several any one of them, or the one that comes after so many others. False
   * when there is none, or it dies meanwhile.
   */
  async #askGateway(
    life: Life,
    label: string,
    ask: (door: Door | null) => Promise<boolean> | undefined,
    after?: number,
  ): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    await this.#gate.pass(life, label, () => {
      const open = this.#workers.filter(({ kind, door }) => kind === 'gateway' && door !== null)
      const before = after ?? this.#chance.whole(open.length, 'gateway', label, this.#steps)
      const gateway = open[before % open.length]
      gateway?.life?.mourners.push(() => resolve(false))
      const answer = ask(gateway?.door ?? null) ?? Promise.resolve(false)
      void answer.then(resolve, () => resolve(false))
    })
    return promise
  }

  /** Providers say what became of what they took: late, twice, in any order, or not at all. */
  #expectReceipts(taken: Taken): void {
    if (this.#story.silent) return
    const { call, text } = taken
    const statuses = [
      'delivered',
      'delivered',
      'opened',
      'bounced',
      'complained',
      'replied',
    ] as const
    if (this.#chance.is(0.4, 'silent', text, call)) return
    this.#report(taken, `r${call}`, this.#chance.pick(statuses, 'status', text, call))
    if (this.#chance.is(0.5, 'says no more', text, call)) return
    const later = ['delivered', 'opened', 'bounced'] as const
    this.#report(taken, `s${call}`, this.#chance.pick(later, 'later status', text, call))
  }

  #report(
    { call, channel, intent, text }: Taken,
    receiptId: string,
    status: 'delivered' | 'opened' | 'bounced' | 'complained' | 'replied',
  ): void {
    const times = this.#chance.is(0.3, 'twice', text, call) ? 2 : 1
    const detail = status === 'replied' ? { detail: 'STOP' } : {}
    const receipt = { receiptId, reference: intent, status, at: this.#now, ...detail }
    const event = `receipt ${receiptId}`
    const report = { kind: 'reported', event, status, call, channel, text } as const
    this.#act(`provider of call ${call}, ${receiptId}`, async (life) => {
      const clock = this.#gate.clockOf(life, { beginsMs: 0, epochMs: 0 })
      for (let kept = 0; kept < times; ) {
        const isKept = await this.#askGateway(life, `reports ${status} of ${text}`, (door) => {
          this.#history.add(report)
          return door?.receive(receipt, channel === 'email' ? 'smtp' : 'sms')
        })
        await this.#gate.pass(life, isKept ? 'is answered' : 'is not answered', () => {
          if (isKept) this.#history.add({ kind: 'kept', event, by: 'http' })
        })
        if (isKept) kept += 1
        else await clock.sleep(2_000)
      }
    })
  }

  /** Every statement of theirs stands at the gate. */
  #storeOf(life: Life) {
    return gatedStore(this.#database.connections, {
      gate: this.#gate,
      life,
      heard: {
        answered: () => undefined,
        committed: () => undefined,
        moment: () => 0,
      },
      listen: async () => ({ close: async () => undefined }),
    })
  }

  /** Staff do it, and say so when it is done. */
  async #direct(life: Life, happening: Happening): Promise<void> {
    const { id, type } = happening
    const event = await this.#gate.pass(life, `thinks of ${id}`, () =>
      eventOf(happening, this.#now),
    )
    const told = toldOf(event)
    await this.#gate.pass(life, `does ${id}: ${type}`, () => {
      this.#history.add({ kind: 'said', event: told, by: 'http' })
    })
    await this.#staff.direct(life, happening)
    this.#history.add({ kind: 'kept', event: told.key, by: 'http' })
  }

  async #stepBy(minutes: number): Promise<void> {
    await this.#stepTo(new Date(Date.parse(this.#now) + minutes * 60_000).toISOString())
  }

  async #stepTo(instant: string): Promise<void> {
    await stepBusinessTime(this.#database.store.db, instant)
    this.#now = instant
    this.#history.add({ kind: 'business', instant })
    this.#callOut('clock')
  }

  /** Lets one operation after the other through; returns why that cannot go on, or null at the end. */
  async #live(): Promise<string | null> {
    let idleLooks = 0
    for (;;) {
      await this.#gate.quiet()
      this.#steps += 1
      if (this.#steps > mostSteps) return 'stuck: it does not come to an end'
      await this.#worldFaults()
      this.#restart()
      for (const _ of this.#meetings.look(this.#gate.standing(), this.#steps)) this.#leap()
      if (this.#mayRest() && this.#chance.is(0.01, 'calm', this.#steps)) this.#rest()
      if (this.#chance.is(0.03, 'looks for tasks', this.#steps)) await this.#takeTasks()
      const operation = this.#choose()
      if (operation) {
        await this.#let(operation)
        continue
      }
      if (this.#gate.waiting > 0) {
        // Nobody else can go on: who stands still may be the one that has the lock.
        if (this.#meetings.isHolding || this.#held.size > 0) this.#letEverybodyGoOn()
        else await this.#gate.untilUnlocked()
        continue
      }
      if (this.#meetings.isHolding) {
        if (this.#meetings.mayWait()) await this.#waitForThem()
        else this.#meetings.giveUp()
        continue
      }
      if (await this.#goOnWithoutThem()) continue
      if (this.#held.size > 0 || this.#restarts.size > 0) {
        this.#held.clear()
        for (const worker of this.#restarts.keys()) this.#restarts.set(worker, 0)
        continue
      }
      if (this.#actors > 0 && this.#pass()) continue
      if (await this.#takeTasks()) continue
      if (await this.#lookAgain()) continue
      if (!this.#calm && (await this.#goOnAtLeisure())) continue
      if (!this.#calm) {
        this.#rest()
        continue
      }
      const { open, due } = await readRemains(this.#database.store)
      const behind = this.#behind()
      // Who waits to tell once more of a message that is over has its job in hand still.
      const isOver = this.#workers.every(({ jobs }) => jobs === 0) || idleLooks > 10
      if (open === 0 && !behind && due === null && isOver) return null
      if (open === 0 && !behind && due !== null && due > this.#now) {
        idleLooks = 0
        await this.#stepTo(due)
      } else idleLooks += 1
      if (idleLooks > mostIdleLooks) return `stuck: ${open} things are due and nobody does them`
      if (!this.#pass()) return 'stuck: nobody will ever look again'
    }
  }

  /** Nurses look at their list; false when nothing on it is new, or there are none. */
  async #takeTasks(): Promise<boolean> {
    return this.#story.chapter === 'asks' && (await this.#people.takeTasks())
  }

  /** Staff look at what was put aside once nobody is at anything any more; false when it can lie there. */
  async #lookAgain(): Promise<boolean> {
    if (!this.#calm || this.#story.chapter !== 'put aside' || this.#actors > 0) return false
    return !this.#behind() && (await this.#staff.lookAgain())
  }

  #letEverybodyGoOn(): void {
    this.#meetings.giveUp()
    this.#held.clear()
  }

  /** Time passes, as far as a retry is away, for those who may come to meet whoever stands still. */
  async #waitForThem(): Promise<void> {
    const { due } = await readRemains(this.#database.store)
    const isNear = due !== null && Date.parse(due) <= Date.parse(this.#now) + 3_600_000
    if (isNear && due > this.#now) await this.#stepTo(due)
    this.#history.add({ kind: 'disturbed' })
    this.#pass()
  }

  /** Business time goes on to what is due next; false when nothing is, or it has done so enough. */
  async #goOnAtLeisure(): Promise<boolean> {
    if (this.#leisure === 0) return false
    const { open, due } = await readRemains(this.#database.store)
    if (open > 0 || this.#behind()) {
      this.#leisurelyLooks += 1
      return this.#leisurelyLooks <= mostIdleLooks && this.#pass()
    }
    this.#leisurelyLooks = 0
    this.#leisure -= 1
    if (due === null || due <= this.#now) return false
    await this.#stepTo(due)
    return true
  }

  /** Machine time goes on beyond every lease. */
  #leap(): void {
    this.#history.add({ kind: 'disturbed' })
    this.#gate.advanceTo(this.#gate.nowMs + leaseMs + 1_000)
  }

  /** While somebody is paused the days of the others may go on. */
  async #goOnWithoutThem(): Promise<boolean> {
    if (this.#held.size === 0 || !this.#chance.is(0.6, 'without them', this.#steps)) return false
    const { due } = await readRemains(this.#database.store)
    if (due !== null && due > this.#now) await this.#stepTo(due)
    this.#history.add({ kind: 'disturbed' })
    return this.#pass()
  }

  /** Where there is a situation to come about, or leisure, it is waited for. */
  #mayRest(): boolean {
    const { theme, leisure } = this.#story
    return !this.#calm && this.#actors === 0 && theme === null && leisure === 0
  }

  /** No more faults: everybody runs again, and providers take what they are given. */
  #rest(): void {
    this.#calm = true
    this.#meetings.end()
    this.#faults.length = 0
    this.#held.clear()
    this.#broker.unavailable(false)
    this.#queue.unavailable(false)
    for (const worker of this.#workers) if (worker.life === null) this.#restarts.set(worker, 0)
    this.#history.add({ kind: 'fault', text: 'from here on nothing goes wrong any more' })
  }

  #may = (life: Life): boolean => !this.#held.has(life.slot)

  /** The operation that is let through next: which one follows from the seed alone. */
  #choose(): Operation | null {
    const standing = this.#gate
      .standing()
      .filter((operation) => this.#may(operation.life) && !this.#meetings.holds(operation))
    if (standing.length === 0) return null
    if (!this.#calm && this.#chance.is(this.#story.haste, 'haste', this.#steps)) {
      this.#history.add({ kind: 'disturbed' })
      this.#pass()
    }
    const patient = standing.filter(
      ({ life, nth }) =>
        life.slot === this.#last &&
        this.#chance.is(this.#story.patience, 'patience', life.slot, nth),
    )
    const among = patient.length > 0 ? patient : standing
    return among.reduce((best, each) => (this.#lotOf(each) > this.#lotOf(best) ? each : best))
  }

  #lotOf({ life, nth, label }: Operation): number {
    return this.#chance.number('turn', life.slot, nth, label)
  }

  async #let(operation: Operation): Promise<void> {
    const { life, nth, label } = operation
    const worker = this.#workers.find((each) => each.life === life)
    this.#last = life.slot
    const fault = worker ? this.#faultAt(life.slot, nth, label) : null
    if (fault && worker && this.#meddle(fault, worker, operation)) return
    await this.#showTime()
    this.#history.add({ kind: 'operation', slot: life.slot, label })
    this.#meetings.hear(operation)
    for (const each of this.#faults) {
      if (each.slot === life.slot && each.after && label.includes(each.after)) this.#done.add(each)
    }
    if (fault?.kind === 'lose the answer') {
      this.#note(`${life.slot} hears nothing of it`)
      this.#gate.release(operation, { lost: new Error('Connection terminated unexpectedly') })
    } else if (fault?.kind === 'kill after' && worker) {
      const fatal = () => this.#kill(worker, `is killed when that is done (${label})`)
      this.#gate.release(operation, { fatal })
    } else this.#gate.release(operation)
  }

  #faultAt(slot: string, nth: number, label = ''): Fault | null {
    const index = this.#faults.findIndex(
      (fault) =>
        fault.slot === slot &&
        fault.at <= nth &&
        label.includes(fault.on ?? '') &&
        (fault.after === undefined || this.#done.has(fault)),
    )
    const [fault] = index < 0 ? [] : this.#faults.splice(index, 1)
    if (fault) this.#happened.push(fault.kind)
    return fault ?? null
  }

  /** True when the operation is not let through now. */
  #meddle(fault: Fault, worker: Worker, { label, life }: Operation): boolean {
    switch (fault.kind) {
      case 'kill before':
        this.#kill(worker, `is killed before it can do this: ${label}`)
        return true
      case 'kill and forget the queue':
        this.#kill(worker, `is killed before it can do this: ${label}`)
        this.#note('the queue forgets everything')
        this.#queue.wipe()
        return true
      case 'pause': {
        this.#note(`${worker.slot} is paused beyond its lease, before this: ${label}`)
        this.#held.set(life.slot, this.#steps + 30 + this.#chance.whole(200, 'pause', fault.at))
        this.#leap()
        return true
      }
      case 'terminate':
        this.#note(`${worker.slot} is told to stop`)
        this.#noteGone(worker)
        worker.terminate()
        this.#restarts.set(worker, Number.POSITIVE_INFINITY)
        return false
      case 'expel':
        this.#note(`${worker.slot} is taken for dead, its partitions go to others`)
        worker.expel()
        return false
      case 'broker away':
        this.#note(`the broker is away when ${worker.slot} does this: ${label}`)
        this.#broker.unavailable(true)
        this.#awayUntil = this.#steps + 5 + this.#chance.whole(60, 'away', label)
        return false
      case 'run the job twice':
        this.#note(`what ${worker.slot} has in hand is given to another one too`)
        worker.stallJobs()
        return false
      default:
        return false
    }
  }

  #note(text: string): void {
    this.#history.add({ kind: 'fault', text })
  }

  #noteGone({ life }: Worker): void {
    const worker = life && `${life.slot} ${life.nth}`
    this.#history.add({ kind: 'disturbed', ...(worker && { worker }) })
  }

  #kill(worker: Worker, how: string): void {
    this.#note(`${worker.slot} ${how}`)
    this.#noteGone(worker)
    worker.kill()
    this.#restarts.set(
      worker,
      this.#steps + this.#chance.whole(120, 'restart', worker.slot, this.#steps),
    )
  }

  /** Starts those again whose time has come, and lets those go on that were paused. */
  #restart(): void {
    for (const [slot, until] of this.#held) if (until <= this.#steps) this.#held.delete(slot)
    for (const worker of this.#workers) {
      if (worker.life === null && !this.#restarts.has(worker)) {
        this.#restarts.set(worker, this.#steps + 20)
      }
      const at = this.#restarts.get(worker)
      if (worker.life !== null) {
        if (at !== Number.POSITIVE_INFINITY) this.#restarts.delete(worker)
        continue
      }
      if (at === Number.POSITIVE_INFINITY) this.#restarts.set(worker, this.#steps + 20)
      else if (at !== undefined && at <= this.#steps) {
        this.#restarts.delete(worker)
        this.#note(`${worker.slot} starts again`)
        worker.start()
      }
    }
  }

  async #worldFaults(): Promise<void> {
    if (this.#awayUntil !== 0 && this.#awayUntil <= this.#steps) {
      this.#awayUntil = 0
      this.#broker.unavailable(false)
      this.#queue.unavailable(false)
      this.#note('the broker and the queue are there')
    }
    for (;;) {
      const fault = this.#faultAt(worldSlot, this.#steps)
      if (!fault) return
      this.#note(fault.kind)
      if (fault.kind === 'forget the queue') this.#queue.wipe()
      if (fault.kind === 'replay') await this.#replay()
      const away = { 'queue away': this.#queue, 'broker away': this.#broker }[fault.kind as string]
      if (away) {
        away.unavailable(true)
        this.#awayUntil = this.#steps + 20 + this.#chance.whole(100, 'away', fault.at)
      }
    }
  }

  /** Everything that publishers ever said on Kafka comes once more, in its order. */
  async #replay(): Promise<void> {
    const topics = topicsOf(this.#database.store.namespace)
    for (const topic of [topics.urgent, topics.touchpoints]) {
      const records = this.#broker.records(topic)
      await this.#broker.publisher
        .publish(
          records.map(({ key, value, headers }) => ({
            topic,
            key: key?.toString() ?? '',
            value,
            headers,
          })),
          { deadlineMs: 1_000 },
        )
        .catch(() => undefined)
    }
  }

  /** Lets time pass until the next sleeper is due; false when nobody sleeps. */
  #pass(): boolean {
    const next = this.#gate.nextDueMs(this.#may)
    if (next === null) return false
    this.#gate.advanceTo(next)
    return true
  }

  async #showTime(): Promise<void> {
    if (this.#shownMs === this.#gate.nowMs) return
    this.#shownMs = this.#gate.nowMs
    await this.#database.setMachineTime(new Date(this.ids.epochMs()).toISOString())
  }

  #hear(life: Life, query: CompiledQuery, result: QueryResult<unknown>, begun: number): void {
    if (query.sql.includes('pg_notify')) {
      const [, topics] = query.parameters as [string, readonly Wake[]]
      for (const topic of topics) this.#callOut(topic)
    }
    if (!query.sql.includes('look as materialized')) return
    type Row = { intent_id: string | null; next_state: string; is_left: boolean }
    for (const row of result.rows as Row[]) {
      if (row.intent_id === null || row.is_left || row.next_state !== 'sending') continue
      const worker = `${life.slot} ${life.nth}`
      this.#history.add({ kind: 'claimed', worker, intent: row.intent_id, begun })
    }
  }

  /** What was attempted comes as an array for each column, of which the ids of messages are the second. */
  #noteSettled({ slot, nth }: Life, queries: readonly CompiledQuery[]): void {
    for (const { sql, parameters } of queries) {
      if (!sql.includes('with written as materialized')) continue
      for (const [intent] of String(parameters[1]).matchAll(/[0-9a-f-]{36}/g))
        this.#history.add({ kind: 'settled', worker: `${slot} ${nth}`, intent })
    }
  }

  /** A call that somebody may hear, or nobody: it is only ever a hint. */
  #callOut(topic: Wake): void {
    for (const worker of this.#workers) {
      if (this.#chance.is(0.15, 'missed call', worker.slot, this.#steps)) continue
      worker.wake(topic)
    }
  }

  #noteRead(topic: string, partition: number, offset: bigint): void {
    const place = `${topic} ${partition}`
    const known = this.#read.get(place) ?? 0n
    if (offset <= known) return
    this.#read.set(place, offset)
    for (const record of this.#broker.records(topic)) {
      if (record.partition !== partition || record.offset < known || record.offset >= offset)
        continue
      const { ce_source: source, ce_id: id } = record.headers
      const isOurs = String(source).startsWith('urn:wegwijs')
      const event = isOurs ? `receipt ${id}` : `${source} ${id} ${record.key}`
      this.#history.add({ kind: 'read', event })
    }
  }

  /** Looked at from outside: what nobody has committed is not there. */
  async #noteAdded(jobs: readonly DeliveryJob[]): Promise<void> {
    for (const { jobId, intents } of jobs) {
      const kept = await wereQueued(this.#database.store, intents)
      this.#history.add({ kind: 'added', job: jobId, kept })
    }
  }

  /** True while there is something in Kafka that nobody has read. */
  #behind(): boolean {
    const { urgent, touchpoints } = topicsOf(this.#database.store.namespace)
    return [urgent, touchpoints].some((topic) =>
      this.#broker
        .records(topic)
        .some(({ partition, offset }) => offset >= (this.#read.get(`${topic} ${partition}`) ?? 0n)),
    )
  }

  #failed(): string | null {
    const broken = this.#workers.find((worker) => worker.failure !== undefined)
    return broken ? `${broken.slot} ended by itself: ${String(broken.failure)}` : null
  }

  async #end(): Promise<Ending> {
    await this.#database.setMachineTime(
      new Date(this.#beginsMs + this.#gate.nowMs + 60_000).toISOString(),
    )
    return readEnding(this.#database.store, {
      endOffsets: this.#broker.admin.endOffsets,
      queue: this.#queue.queue,
      sleep: async () => undefined,
    })
  }
}

function eventOf(happening: Happening, now: string): TouchpointEvent {
  const { id, publisher, type, subject, data, entity, version, minutesAgo } = happening
  return {
    id,
    source: sources[publisher],
    type,
    subject,
    time: new Date(Date.parse(now) - minutesAgo * 60_000).toISOString(),
    data: data as TouchpointEvent['data'],
    ...(entity !== undefined && { entity, version: version ?? 1 }),
  }
}

function toldOf(event: TouchpointEvent): Told {
  const { id, source, subject, type, time, data, entity, version } = event
  return {
    key: `${source} ${id} ${subject}`,
    publisher: source,
    subject,
    id,
    type,
    time,
    data,
    ...(entity !== undefined && { entity }),
    ...(version !== undefined && { version }),
  }
}
