import { type ChapterName, chapters } from './chapters/all.ts'
import { sameTimeOn } from './dutch-days.ts'
import { judgeHandOvers } from './hand-overs.ts'
import type { EndedMessage, Ending, Entry, Told } from './history.ts'
import {
  type CampaignPromise,
  campaignPromises,
  channelsInOrder,
  oldestTrigger,
  unwritable,
} from './promises.ts'
import { type Call, goesBehind, type Heard, identityOf, isAfter, otherOf, Sight } from './sight.ts'
import { stopsBefore } from './stops.ts'
import type { Violation, ViolationKind } from './violation.ts'

const hour = 3_600_000
/** Who is to be asked again is asked within this time. */
const longestRetry = hour

/**
 * The model: judges what happened by the promises P1 to P6, from outside. It knows nothing of how
 * the services work; every clause below is a sentence about what publishers, people and providers
 * see. Of a chapter it judges what holds everywhere, and the chapter what it promises itself.
 */
export function judge(
  entries: readonly Entry[],
  ending: Ending,
  chapter: ChapterName | null = null,
): Violation[] {
  const seen = new Sight(entries, ending)
  return [
    ...(chapter ? chapters[chapter].judge(seen, ending) : judgeDuties(seen, ending)),
    ...judgeLinks(seen, ending),
    ...judgeEvents(seen, ending),
    ...judgePeople(seen, ending),
    ...judgeHandOvers(entries),
    ...ending.ledger.map((text): Violation => ({ kind: 'ledger', text })),
  ]
}

/** What the clinic owes to people, and what nobody asked for. */
function judgeDuties(seen: Sight, ending: Ending): Violation[] {
  const duties = dutiesOf(seen)
  return [
    ...duties.flatMap((duty) => [...judgeSends(duty, seen), ...judgeEnd(duty, seen, ending)]),
    ...judgeOnce(duties, seen),
    ...judgeStoodDown(duties, seen, ending),
    ...judgeToldAgain(duties, seen),
    ...judgeStrangers(duties, seen),
  ]
}

/** A message that somebody ought to get, because of what a publisher said. */
type Duty = {
  readonly campaign: string
  readonly promise: CampaignPromise
  readonly text: string
  /** What it says: the event, or for an appointment the version of it. */
  readonly about: Heard
  /** What began it: for an appointment its booking. */
  readonly trigger: Heard
  readonly startsAt: number | null
}

function dutiesOf(seen: Sight): Duty[] {
  const duties: Duty[] = []
  for (const about of seen.heard.values()) {
    if (isUnusable(about.event)) continue
    for (const [campaign, promise] of Object.entries(campaignPromises)) {
      const { event } = about
      if (promise.daysBefore !== undefined) {
        if (!/^care\.appointment\.(booked|moved)/.test(event.type)) continue
        const booked = seen
          .all(/^care\.appointment\.booked/)
          .find((each) => each.event.entity === event.entity)
        if (!booked) continue
        const startsAt = String(event.data.startsAt)
        const text = `${campaign} ${event.data.ref} ${startsAt}`
        duties.push({
          campaign,
          promise,
          text,
          about,
          trigger: booked,
          startsAt: Date.parse(startsAt),
        })
      } else if (event.type === promise.trigger) {
        const text = `${campaign} ${event.data.ref}`
        duties.push({ campaign, promise, text, about, trigger: about, startsAt: null })
      }
    }
  }
  return duties
}

/** P2, P3: what the provider was given for one duty. */
function judgeSends(duty: Duty, seen: Sight): Violation[] {
  const calls = seen.calls.filter((call) => call.text === duty.text)
  const taken = calls.filter((call) => call.taken)
  return [
    ...judgeCount(duty, calls, seen),
    ...taken.flatMap((call) => [
      ...judgeStops(duty, call, seen),
      ...judgeOperations(duty, call, seen),
      ...judgeBounces(duty, call, seen),
      ...judgeConsent(duty, call, seen),
      ...judgeVersion(duty, call, seen),
      ...judgeExit(duty, call, seen),
      ...judgeTime(duty, call),
      ...judgeAddress(duty, call, seen),
    ]),
  ]
}

