import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, type Draft } from '../drafts.ts'
import type { Ending, Told } from '../history.ts'
import { type Call, type Heard, identityOf, type Sight } from '../sight.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/**
 * Whoever comes home is asked how it goes. Good: they are thanked. Bad: nurses call, and somebody reached is
 * told so, anybody else gets a letter, or a later one when no nurse had time. No answer within a day: a nudge.
 */
const says = (text: string) => ({ nl: text, en: text })
const message = (id: string) => ({ message: { id, template: id } })
export const question = 'question'
const afterAnswer = { good: ['thanks'], bad: ['well', 'letter', 'late'] } as const
const afterTask = { reached: 'well', away: 'letter' } as const
const otherwise = { answer: 'nudge', task: 'late' } as const
const followUps = [...afterAnswer.good, ...afterAnswer.bad, otherwise.answer]
/** In milliseconds. */
const answeredWithin = 24 * 3_600_000
const calledWithin = 12 * 3_600_000
/** What happened longer ago begins nothing. */
const oldestMs = 24 * 3_600_000
/** What people may answer, and nurses say of a call. */
export const answers = ['good', 'bad'] as const
export const outcomes = ['reached', 'away'] as const

export const asks: Chapter = {
  published: hospitalWith({
    campaigns: [
      {
        id: 'check',
        entry: 'every-time',
        steps: [
          {
            ask: {
              id: question,
              template: question,
              question: says('How is it going?'),
              within: 'P1D',
              answers: [
                { answer: 'good', says: says('good'), steps: [message('thanks')] },
                {
                  answer: 'bad',
                  says: says('bad'),
                  steps: [
                    {
                      task: {
                        id: 'call',
                        team: 'nurses',
                        title: says('Call'),
                        within: 'PT12H',
                        outcomes: outcomes.map((outcome) => ({
                          outcome,
                          says: says(outcome),
                          steps: [message(afterTask[outcome])],
                        })),
                        otherwise: [message(otherwise.task)],
                      },
                    },
                  ],
                },
              ],
              otherwise: [message(otherwise.answer)],
            },
          },
        ],
      },
    ],
    templates: Object.fromEntries([question, ...followUps].map((id) => [id, eventFields])),
    policies: { teams: [{ id: 'nurses', name: says('Nurses') }] },
  }),
  situations: [['people are asked, and nurses call', asked]],
  judge: (seen, ending) =>
    seen
      .all(/^care\.discharge/)
      .filter(({ readAt, readNow, saidNow }) => readAt < Infinity && readNow < saidNow + oldestMs)
      .flatMap((about) => judgeRun(about, seen, ending)),
}

const discharge: Draft = { type: 'care.discharge.completed.v1', data: {}, times: 1 }

function asked(chance: Chance): Situation {
  const people = ['p1', 'p2'].slice(0, 1 + chance.whole(2, 'people'))
  const kind = chance.pick(['kill before', 'kill after', 'lose the answer'] as const, 'kind')
  const isThere = { who: 'delivery', what: `gives email ${question}` }
  return {
    drafts: people.flatMap((subject) => [
      { ...arrivalByEmail(subject), subject },
      { ...discharge, subject },
    ]),
    workers: { journey: 1 + chance.whole(2, 'journeys'), scheduler: 1, delivery: 1, gateway: 1 },
    faults: chance.is(0.4, 'fault')
      ? [{ slot: 'journey-1', at: 20 + chance.whole(80, 'at'), on: 'commit', kind }]
      : [],
    // The day is over when somebody is about to answer, or a nurse to say what came of it.
    steps: chance.is(0.5, 'time passes') ? [chance.pick([1_441, 721], 'minutes')] : [],
    meetings: [
      {
        who: 'calendar',
        what: 'minutes pass',
        until: [
          chance.pick(
            [isThere, { who: 'person', what: 'answers' }, { who: 'nurse', what: 'says' }],
            'when',
          ),
        ],
      },
    ],
    silent: true,
    leisure: 8,
  }
}

/** P1, P2: one question, one way, and the way is that of an answer that somebody gave. */
function judgeRun(about: Heard, seen: Sight, ending: Ending): Violation[] {
  const { ref } = about.event.data
  const taken = (id: string) =>
    seen.calls.filter((call) => call.taken && call.text === `${id} ${ref}`)
  const ways = followUps.flatMap(taken)
  const [way, ...more] = ways
  const times = taken(question).length
  if (times > 1) return [{ kind: 'doubled', text: `${question} ${ref}: ${times} times` }]
  if (times === 0 && !isOver(about, ending)) return [{ kind: 'lost', text: `${question} ${ref}` }]
  if (!way) return [{ kind: 'lost', text: `${question} ${ref}: nothing followed` }]
  if (more.length > 0) {
    const texts = ways.map(({ text }) => text).join(', ')
    return [{ kind: 'doubled', text: `${question} ${ref}: ${texts}` }]
  }
  return judgeWay(way, about, seen, ending)
}

/** Whoever has not been asked when the time is over is not asked. */
function isOver({ event }: Heard, { messages }: Ending): boolean {
  return messages.some((row) => row.event === event.key && row.reason === 'not_answered')
}

function judgeWay(way: Call, about: Heard, seen: Sight, ending: Ending): Violation[] {
  const { ref } = about.event.data
  const [id] = way.text.split(' ')
  const given = seen
    .all(/^message\.answered/)
    .filter(({ event }) => event.data.text === `${question} ${ref}`)
  const done = seen
    .all(/^task\.done/)
    .filter(({ event, keptAt }) => keptAt < Infinity && isAbout(about, event, ending))
  const isSaid = (said: readonly Heard[], what: string) =>
    said.some(({ event, saidAt }) => event.data.says === what && saidAt < way.givenAt)
  const faults: string[] = []
  for (const answer of answers) {
    const isWay = (afterAnswer[answer] as readonly string[]).includes(String(id))
    if (isWay && !isSaid(given, answer)) faults.push(`nobody answered ${answer}`)
  }
  for (const outcome of outcomes) {
    if (id === afterTask[outcome] && !isSaid(done, outcome)) faults.push(`nobody said ${outcome}`)
  }
  if (done.length > 1) faults.push('two words of one task were taken')
  if (id === otherwise.answer && isInTime(given, about.saidNow + answeredWithin))
    faults.push('it was answered in time')
  const calledFrom = Math.min(...given.map(({ saidNow }) => saidNow))
  if (id === otherwise.task && isInTime(done, calledFrom + calledWithin))
    faults.push('nurses had said in time what came of it')
  return faults.map((why) => ({ kind: 'unexplained', text: `${way.text}: ${why}` }))
}

function isAbout(about: Heard, { subject }: Told, { people }: Ending): boolean {
  const person = people.find((each) => each.person === subject)
  return person?.identities.includes(identityOf(about.event)) ?? false
}

/** One of them was surely heard before that moment. */
function isInTime(said: readonly Heard[], until: number): boolean {
  return said.some(({ readNow }) => readNow < until)
}
