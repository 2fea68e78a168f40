import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'

/** When business time begins in the clinic: a Monday at ten. */
export const monday = '2026-03-02T09:00:00.000Z'

/**
 * The small hospital with a campaign for each way in which a message can be handed over: `care` at
 * most once, `service` at least once, `offer` for who said yes, `reminder` for an appointment.
 */
export const clinic = smallHospital([
  campaign({ id: 'care', entry: 'every-time' }),
  campaign({
    id: 'service',
    class: 'service',
    entry: 'every-time',
    trigger: { touchpoint: 'care.survey.answered.v1' },
  }),
  campaign({
    id: 'offer',
    class: 'marketing',
    entry: 'every-time',
    trigger: { touchpoint: 'care.admission.started.v1' },
    steps: [message('later')],
  }),
  campaign({
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      message('hello', {
        send: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' },
        until: 'entity.startsAt',
      }),
    ],
  }),
])

let count = 0

/** An event of the clinic's health record, on that Monday unless told otherwise. */
export function happen(
  type: string,
  subject: string,
  over: Partial<TouchpointEvent> = {},
): TouchpointEvent {
  count += 1
  return { id: `e${count}`, source: 'urn:test:ehr', type, subject, time: monday, data: {}, ...over }
}

export const discharged = (subject: string, over: Partial<TouchpointEvent> = {}) =>
  happen('care.discharge.completed.v1', subject, over)
export const answered = (subject: string, over: Partial<TouchpointEvent> = {}) =>
  happen('care.survey.answered.v1', subject, over)

export function booked(subject: string, version: number, startsAt: string): TouchpointEvent {
  return happen(
    version === 1 ? 'care.appointment.booked.v1' : 'care.appointment.moved.v1',
    subject,
    { entity: `appointment/${subject}`, version, data: { startsAt } },
  )
}

/** Tells of a person who can be reached by e-mail and by SMS, unless told otherwise. */
export function arrives(
  subject: string,
  contacts: { email?: string | null; phone?: string | null } = {},
  over: Partial<TouchpointEvent> = {},
): TouchpointEvent {
  const addresses = { email: `${subject}@example.org`, phone: '+447700900123', ...contacts }
  const given = Object.entries(addresses).filter(([, address]) => address !== null)
  return happen('person.upserted.v1', subject, {
    data: { givenName: 'Test', contacts: Object.fromEntries(given), test: true },
    ...over,
  })
}