/** P2: once; and where the class says so, once more, marked, after nobody knew. */
function judgeCount({ promise, text }: Duty, calls: readonly Call[], seen: Sight): Violation[] {
  const found: Violation[] = []
  const taken = calls.filter((call) => call.taken)
  const unmarked = taken.filter((call) => !call.marked)
  const marked = taken.filter((call) => call.marked)
  const say = (kind: ViolationKind, how: string) => found.push({ kind, text: `${text}: ${how}` })
  const folds = calls.some((call) => call.folds)
  for (const call of calls) {
    if (!call.marked && mayBeThereAlready(call, calls))
      say('doubled', `given to ${call.channel} once more without a mark`)
  }
  for (const [channel, own] of Map.groupBy(taken, (call) => call.channel)) {
    if (folds && own.length > 1)
      say('doubled', `taken ${own.length} times by ${channel}, which folds`)
  }
  if (promise.unknown === 'at-most-once') {
    if (taken.length > 1) say('doubled', `taken ${taken.length} times`)
    if (!folds && calls.some((call) => call.marked)) say('doubled', 'repeated, though at most once')
    if (!folds) return found
  }
  if (unmarked.length > 1) say('doubled', `taken ${unmarked.length} times without a mark`)
  // Who folds repeats may get the first as one of them, when the one before had not come through.
  if (marked.length > 1 && !(folds && taken.length <= 2))
    say('doubled', `taken ${marked.length} times as a repeat`)
  for (const repeat of calls.filter((call) => call.marked)) {
    if (!isOpenBefore(repeat, calls, seen)) {
      say('marked for nothing', 'every answer before it was definite')
    }
  }
  return found
}

/**
 * True when whoever is given it may have it by now. Whether they take it for what it is changes nothing:
 * to hand it over is what happens once.
 */
function mayBeThereAlready({ givenAt, channel }: Call, calls: readonly Call[]): boolean {
  return calls.some(
    (before) =>
      before.givenAt < givenAt &&
      before.channel === channel &&
      (before.answer === 'accepted' || before.answer === 'unknown' || before.answer === null),
  )
}

/** True when of an earlier attempt nobody knows whether it reached the person. */
function isOpenBefore(repeat: Call, calls: readonly Call[], seen: Sight): boolean {
  const claims = seen.claims.get(repeat.intent) ?? []
  return (
    // One whose claim was over before it could say what came of it does not count as answered.
    claims.some((claim) => claim.at < repeat.claimedAt && seen.isLost(claim, repeat.claim.ms)) ||
    calls.some(
      (call) =>
        call.givenAt < repeat.givenAt && (call.answer === null || call.answer === 'unknown'),
    )
  )
}

/** P3: nothing whose claim began after a stop was answered, or was read. */
function judgeStops(duty: Duty, call: Call, seen: Sight): Violation[] {
  const people = seen.identitiesOf(duty.about.event, call.claimedAt)
  return stopsBefore(call, { people, class: duty.promise.class }, seen).map(
    ({ stop: { event }, holdsFrom }) => ({
      kind: 'sent after a stop',
      text: `${duty.text}: claimed at ${call.claimedAt}, and ${event.type} ${event.id} held from ${holdsFrom}`,
    }),
  )
}

/**
 * P2: of an appointment that was told already it is told again when it moves, and when the moment to
 * tell of it lies ahead; otherwise once is enough.
 */
function judgeToldAgain(duties: readonly Duty[], seen: Sight): Violation[] {
  return duties.flatMap((duty) => {
    const { about, startsAt, text } = duty
    if (startsAt === null || earliestDue(duty) > about.readNow) return []
    const again = seen.calls.find((call) => call.taken && call.text === text)
    if (!again) return []
    const told = toldBefore(duty, duties, seen).find((call) => call.givenAt < again.givenAt)
    if (!told) return []
    return [{ kind: 'doubled', text: `${told.text}, and then ${text}: its moment had passed` }]
  })
}

/** What surely had been told of the version right before this one when this one was read. */
function toldBefore({ about }: Duty, duties: readonly Duty[], seen: Sight): Call[] {
  const isBefore = (version: number | undefined) => version === (about.event.version ?? 0) - 1
  // Who had the answer may have been stopped before it said so; then nobody knew.
  const isSure = (call: Call) => call.answer === 'accepted' && !seen.isLost(call.claim)
  return duties
    .filter((duty) => duty.about.event.entity === about.event.entity)
    .filter((duty) => isBefore(duty.about.event.version))
    .flatMap((older) => seen.calls.filter((call) => call.text === older.text))
    .filter((call) => call.taken && isSure(call) && call.claimedAt < about.readAt)
}

/** P3: nothing that operations hold. */
function judgeOperations(duty: Duty, call: Call, seen: Sight): Violation[] {
  const of = (type: RegExp) => seen.all(type).filter(({ event }) => isHeldBy(event, duty, call))
  const stops = of(/^staff\.operation\.stopped/).filter(({ keptAt }) => keptAt < call.claimedAt)
  const lifts = of(/^staff\.operation\.lifted/).filter(({ saidAt }) => saidAt < call.givenAt)
  const holds = stops.find(
    (stop) =>
      !lifts.some(
        (lift) => lift.keptAt > stop.keptAt && lift.event.data.scope === stop.event.data.scope,
      ),
  )
  if (!holds) return []
  const { scope, target } = holds.event.data
  const text = `${duty.text}: claimed at ${call.claimedAt}, and ${scope} ${target} was stopped from ${holds.keptAt}`
  return [{ kind: 'sent after a stop', text }]
}

const providers: Readonly<Record<string, string>> = { email: 'smtp', sms: 'sms' }

