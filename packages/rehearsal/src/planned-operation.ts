import { Temporal } from 'temporal-polyfill'
import { type Diary, dayMs, hourMs, minuteMs } from './diary.ts'
import { answerSurvey } from './survey.ts'

const ZONE = 'Europe/Amsterdam'

/**
 * A planned operation, from the referral until the last check-up; an appointment may be moved, once
 * or twice, or be cancelled, or nobody comes to it, and then the road ends there. Returns when the last
 * of it happened.
 */
export function livePlannedOperation(diary: Diary, referredMs: number): number {
  const { random } = diary
  const department = random.pick(['Orthopedie', 'Chirurgie', 'Oogheelkunde', 'KNO'])
  diary.write(referredMs, 'care.referral.received.v1', { department })
  const intakeMs = localTime(referredMs, random.between(4, 12), random.between(9, 16))
  diary.write(intakeMs, 'care.intake.completed.v1', { department })
  const operation = openAppointment(diary, { kind: 'operation', department })
  let startsMs = localTime(intakeMs, random.between(9, 28), random.pick([7, 8, 10, 13]))
  operation.tell(intakeMs + 20 * minuteMs, 'care.appointment.booked.v1', startsMs)
  let toldMs = intakeMs + 20 * minuteMs
  while (random.chance(0.22)) {
    toldMs = between(diary, toldMs, startsMs)
    startsMs = localTime(startsMs, random.between(1, 9), random.pick([7, 8, 10, 13]))
    operation.tell(toldMs, 'care.appointment.moved.v1', startsMs)
  }
  if (random.chance(0.09)) return operation.cancel(between(diary, toldMs, startsMs))
  operation.keep(startsMs)
  return liveOperation(diary, startsMs, department)
}

function liveOperation(diary: Diary, startsMs: number, department: string): number {
  const { random } = diary
  diary.write(startsMs - 18 * hourMs, 'care.operation.prepared.v1')
  diary.write(startsMs, 'care.operation.admitted.v1', { department })
  diary.write(startsMs + random.between(2, 6) * hourMs, 'care.operation.completed.v1')
  const homeMs = startsMs + 9 * hourMs + random.between(0, 3) * dayMs
  diary.write(homeMs, 'care.operation.discharged.v1')
  const checkUp = openAppointment(diary, { kind: 'check-up', department })
  const checkUpMs = localTime(homeMs, random.between(10, 20), random.between(9, 15))
  checkUp.tell(homeMs + 30 * minuteMs, 'care.appointment.booked.v1', checkUpMs)
  if (random.chance(0.1)) return checkUp.cancel(between(diary, homeMs + hourMs, checkUpMs))
  if (random.chance(0.08)) return checkUp.miss(checkUpMs + hourMs)
  checkUp.keep(checkUpMs)
  diary.write(checkUpMs + 20 * minuteMs, 'care.aftercare.completed.v1', {
    byPhone: random.chance(0.5),
  })
  return answerSurvey(diary, checkUpMs + 20 * minuteMs)
}

type Appointment = {
  tell(atMs: number, type: string, startsMs: number): void
  cancel(atMs: number): number
  miss(atMs: number): number
  keep(atMs: number): void
}

function openAppointment(
  diary: Diary,
  { kind, department }: { kind: 'operation' | 'check-up'; department: string },
): Appointment {
  const name = `appointment/${diary.subject}-${kind}`
  const location = `Route ${diary.random.between(10, 90)}`
  let version = 0
  let startsAt = ''
  const entity = () => ({ entity: { name, version: ++version } })
  return {
    tell: (atMs, type, startsMs) => {
      startsAt = new Date(startsMs).toISOString()
      diary.write(atMs, type, { startsAt, kind, location, department }, entity())
    },
    cancel: (atMs) => {
      const reason = diary.random.chance(0.6) ? 'by-patient' : 'by-hospital'
      diary.write(atMs, 'care.appointment.cancelled.v1', { startsAt, reason }, entity())
      return atMs
    },
    miss: (atMs) => {
      diary.write(atMs, 'care.appointment.missed.v1', { startsAt }, entity())
      return atMs
    },
    keep: (atMs) => diary.write(atMs, 'care.appointment.kept.v1', { startsAt }, entity()),
  }
}

/** A whole hour on the clock of the hospital, `days` after `ms`. */
function localTime(ms: number, days: number, hour: number): number {
  return Temporal.Instant.fromEpochMilliseconds(ms)
    .toZonedDateTimeISO(ZONE)
    .add({ days })
    .withPlainTime({ hour }).epochMilliseconds
}

function between(diary: Diary, fromMs: number, toMs: number): number {
  return fromMs + Math.floor(diary.random.next() * (toMs - fromMs))
}
