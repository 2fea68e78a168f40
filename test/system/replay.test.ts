import { groupsOf, topicsOf } from '@wegwijs/wire/topics'
import { describe, expect } from 'vitest'
import { askAll, event, names } from './src/events.ts'
import { cannotRun, test } from './src/test.ts'
import { checkDeliveries } from './src/truth.ts'

describe.skipIf(cannotRun)('a topic that is replayed', () => {
  test('from offset 0, and its records published anew thrice: nothing is sent again', async ({
    open,
  }) => {
    const system = await open()
    await system.start()
    const people = names('p', 60)
    await system.publish(askAll(people, ['mail', 'text']))
    await system.publish(names('gone', 5).map((subject) => event(subject, 'person.deceased.v1')))
    const first = await system.settled()
    const accepted = system.handOvers()
    expect(accepted).toHaveLength(120)

    // A consumer that has lost its place: the position in PostgreSQL is the only one that counts.
    const { touchpoints, urgent } = topicsOf(system.namespace)
    system.process('journey').signal('SIGTERM')
    expect(await system.process('journey').ended).toBe(0)
    const groups = groupsOf(system.namespace)
    await system.control.forgetGroups([groups.touchpoints, groups.urgent])
    await system.start('journey')
    await system.settled()

    // A publisher, or a mirror of the cluster, that sends everything once more: the same bytes.
    let copies = 0
    for (const topic of [touchpoints, urgent]) {
      const records = await system.recordsOf(topic)
      const again = records.map(({ key, value, headers }) => ({
        topic,
        key: String(key),
        value,
        headers,
      }))
      for (let time = 1; time <= 3; time += 1) {
        await system.kafka.publisher.publish(again, { deadlineMs: 30_000 })
        copies += again.length
      }
    }
    const last = await system.settled()

    expect(system.handOvers()).toEqual(accepted)
    expect(last).toMatchObject({
      events: first.events,
      people: first.people,
      messages: first.messages,
      deadLetters: { open: 0 },
    })
    const duplicates = last.positions.reduce((sum, position) => sum + position.duplicates, 0)
    expect(duplicates).toBe(copies)
    await checkDeliveries(system, people, ['mail', 'text'])
    expect(await system.brokenRules()).toEqual([])
  })
})