function isHeldBy({ data }: Told, { campaign }: Duty, { channel }: Call): boolean {
  const targets: Readonly<Record<string, string | undefined>> = {
    all: '',
    // Every campaign has one template, of its own name.
    campaign,
    template: campaign,
    channel,
    provider: providers[channel],
  }
  return targets[String(data.scope)] === data.target
}

/** P3: nothing to an address at which nothing arrives. */
function judgeBounces(duty: Duty, call: Call, seen: Sight): Violation[] {
  return seen
    .all(/^message\.bounced/)
    .filter(({ event, readAt }) => {
      const isHere = event.data.to === call.to && event.data.channel === call.channel
      const isOne = identityOf(event) === identityOf(duty.about.event)
      return isHere && isOne && readAt < call.claimedAt
    })
    .filter((bounce) => !isToldAgain(bounce, seen))
    .map(() => ({
      kind: 'sent after a stop',
      text: `${duty.text}: sent to ${call.to}, at which nothing arrives`,
    }))
}

/** True when somebody has told of addresses since, or in another order: then it may be a new one. */
function isToldAgain(bounce: Heard, seen: Sight): boolean {
  const own = seen
    .all(/^person\.(upserted|merged)/)
    .filter(({ event }) => identityOf(event) === identityOf(bounce.event))
  return own.length > 1
}

function judgeConsent(duty: Duty, call: Call, seen: Sight): Violation[] {
  if (duty.promise.consent === 'implied') return []
  const people = seen.possibleIdentitiesOf(duty.about.event, call.givenAt)
  const agreed = seen
    .all(/^consent\.granted/)
    .some(
      ({ event, saidAt }) =>
        saidAt < call.givenAt &&
        people.has(identityOf(event)) &&
        (event.data.purpose === 'all' || event.data.purpose === duty.promise.class) &&
        (event.data.channel === undefined || event.data.channel === call.channel),
    )
  return agreed ? [] : [{ kind: 'sent without consent', text: `${duty.text}: nobody agreed to it` }]
}

/** P3: nothing for an appointment of which something newer was read before the claim. */
function judgeVersion(duty: Duty, call: Call, seen: Sight): Violation[] {
  const { entity, version = 0 } = duty.about.event
  if (entity === undefined) return []
  return seen
    .all(/^care\.appointment/)
    .filter(({ event, readAt }) => {
      const isNewer = event.entity === entity && (event.version ?? 0) > version
      return isNewer && readAt < call.claimedAt
    })
    .map(({ event, readAt }) => ({
      kind: 'sent for an old appointment',
      text: `${duty.text}: claimed at ${call.claimedAt}, and version ${event.version} (${event.type}) was read at ${readAt}`,
    }))
}

/** P3: nothing of a campaign that has ended for the person before the claim. */
function judgeExit({ about, promise, text }: Duty, call: Call, seen: Sight): Violation[] {
  if (promise.exit === undefined) return []
  const own = identityOf(about.event)
  return seen
    .all(/^care\./)
    .filter(({ event }) => event.type === promise.exit && identityOf(event) === own)
    .filter((ended) => isAfter(ended, about) && ended.readAt < call.claimedAt)
    .map(({ event, readAt }) => ({
      kind: 'sent after a stop',
      text: `${text}: claimed at ${call.claimedAt}, and ${event.id} ended it at ${readAt}`,
    }))
}

/** P3: never before it is due, never when it is no longer worth having. */
function judgeTime({ promise, text, about, startsAt }: Duty, call: Call): Violation[] {
  const found: Violation[] = []
  const when = (ms: number) => new Date(ms).toISOString()
  const due = earliestDue({ promise, about, startsAt })
  if (call.now < due) {
    found.push({ kind: 'sent early', text: `${text}: at ${when(call.now)}, due ${when(due)}` })
  }
  const end =
    startsAt ?? (promise.waits === undefined ? endOf(promise, about.readNow).latest : Infinity)
  const latest = Math.min(end, call.expires)
  if (call.claimedNow >= latest) {
    found.push({
      kind: 'sent late',
      text: `${text}: claimed ${when(call.claimedNow)}, worth having until ${when(latest)}`,
    })
  }
  return found
}

function earliestDue({
  promise,
  about,
  startsAt,
}: Pick<Duty, 'promise' | 'about' | 'startsAt'>): number {
  if (startsAt !== null) return sameTimeOn(startsAt, -(promise.daysBefore ?? 0)).earliest
  return about.saidNow + (promise.waits ?? 0) * hour
}

/** Until when it is worth having, when it was due at `due`. */
function endOf({ expires }: CampaignPromise, due: number): { earliest: number; latest: number } {
  if ('days' in expires) return sameTimeOn(due, expires.days)
  const end = due + expires.hours * hour
  return { earliest: end, latest: end }
}

