import { describe, expect } from 'vitest'
import { arrival, ask, event, names } from './src/events.ts'
import { cannotRun, test } from './src/test.ts'
import { until } from './src/until.ts'

describe.skipIf(cannotRun)('two organisations on the same servers', () => {
  test('do not see each other', async ({ open }) => {
    const [linden, elms] = [await open({ as: 'linden' }), await open({ as: 'elms' })]
    await Promise.all([linden.start(), elms.start()])
    // The same people by name, and the same ids of events: only the namespace differs.
    const people = names('p', 20)
    const events = [
      ...people.map((subject) => arrival(subject)),
      ...people.map((subject) => ask('mail', subject, `${subject}-mail`)),
      ...people.map((subject) => ask('note', subject, `${subject}-note`)),
    ]
    await linden.publish(events)
    await elms.publish(events.slice(0, 30))
    const [ofLinden, ofElms] = [await linden.settled(), await elms.settled()]
    expect([ofLinden.events, ofElms.events].map((count) => count >= 30)).toEqual([true, true])
    const referencesOf = (system: typeof linden) =>
      system
        .accepted()
        .map(({ reference }) => reference)
        .sort()
    expect(referencesOf(linden)).toEqual(people.map((subject) => `${subject}-mail`).sort())
    expect(referencesOf(elms)).toEqual(
      people
        .slice(0, 10)
        .map((subject) => `${subject}-mail`)
        .sort(),
    )

    // A key, a stop, an opt-out of one mean nothing to the other.
    const { body, headers } = { body: '{}', headers: { authorization: `Bearer ${elms.key}` } }
    expect((await linden.post(body, headers)).status).toBe(401)
    expect((await elms.wegwijs('stop', 'all', '--reason', 'a test')).code).toBe(0)
    await elms.publish([event('late', 'consent.withdrawn.v1', { purpose: 'all' })])
    await linden.publish([arrival('late'), ask('mail', 'late', 'after')])
    await until('the message of the other has come', () => referencesOf(linden).includes('after'))
    const inbox = await linden.inbox('p2')
    expect(inbox).toEqual(['p2-note'])
    expect(await elms.inbox('p2')).toEqual([])
    for (const system of [linden, elms]) expect(await system.brokenRules()).toEqual([])
  })
})
