import { expect, test } from 'vitest'
import { newLife, type Operation } from './src/gate.ts'
import { Meetings } from './src/meetings.ts'

const lives = { one: newLife('delivery-1'), other: newLife('delivery-2') }

function operation(who: keyof typeof lives, label: string, behind = ''): Operation {
  return { life: lives[who], label, behind, nth: 1, take: () => undefined }
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

test('holds what stands behind a statement of its transaction, once all has been done that it comes after', () => {
  const [says, hears] = [
    { who: 'delivery-2', what: 'says' },
    { who: 'delivery-2', what: 'hears' },
  ]
  const meetings = new Meetings(
    [
      {
        who: 'delivery-1',
        what: 'commit',
        behind: 'counts',
        after: [says, hears],
        until: [says],
        afresh: true,
      },
    ],
    () => undefined,
  )
  const [other, counted] = [
    operation('one', 'commit', 'looks'),
    operation('one', 'commit', 'counts all'),
  ]
  meetings.hear(operation('other', 'hears'))
  meetings.hear(operation('other', 'says'))
  meetings.look([other, counted], 1)
  expect([other, counted].map((each) => meetings.holds(each))).toEqual([false, false])
  meetings.hear(operation('other', 'hears'))
  meetings.look([other, counted], 2)
  expect([other, counted].map((each) => meetings.holds(each))).toEqual([false, true])
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