/** P6: what a publisher said of somebody before is known when it says more. */
function judgeAddress(duty: Duty, call: Call, seen: Sight): Violation[] {
  if (call.channel !== 'email') return []
  const { about, text } = duty
  const people = seen.possibleIdentitiesOf(about.event, call.givenAt)
  const profiles = seen
    .all(/^person\.upserted/)
    .filter(({ event }) => people.has(identityOf(event)))
  const before = profiles.filter(
    (profile) => goesBehind(profile, about) && profile.saidAt < about.saidAt,
  )
  const newest = Math.max(-1, ...before.map(({ saidAt }) => saidAt))
  const allowed = profiles.filter((profile) =>
    goesBehind(profile, about) ? profile.saidAt >= newest : true,
  )
  const addresses = allowed.map(({ event }) => emailOf(event))
  if (addresses.includes(call.to)) return []
  return [
    {
      kind: 'out of order',
      text: `${text}: sent to ${call.to}, known was ${addresses.join(' or ')}`,
    },
  ]
}

function emailOf({ data }: Told): unknown {
  const { contacts } = data as { contacts?: { email?: string } }
  return contacts?.email
}

/** P1, P4: every duty ends in one way, and for a reason that what happened bears out. */
function judgeEnd(duty: Duty, seen: Sight, ending: Ending): Violation[] {
  const { text, trigger, about, campaign } = duty
  if (about.keptAt === Infinity && about.readAt === Infinity) return []
  const version = about.event.version ?? null
  const rows = ending.messages.filter(
    (row) =>
      row.campaign === campaign && row.event === trigger.event.key && row.version === version,
  )
  if (rows.length > 1) return [{ kind: 'doubled', text: `${text}: planned ${rows.length} times` }]
  const [row] = rows
  if (!row) return judgeAbsence(duty, seen, ending)
  const fault = faultOfEnd(duty, row, seen)
  return fault ? [{ ...fault, text: `${text}: ${row.state} (${row.reason}), ${fault.text}` }] : []
}

function faultOfEnd(duty: Duty, row: EndedMessage, seen: Sight): Violation | null {
  const calls = seen.calls.filter((call) => call.text === duty.text)
  const taken = calls.some((call) => call.taken)
  const says = (kind: ViolationKind, text: string): Violation => ({ kind, text })
  switch (row.state) {
    case 'sent':
    case 'delivered':
    case 'bounced':
      if (!isReported(duty, row, seen)) return says('unexplained', 'and no provider said so')
      return taken ? null : says('lost', 'and no provider ever took it')
    case 'held': {
      if (!wasEverOpen(row, calls, seen))
        return says('unexplained', 'and every answer was definite')
      if (wasHeardLast(row, calls, seen)) return says('wrong record', 'and the provider has it')
      return mayBeAskedAgain(duty, calls, seen)
        ? says('unexplained', 'and the provider could have been asked again')
        : null
    }
    case 'skipped':
    case 'cancelled':
    case 'expired':
    case 'failed': {
      // One that nobody knew of may have been taken before: then the record is not wrong.
      const openBefore = wasEverOpen(row, calls, seen)
      if (taken && !openBefore) return says('wrong record', 'and a provider has taken it')
      return isBorneOut(duty, row, seen, calls)
        ? null
        : says('unexplained', 'which nothing bears out')
    }
    default:
      return says('lost', 'and it is not over')
  }
}

/**
 * True when who folds repeats can be asked what it has: it is worth having still, and nothing was
 * said or done of these people for which it must not be sent, or not there.
 */
function mayBeAskedAgain({ about }: Duty, calls: readonly Call[], seen: Sight): boolean {
  const people = seen.identitiesOf(about.event, Infinity)
  const forbidden = seen
    .all(
      /^(message\.(bounced|complained|replied)|consent\.withdrawn|person\.(deceased|merged)|care\.admission|staff)/,
    )
    .some(({ event }) => people.has(identityOf(event)))
  return !forbidden && calls.some((call) => call.folds && call.expires > seen.latest + longestRetry)
}

/** True when for a while nobody knew whether the provider had it, or who had claimed it was too late. */
function wasEverOpen({ intent }: EndedMessage, calls: readonly Call[], seen: Sight): boolean {
  return (
    calls.some((call) => call.answer === null || call.answer === 'unknown') ||
    (seen.claims.get(intent) ?? []).some((claim) => seen.isLost(claim, seen.latestMs))
  )
}

/** True when who claimed it last was told that the provider has it, and lived to write it down. */
function wasHeardLast({ intent }: EndedMessage, calls: readonly Call[], seen: Sight): boolean {
  const last = calls.at(-1)
  const claims = seen.claims.get(intent) ?? []
  return (
    last?.answer === 'accepted' &&
    claims.every(({ at }) => at <= last.claimedAt) &&
    (!seen.gone.has(last.worker) || !seen.isLost(last.claim))
  )
}

