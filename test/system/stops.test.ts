import { describe, expect } from 'vitest'
import { arrival, ask, askAll, event, names } from './src/events.ts'
import { cannotRun, test } from './src/test.ts'
import { checkDeliveries } from './src/truth.ts'
import { until } from './src/until.ts'

describe.skipIf(cannotRun)('a stop', () => {
  test('that was answered overtakes what is queued', async ({ open }) => {
    const system = await open()
    await system.start()
    const delivery = system.process('delivery')
    delivery.signal('SIGSTOP')
    const others = names('p', 20)
    const stopped = ['optout', 'nosms', 'dead', 'staff']
    await system.publish(askAll([...others, ...stopped], ['mail', 'text']))
    const queued = ({ messages }: { messages: { queued?: number } }) => messages.queued === 48
    await until('all messages are queued', system.status, queued)

    // `publish` wants a 202 for each: from then on it holds.
    await system.publish([event('optout', 'consent.withdrawn.v1', { purpose: 'all' })])
    await system.publish([
      event('nosms', 'consent.withdrawn.v1', { purpose: 'care', channel: 'sms' }),
    ])
    await system.publish([event('dead', 'person.deceased.v1')])
    const answer = await system.wegwijs('stop', 'person', 'ehr:staff', '--reason', 'asked by phone')
    expect(answer.code).toBe(0)
    delivery.signal('SIGCONT')
    await system.settled()

    const references = new Set(system.accepted().map(({ reference }) => reference))
    expect(stopped.filter((subject) => references.has(`${subject}-text`))).toEqual([])
    expect(stopped.filter((subject) => references.has(`${subject}-mail`))).toEqual(['nosms'])
    await expectReasons(system, {
      optout: 'consent_withdrawn',
      dead: 'person_deceased',
      staff: 'person_stopped',
    })
    for (const subject of others) expect(references).toContain(`${subject}-text`)
    expect(await system.brokenRules()).toEqual([])
  })

  test('of everything holds everything, and lets it go once', async ({ open }) => {
    const system = await open()
    await system.start()
    expect((await system.wegwijs('stop', 'all', '--reason', 'a wrong text')).code).toBe(0)
    const people = names('p', 30)
    await system.publish(askAll(people, ['mail', 'text']))
    const held = ({ messages, unsent }: Awaited<ReturnType<typeof system.status>>) =>
      messages.planned === 60 && unsent.length >= 0
    await until('all messages wait', system.status, held)
    await until(
      'each of them says why',
      () => system.explain('p30'),
      (messages) => messages.every(({ reason }) => reason === 'sending_stopped'),
    )
    expect(system.accepted()).toEqual([])
    const resumed = await system.wegwijs('resume', 'all', '--reason', 'the text is right')
    expect(resumed.code).toBe(0)
    await system.settled()
    expect(await checkDeliveries(system, people, ['mail', 'text'])).toEqual({
      unsent: [],
      marked: [],
    })

    // One channel alone: the other goes on.
    expect((await system.wegwijs('stop', 'channel', 'sms', '--reason', 'a test')).code).toBe(0)
    await system.publish([arrival('new'), ask('text', 'new', 'held'), ask('mail', 'new', 'goes')])
    const has = (reference: string) =>
      system.accepted().some((message) => message.reference === reference)
    await until('the mail has come', () => has('goes'))
    const text = async () => (await system.explain('new')).find(({ state }) => state === 'planned')
    await until('the SMS is held', text, (fact) => fact?.reason === 'channel_stopped')
    expect(has('held')).toBe(false)
  })
})

async function expectReasons(
  system: { explain(subject: string): Promise<readonly { reason: string | null }[]> },
  reasons: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [subject, reason] of Object.entries(reasons)) {
    const given = (await system.explain(subject)).map((message) => message.reason)
    expect([subject, ...new Set(given)]).toEqual([subject, reason])
  }
}
