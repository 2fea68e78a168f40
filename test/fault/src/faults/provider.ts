import type { MetFault } from '@wegwijs/sandbox/accepted'
import type { Fault as Trouble } from '@wegwijs/sandbox/faults'
import { receiptOf, usualRates } from '@wegwijs/sandbox/outcomes'
import type { Accepted } from '@wegwijs/system-tests/provider-files'
import { type System, secret } from '@wegwijs/system-tests/system'
import { until } from '@wegwijs/system-tests/until'
import { type Receipt, receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import type { Fault, Hit } from '../fault.ts'
import { messagesOf } from '../messages.ts'
import { subjectOf } from '../model.ts'
import { isRefusedForGood, meaningOf, wrongEnds } from '../provider-answers.ts'
import type { World } from '../world.ts'

type Named = Pick<Trouble, 'channel' | 'mode'> & Partial<Trouble>

/** So that at any moment some messages are under way. */
const slow: readonly Named[] = [
  { channel: 'sms', mode: 'slow', delayMs: 100 },
  { channel: 'email', mode: 'slow', delayMs: 100 },
]

/** A provider that pauses us must catch up again. */
const PEOPLE_PER_SECOND = 1

const refuses: Fault = answering({
  name: 'provider-refuses',
  title: 'answers 422 and 554 for good, 451 for now',
  short: true,
  troubles: [
    { channel: 'sms', mode: 'refuse4xx', rate: 0.2 },
    { channel: 'email', mode: 'refuse5xx', rate: 0.1 },
    { channel: 'email', mode: 'refuse4xx', rate: 0.3, times: 1 },
  ],
})

const limits: Fault = answering({
  name: 'provider-retry-after',
  title: 'answers 429 with Retry-After, and 450',
  short: true,
  // Each of them stops all messages for some seconds.
  many: 4,
  troubles: [
    { channel: 'sms', mode: 'rateLimit', rate: 0.05, times: 1, retryAfterSeconds: 3 },
    { channel: 'email', mode: 'rateLimit', rate: 0.1, times: 1 },
  ],
})

const fails: Fault = answering({
  name: 'provider-fails',
  title: 'answers 500, or resets before it has taken the message',
  troubles: [
    { channel: 'sms', mode: 'refuse5xx', rate: 0.1, times: 1 },
    { channel: 'sms', mode: 'resetBeforeAccept', rate: 0.1, times: 1 },
    { channel: 'email', mode: 'resetBeforeAccept', rate: 0.1, times: 1 },
  ],
  unknownAtLeast: 1,
})

const hangs: Fault = answering({
  name: 'provider-hangs',
  title: 'takes the call and says nothing',
  troubles: [
    { channel: 'sms', mode: 'hang', rate: 0.1, times: 1 },
    { channel: 'email', mode: 'hang', rate: 0.1, times: 1 },
  ],
  unknownAtLeast: 1,
})

const accepting: readonly Named[] = [
  { channel: 'sms', mode: 'resetAfterAccept', rate: 0.2, times: 1 },
  { channel: 'email', mode: 'resetAfterAccept', rate: 0.2, times: 1 },
]

const resets: Fault = answering({
  name: 'provider-accepts-and-resets',
  title: 'takes the message and resets the connection; its receipt tells',
  short: true,
  troubles: accepting,
})

/** Of what a receipt tells nobody has to ask. */
const resetsUntold: Fault = answering({
  name: 'provider-resets-untold',
  title: 'takes the message and resets the connection, and sends no receipt',
  troubles: accepting,
  rates: { bounced: 0, none: 1 },
  unknownAtLeast: 1,
})

type Answering = Pick<Fault, 'name' | 'title'> &
  Partial<Pick<Fault, 'short'>> &
  Pick<Hit, 'unknownAtLeast'> & {
    troubles: readonly Named[]
    /** So many messages have to meet each of them. */
    many?: number
    /** What becomes of messages, if not what usually does. */
    rates?: typeof usualRates
  }

/** Providers answer a part of the messages in these ways, until each way has met a few. */
function answering(options: Answering): Fault {
  const { troubles, many = 8, rates = usualRates, unknownAtLeast = 0, ...fault } = options
  return {
    on: 'provider',
    needs: [],
    peoplePerSecond: PEOPLE_PER_SECOND,
    ...fault,
    async strike(world, { short, say }) {
      await world.system.outcomes(rates)
      await world.system.fail(...troubles, ...slow)
      const each = short ? 1 : many
      const inFlight = await world.untilInFlight(
        'messages are under way',
        ({ sending }) => sending > 0,
      )
      const met = await untilMet(world.system, troubles, each)
      say(`met ${JSON.stringify(met)}`)
      await world.system.fail(...slow)
      return { ...hitOf(world.system.metFaults(), inFlight), unknownAtLeast }
    },
    mayEnd: ({ state, reason, intentId }, { system }) =>
      state === 'failed' &&
      reason === 'provider_refused' &&
      isRefusedForGood(system.metFaults(), intentId),
    async check({ system }) {
      const { calledTooEarly } = await system.sandboxStatus()
      return [
        ...wrongEnds(system.metFaults(), await messagesOf(system.store)),
        ...(calledTooEarly === 0 ? [] : [`${calledTooEarly} calls inside a Retry-After`]),
      ]
    },
  }
}

function hitOf(met: readonly MetFault[], inFlight: Hit['inFlight']): Hit {
  return {
    kills: met.length,
    inFlight,
    unknownAtMost: met.filter((each) => meaningOf(each) === 'unknown').length,
    figures: countsOf(Map.groupBy(met, ({ channel, mode }) => `${channel} ${mode}`)),
  }
}

function countsOf(groups: ReadonlyMap<string, readonly unknown[]>): Record<string, number> {
  return Object.fromEntries([...groups].map(([name, group]) => [figureNames[name], group.length]))
}

/** What the page calls each. */
const figureNames: Readonly<Record<string, string>> = {
  'email refuse4xx': 'e-mails answered 451',
  'email refuse5xx': 'e-mails answered 554',
  'email rateLimit': 'e-mails answered 450',
  'email resetBeforeAccept': 'e-mails reset before they were taken',
  'email resetAfterAccept': 'e-mails reset after they were taken',
  'email hang': 'e-mails left without an answer',
  'sms refuse4xx': 'SMS answered 422',
  'sms refuse5xx': 'SMS answered 500',
  'sms rateLimit': 'SMS answered 429',
  'sms resetBeforeAccept': 'SMS reset before they were taken',
  'sms resetAfterAccept': 'SMS reset after they were taken',
  'sms hang': 'SMS left without an answer',
}

async function metOf(system: System): Promise<Readonly<Record<string, number>>> {
  return (await system.sandboxStatus()).faultsMet
}

function untilMet(system: System, troubles: readonly Named[], each: number) {
  return until(
    `each fault was met by ${each} messages`,
    () => metOf(system),
    (met) => troubles.every(({ channel, mode }) => (met[`${channel} ${mode}`] ?? 0) >= each),
  )
}

const receiptModes = ['receiptLate', 'receiptTwice', 'receiptDisordered'] as const

const receipts: Fault = {
  name: 'provider-receipts',
  on: 'provider',
  title: 'receipts come late, twice, in another order, forged and replayed',
  short: true,
  needs: [],
  peoplePerSecond: PEOPLE_PER_SECOND,
  async strike(world, { short, say }) {
    const troubles = (['sms', 'email'] as const).flatMap((channel) =>
      receiptModes.map((mode) => ({ channel, mode, rate: 0.5, delayMs: 700 })),
    )
    await world.system.fail(...troubles, ...slow)
    const inFlight = await world.untilInFlight(
      'messages are under way',
      ({ sending }) => sending > 0,
    )
    await untilMet(world.system, troubles, short ? 1 : 20)
    const accepted = world.system.accepted().slice(0, short ? 10 : 50)
    const forged = await forge(world.system, accepted)
    await replay(world.system, accepted)
    say(`${forged.posted} forged receipts, ${forged.refused} refused; ${accepted.length} replayed`)
    const met = await metOf(world.system)
    const metBy = (mode: (typeof receiptModes)[number]) =>
      (met[`sms ${mode}`] ?? 0) + (met[`email ${mode}`] ?? 0)
    const taken = forged.posted - forged.refused
    return {
      // Every message had its answer: what was done to its receipts are figures.
      kills: 0,
      inFlight,
      unknownAtMost: 0,
      figures: {
        'receipts that came late': metBy('receiptLate'),
        'that came twice': metBy('receiptTwice'),
        'out of their order': metBy('receiptDisordered'),
        forged: forged.posted,
        replayed: accepted.length,
      },
      violations: taken === 0 ? [] : [`${taken} forged receipts were taken`],
    }
  },
  check: whatReceiptsCameTo,
}

/** Bounces that no provider has sent: they would withdraw an address from everything that follows. */
async function forge(system: System, accepted: readonly Accepted[]) {
  let posted = 0
  let refused = 0
  for (const message of accepted) {
    const bounce = bodyOf({ ...receiptFor(message), status: 'bounced', detail: 'forged' })
    const signatures = [
      undefined,
      '',
      signBody(bounce, 'a secret that somebody made up, of some length'),
      // Right, of another body: one that was listened to.
      signBody(bodyOf(receiptFor(message)), secret),
    ]
    for (const signature of signatures) {
      const answer = await postReceipt(system, message, { body: bounce, signature })
      posted += 1
      if (answer.status === 401) refused += 1
    }
  }
  return { posted, refused }
}

/** What was listened to, word for word: it is taken, and counts once. */
async function replay(system: System, accepted: readonly Accepted[]): Promise<void> {
  for (const message of accepted) {
    const receipt = receiptOf(message, usualRates)
    if (receipt === undefined) continue
    const body = bodyOf(receipt)
    for (const signature of [signBody(body, secret), signBody(body, secret)]) {
      const answer = await postReceipt(system, message, { body, signature })
      if (answer.status !== 202) throw new Error(`a repeat was answered ${answer.status}`)
    }
  }
}

function receiptFor({ intentId, receivedAt }: Accepted): Receipt {
  const reference = String(intentId)
  return { receiptId: `listened-${reference}`, reference, status: 'delivered', at: receivedAt }
}

function bodyOf(receipt: Receipt): string {
  return JSON.stringify({ receipts: [receipt] })
}

function postReceipt(
  system: System,
  { channel }: Accepted,
  { body, signature }: { body: string; signature: string | undefined },
): Promise<Response> {
  const path = `/v1/receipts/${channel === 'email' ? 'smtp' : 'sms-http'}`
  const signed = signature === undefined ? {} : { [receiptSignatureHeader]: signature }
  return system.post(body, { 'content-type': 'application/json', ...signed }, path)
}

/** Every message ends as its own receipt says, whatever came beside it and in which order. */
async function whatReceiptsCameTo({ system, load }: World): Promise<string[]> {
  const known = new Map(
    (await system.store.db.selectFrom('intent').select(['intent_id', 'state']).execute()).map(
      ({ intent_id, state }) => [intent_id, state],
    ),
  )
  const deceased = new Set(load.ledger.stops().map(({ subject }) => subject))
  return system.accepted().flatMap((message) => {
    const expected = receiptOf(message, usualRates)?.status ?? 'sent'
    const state = known.get(String(message.intentId))
    const isRight = state === expected || deceased.has(subjectOf(message.reference))
    return isRight ? [] : [`${message.reference} is ${state} and not ${expected}`]
  })
}

export const providerFaults: readonly Fault[] = [
  refuses,
  limits,
  fails,
  hangs,
  resets,
  resetsUntold,
  receipts,
]