/** Whether providers said so: delivered by any word of theirs, bounced by that word alone, over the channel that it is with. */
function isReported({ text }: Duty, { state, channel }: EndedMessage, seen: Sight): boolean {
  const reports = seen
    .all(/^message\./)
    .filter(({ event, readAt }) => event.data.text === text && readAt < Infinity)
  const says = (type: RegExp) => reports.some(({ event }) => type.test(event.type))
  const seenThere = says(/delivered|opened/)
  const bounced = reports.some(
    ({ event }) => /bounced/.test(event.type) && event.data.channel === channel,
  )
  if (state === 'bounced') return bounced
  if (state === 'delivered') return seenThere && !bounced
  return !seenThere && !bounced
}

/** Whether what happened bears out the reason for which somebody got nothing. */
function isBorneOut(
  duty: Duty,
  { reason }: EndedMessage,
  seen: Sight,
  calls: readonly Call[],
): boolean {
  const { about, promise, startsAt } = duty
  const people = seen.identitiesOf(about.event, Infinity)
  const mine = (type: RegExp) => seen.all(type).filter(({ event }) => people.has(identityOf(event)))
  const newer = newerThan(about, seen)
  // Of a person whose profile lies in another partition nothing may be known yet when the event is read.
  const isKnown = mine(/^person\.upserted/).some(({ readAt }) => readAt < about.readAt)
  const mayLackChannel = () =>
    !isKnown ||
    mine(/^(message\.(bounced|complained|replied)|consent\.withdrawn)/).length > 0 ||
    (promise.consent === 'required' && !isSurelyGranted(duty, mine(/^consent\./), seen))
  switch (reason) {
    case 'person_deceased':
      return mine(/^person\.deceased/).length > 0
    case 'consent_withdrawn':
      return mine(/^(consent\.withdrawn|message\.(complained|replied))/).some(({ event }) =>
        ['all', promise.class].includes(String(event.data.purpose)),
      )
    case 'consent_missing':
      return promise.consent === 'required' && !isSurelyGranted(duty, mine(/^consent\./), seen)
    case 'person_stopped':
      return mine(/^staff\.person\.stopped/).length > 0
    case 'entity_superseded':
      return newer.length > 0
    case 'entity_withdrawn':
      return newer.some(({ event }) => event.type.includes('cancelled'))
    case 'older_version_told':
      return seen.calls.some((call) => call.taken && isOfOlderVersion(call, duty, seen))
    case 'exit_touchpoint':
      return mine(/./).some(({ event }) => event.type === promise.exit)
    case 'merged_duplicate':
      return promise.once !== undefined && mine(/^person\.merged/).length > 0
    case 'expired': {
      const end = endOf(promise, earliestDue(duty)).earliest
      return seen.latest >= Math.min(startsAt ?? Infinity, end)
    }
    case 'provider_unavailable':
      return calls.some((call) => call.answer === 'deferred')
    case 'provider_refused': {
      const refused = (channel: string) =>
        calls.some((call) => call.channel === channel && call.answer === 'refused')
      return channelsInOrder.some(refused) && (channelsInOrder.every(refused) || mayLackChannel())
    }
    case 'no_usable_channel':
      return calls.some((call) => call.answer === 'refused') || mayLackChannel()
    default:
      return false
  }
}

/**
 * True when the person had agreed before the event was said, and never took it back. What another
 * record of theirs had agreed to counts from when the two are one.
 */
function isSurelyGranted(
  { about, promise }: Duty,
  consents: readonly Heard[],
  seen: Sight,
): boolean {
  const known = seen.identitiesOf(about.event, about.saidAt)
  const own = consents.filter(({ event }) =>
    ['all', promise.class].includes(String(event.data.purpose)),
  )
  return (
    own.some(
      ({ event, readAt }) =>
        known.has(identityOf(event)) &&
        event.type.includes('granted') &&
        event.data.channel === undefined &&
        readAt < about.saidAt,
    ) && own.every(({ event }) => event.type.includes('granted'))
  )
}

