import { expect, test } from 'vitest'
import { newLife, type Operation } from './src/gate.ts'
import { Meetings } from './src/meetings.ts'

const lives = { one: newLife('delivery-1'), other: newLife('delivery-2') }

function operation(who: keyof typeof lives, label: string): Operation {
  return { life: lives[who], label, nth: 1, take: () => undefined }
}

test('holds whoever comes until it has been done what they wait for', () => {
  const meetings = new Meetings(
    [{ who: 'delivery-1', what: 'gives', until: [{ who: 'delivery-2', what: 'commit' }] }],
    () => undefined,
  )
  const gives = operation('one', 'gives it')
  meetings.look([gives], 1)
  expect(meetings.holds(gives)).toBe(true)
  meetings.hear(operation('one', 'commit'))
  expect(meetings.holds(gives)).toBe(true)
  meetings.hear(operation('other', 'commit'))
  expect(meetings.holds(gives)).toBe(false)
})

test('lets the one that stood still go first when somebody else comes to the same', () => {
  const until = [{ who: 'delivery', what: 'gives', isStanding: true }]
  const meetings = new Meetings(
    [{ who: 'delivery', what: 'settles', paused: true, until, thenUntil: 'commit' }],
    () => undefined,
  )
  const [settles, sweeps] = [operation('one', 'settles'), operation('one', 'sweeps')]
  expect(meetings.look([settles, sweeps], 1)).toEqual([lives.one])
  expect(meetings.holds(sweeps)).toBe(true)
  const gives = operation('other', 'gives')
  meetings.look([settles, sweeps, gives], 2)
  expect([settles, sweeps, gives].map((each) => meetings.holds(each))).toEqual([false, false, true])
  meetings.hear(operation('one', 'commit'))
  expect(meetings.isHolding).toBe(false)
})

test('waits for nobody for ever', () => {
  const never = { who: 'nobody', what: 'nothing' }
  const meetings = new Meetings(
    [{ who: 'delivery', what: 'gives', until: [never] }],
    () => undefined,
  )
  const gives = operation('one', 'gives')
  meetings.look([gives], 1)
  let looks = 0
  while (meetings.mayWait() && looks < 1_000) looks += 1
  expect(looks).toBeLessThan(100)
  meetings.giveUp()
  expect(meetings.holds(gives)).toBe(false)
  meetings.look([gives], 2)
  expect(meetings.holds(gives)).toBe(false)
})