/** A duty of which nothing was ever planned: only a decision that says why, and rightly, excuses it. */
function judgeAbsence(duty: Duty, seen: Sight, ending: Ending): Violation[] {
  const { about, text, campaign, trigger, promise } = duty
  const lost = (how: string): Violation[] => [{ kind: 'lost', text: `${text}: ${how}` }]
  const isMoved = about !== trigger
  if (isMoved) return judgeMissingVersion(duty, seen, ending)
  const decisions = ending.decisions.filter(
    (decision) => decision.event === trigger.event.key && decision.campaign === campaign,
  )
  const people = seen.identitiesOf(about.event, Infinity)
  const mine = (type: RegExp) => seen.all(type).filter(({ event }) => people.has(identityOf(event)))
  if (decisions.length === 0) return lost('nothing was planned, and nobody decided so')
  const excuses: Readonly<Record<string, () => boolean>> = {
    event_too_old: () =>
      about.readNow >= sameTimeOn(Date.parse(about.event.time), oldestTrigger).earliest,
    person_deceased: () => mine(/^person\.deceased/).length > 0,
    exit_touchpoint: () => mine(/./).some(({ event }) => event.type === promise.exit),
    merged_duplicate: () => mine(/^person\.merged/).length > 0,
    moment_passed: () =>
      [about, ...newerThan(about, seen)].some(
        ({ event }) => Date.parse(String(event.data.startsAt)) <= about.readNow,
      ),
    // A booking that comes in behind its own change, by another way, is told of in the newer version.
    enrolled: () =>
      isOvertakenOnTheWay(duty, seen) &&
      ending.messages.some(
        (row) =>
          row.campaign === campaign &&
          row.event === trigger.event.key &&
          (row.version ?? 0) > (about.event.version ?? 0),
      ),
    // A newer version overtook the booking, or took its place while it waited.
    entity_withdrawn: () => isOvertaken(duty, seen),
    already_entered: () =>
      promise.once
        ? mine(/^care\./).some((each) => each !== about && each.event.type === promise.trigger)
        : mine(/^person\.merged/).length > 0,
  }
  const excused = decisions.some(({ reason }) => excuses[reason]?.() ?? false)
  return excused
    ? []
    : lost(`nothing was planned: ${decisions.map((each) => each.reason).join(', ')}`)
}

function isOvertaken({ about }: Duty, seen: Sight): boolean {
  return newerThan(about, seen).length > 0
}

function isOvertakenOnTheWay({ about }: Duty, seen: Sight): boolean {
  return newerThan(about, seen).some((newer) => !goesBehind(newer, about))
}

function isOfOlderVersion({ text }: Call, { campaign, about }: Duty, seen: Sight): boolean {
  return seen
    .all(/^care\.appointment/)
    .filter(({ event }) => event.entity === about.event.entity)
    .filter(({ event }) => (event.version ?? 0) < (about.event.version ?? 0))
    .some(({ event }) => text === `${campaign} ${event.data.ref} ${event.data.startsAt}`)
}

/** What was said of a newer version of the same appointment. */
function newerThan({ event }: Heard, seen: Sight): Heard[] {
  return seen
    .all(/^care\.appointment/)
    .filter((each) => each.event.entity === event.entity)
    .filter((each) => (each.event.version ?? 0) > (event.version ?? 0))
}

/**
 * P2: of what nobody gets twice nobody does, and both records of one person are nobody else: from
 * when they are one, what either got before counts for both.
 */
function judgeOnce(duties: readonly Duty[], seen: Sight): Violation[] {
  const found: Violation[] = []
  const takenOf = (duty: Duty) => seen.calls.find((call) => call.taken && call.text === duty.text)
  for (const [index, one] of duties.entries()) {
    const first = one.promise.once ? takenOf(one) : undefined
    for (const other of duties.slice(index + 1)) {
      const second = first && other.campaign === one.campaign ? takenOf(other) : undefined
      if (!first || !second) continue
      const people = seen.identitiesOf(one.about.event, Math.max(first.claimedAt, second.claimedAt))
      if (!people.has(identityOf(other.about.event))) continue
      if (one.promise.once === 'a stay' && !areOfOneStay([one, other], people, seen)) continue
      found.push({ kind: 'doubled', text: `${one.text} and ${other.text}: to one person` })
    }
  }
  return found
}

/** What begins a stay, for who is in none or in another one. */
const stays = /^care\.(admission|discharge)/

/**
 * True when it is sure: whatever began a stay on a record of theirs had done so before what is told
 * of that record, and before the records were one. The stay which then runs on both is one.
 */
function areOfOneStay(duties: readonly Duty[], people: ReadonlySet<string>, seen: Sight): boolean {
  const merges = seen.all(/^person\.merged/).filter(({ event }) => people.has(identityOf(event)))
  return seen
    .all(stays)
    .filter(({ event }) => people.has(identityOf(event)))
    .every((begun) => {
      const own = duties.filter(({ about }) => identityOf(about.event) === identityOf(begun.event))
      const isBefore = own.every(({ about }) => isAfter(about, begun))
      if (own.length === duties.length) return isBefore
      return own.length > 0 && isBefore && merges.every((merge) => begun.readAt < merge.saidAt)
    })
}

/**
 * P1: what stands down because the other record of the person tells it, is told by that one; or one of
 * them may have been told, and nobody knows.
 */
function judgeStoodDown(duties: readonly Duty[], seen: Sight, ending: Ending): Violation[] {
  const once = duties.filter(({ promise }) => promise.once !== undefined)
  return once
    .filter((duty) => standsDown(duty, ending) === 'merged_duplicate')
    .filter((duty) => {
      const people = seen.identitiesOf(duty.about.event, Infinity)
      return !once.some(
        (other) =>
          other.campaign === duty.campaign &&
          people.has(identityOf(other.about.event)) &&
          ((standsDown(other, ending) === null && !isOfStayBefore(other, people, seen)) ||
            mayHaveBeenTold(other, seen)),
      )
    })
    .map(({ text }) => ({ kind: 'lost', text: `${text}: stood down, and nothing took its place` }))
}

function mayHaveBeenTold({ text }: Duty, seen: Sight): boolean {
  return seen.calls.some(
    (call) => call.text === text && (call.answer === null || call.answer === 'unknown'),
  )
}

/** Why it left the field to another one like it; null when it did not. */
function standsDown({ campaign, about }: Duty, { messages, decisions }: Ending): string | null {
  const isOwn = (each: { campaign: string; event: string }) =>
    each.campaign === campaign && each.event === about.event.key
  const row = messages.find(isOwn)
  if (row) return row.reason === 'merged_duplicate' ? row.reason : null
  const reasons = decisions.filter(isOwn).map(({ reason }) => reason)
  return (
    ['merged_duplicate', 'already_entered'].find((reason) => reasons.includes(reason)) ??
    (reasons.length > 0 ? null : 'never heard of')
  )
}

/** True when its record was surely in another stay when it became one with the other. */
function isOfStayBefore(
  { about, promise }: Duty,
  people: ReadonlySet<string>,
  seen: Sight,
): boolean {
  if (promise.once !== 'a stay') return false
  const merges = seen.all(/^person\.merged/).filter(({ event }) => people.has(identityOf(event)))
  const own = identityOf(about.event)
  return seen
    .all(/^care\.admission/)
    .filter(({ event }) => identityOf(event) === own)
    .some((begun) => isAfter(begun, about) && merges.every((merge) => begun.readAt < merge.saidAt))
}

/** P6: an id is whose it was when it was said to be somebody's. */
function judgeLinks(seen: Sight, { people }: Ending): Violation[] {
  const merged = new Set(seen.all(/^person\.merged/).map(({ event }) => otherOf(event)))
  return seen.all(/^person\.identified/).flatMap((link) => {
    const [one, other] = [identityOf(link.event), otherOf(link.event)]
    if (link.readAt === Infinity || merged.has(other) || !seen.isSureOf(link)) return []
    const isOne = people.some(
      ({ identities }) => identities.includes(one) && identities.includes(other),
    )
    if (isOne === seen.isLinked(link)) return []
    return [{ kind: 'wrong record', text: `${other}: ${isOne ? 'is' : 'is not'} one with ${one}` }]
  })
}

/** The newest version of an appointment must be told, when the one before waited or was told. */
function judgeMissingVersion(duty: Duty, seen: Sight, ending: Ending): Violation[] {
  const { about, text, campaign, trigger, startsAt } = duty
  if (isOvertaken(duty, seen) || about.readAt === Infinity) return []
  const before = ending.messages
    .filter((row) => row.campaign === campaign && row.event === trigger.event.key)
    .filter((row) => (row.version ?? 0) < (about.event.version ?? 0))
    .toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0))[0]
  if (!before || startsAt === null) return []
  const superseded = before.reason === 'entity_superseded' && startsAt > about.readNow
  const told =
    ['sent', 'delivered', 'held'].includes(before.state) || before.reason === 'older_version_told'
  const again = told && earliestDue(duty) > about.readNow
  if (!superseded && !again) return []
  return [{ kind: 'lost', text: `${text}: the appointment was moved, and nobody was told` }]
}

/** P3: nothing that nobody asked for. */
function judgeStrangers(duties: readonly Duty[], seen: Sight): Violation[] {
  const known = new Set(duties.map((duty) => duty.text))
  return seen.calls
    .filter((call) => call.taken && !known.has(call.text))
    .map(({ text }) => ({ kind: 'unexplained', text: `${text}: nobody asked for it` }))
}

/** P1, P2: every event that was kept was applied once, or put aside with its reason. */
function judgeEvents(seen: Sight, ending: Ending): Violation[] {
  const found = ending.miscounted.map(
    (place): Violation => ({ kind: 'ledger', text: `${place}: not every record was counted once` }),
  )
  for (const { event, keptAt } of seen.heard.values()) {
    if (event.type.startsWith('staff.')) continue
    const times = ending.events.filter((key) => key === event.key).length
    const aside = ending.deadLetters.some((letter) => letter.endsWith(` ${event.id}`))
    if (times > 1) found.push({ kind: 'doubled', text: `${event.key}: applied ${times} times` })
    if (keptAt < Infinity && times === 0 && !aside) {
      found.push({ kind: 'lost', text: `${event.key} (${event.type}): kept, and never applied` })
    }
    if (isUnusable(event) && times > 0)
      found.push({ kind: 'wrong record', text: `${event.key}: applied, though nobody can use it` })
    const wasInTheWay = isDamaged(event, seen) && times === 1
    if (aside && !isUnusable(event) && !wasInTheWay)
      found.push({ kind: 'lost', text: `${event.key} (${event.type}): put aside` })
  }
  return found
}

/** True when nothing could be decided of whom it is about, until staff had mended that. */
function isDamaged({ subject }: Told, seen: Sight): boolean {
  return seen.all(/^staff\.record\.damaged/).some(({ event }) => event.subject === subject)
}

/** What no catalogue knows, or PostgreSQL does not take: it is put aside, and says so. */
function isUnusable({ type, data }: Told): boolean {
  return type === 'care.unknown.v1' || data.ref === unwritable
}

/** P3, P6: what is known of people and appointments at the end. */
function judgePeople(seen: Sight, ending: Ending): Violation[] {
  return [
    ...judgeEntities(seen, ending),
    ...judgeDeaths(seen, ending),
    ...judgeConsents(seen, ending),
    ...judgeAddresses(seen, ending),
  ]
}

function judgeEntities(seen: Sight, ending: Ending): Violation[] {
  const found: Violation[] = []
  const versions = Map.groupBy(seen.all(/^care\.appointment/), ({ event }) => event.entity ?? '')
  for (const [entity, all] of versions) {
    const newest = all
      .filter(({ readAt }) => readAt < Infinity)
      .toSorted((a, b) => (b.event.version ?? 0) - (a.event.version ?? 0))[0]
    if (!newest) continue
    const state = newest.event.type.includes('cancelled') ? 'withdrawn' : 'active'
    const row = ending.entities.find((each) => each.entity === entity)
    if (row?.version === newest.event.version && row?.state === state) continue
    found.push({
      kind: 'wrong record',
      text: `${entity}: ${row?.state} version ${row?.version}, said was ${state} version ${newest.event.version}`,
    })
  }
  return found
}

function judgeDeaths(seen: Sight, ending: Ending): Violation[] {
  return seen.all(/^person\.deceased/).flatMap(({ event, readAt }) => {
    const person = personOf(event, ending)
    if (readAt === Infinity || person?.deceased) return []
    return [
      { kind: 'wrong record', text: `${event.subject}: dead, and the record does not say so` },
    ]
  })
}

/** The newest profile of a publisher is the one that is known: never an older one after it. */
function judgeAddresses(seen: Sight, ending: Ending): Violation[] {
  const found: Violation[] = []
  const profiles = seen.all(/^person\.upserted/).filter(({ readAt }) => readAt < Infinity)
  for (const person of ending.people) {
    const own = profiles.filter(({ event }) => person.identities.includes(identityOf(event)))
    const newest = own.toSorted((a, b) => b.saidAt - a.saidAt)[0]
    const isInOrder = own.every((profile) => goesBehind(profile, newest ?? profile))
    if (!newest || !isInOrder || emailOf(newest.event) === person.email) continue
    found.push({
      kind: 'out of order',
      text: `${newest.event.subject}: known at ${person.email}, last said was ${emailOf(newest.event)}`,
    })
  }
  return found
}

/**
 * Consents merge by their own time, ties go to the restrictive one, and an import never lifts what
 * the person said. Where imports are among them only what is too free is held against the record.
 */
function judgeConsents(seen: Sight, ending: Ending): Violation[] {
  const found: Violation[] = []
  const said = seen
    .all(/^(consent\.|message\.(complained|replied))/)
    .filter(({ readAt }) => readAt < Infinity)
  for (const row of ending.consents) {
    const identities = ending.people.find((each) => each.person === row.person)?.identities ?? []
    const own = said
      .map(({ event }) => event)
      .filter(
        (event) =>
          identities.includes(identityOf(event)) &&
          event.data.purpose === row.purpose &&
          (event.data.channel ?? '') === row.channel,
      )
    const expected = consentOf(own)
    const isRestrictive = own.some(isImport) || identities.length > 1
    if (row.state === expected || (row.state === 'withdrawn' && isRestrictive)) continue
    found.push({
      kind: 'wrong record',
      text: `consent ${row.purpose}: ${row.state}, and by what was said it is ${expected}`,
    })
  }
  return found
}

function consentOf(said: readonly Told[]): 'granted' | 'withdrawn' | null {
  const latest = (state: string, origin: 'person' | 'import' | 'any') =>
    said
      .filter(({ type }) => type.includes('granted') === (state === 'granted'))
      .filter((event) => origin === 'any' || isImport(event) === (origin === 'import'))
      .reduce((time, event) => (event.time > time ? event.time : time), '')
  if (said.length === 0) return null
  const [personNo, personYes] = [latest('withdrawn', 'person'), latest('granted', 'person')]
  if (personNo !== '' && personYes <= personNo) return 'withdrawn'
  return latest('granted', 'any') > latest('withdrawn', 'any') ? 'granted' : 'withdrawn'
}

function isImport({ data }: Told): boolean {
  return data.origin === 'import'
}

function personOf(event: Told, { people }: Ending) {
  return people.find(({ identities }) => identities.includes(identityOf(event)))
}
