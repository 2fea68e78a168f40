/**
 * What the hospital of the simulation promises, in words of its own: the model judges by these and
 * by nothing else. Durations in hours, or in days of the Dutch calendar.
 */
export type CampaignPromise = {
  readonly trigger: string
  readonly class: 'care' | 'service' | 'marketing'
  /** How often the person may get it when nobody knows whether they have it: once, or once more. */
  readonly unknown: 'at-most-once' | 'at-least-once'
  readonly consent: 'implied' | 'required'
  /** After the event. */
  readonly waits?: number
  /** Days before the appointment begins. */
  readonly daysBefore?: number
  /** For how long it is worth having, from the moment it is due. */
  readonly expires: { readonly hours: number } | { readonly days: number }
  readonly exit?: string
  /** Nobody gets it more than once, or more than once while a stay lasts: it ends when another begins. */
  readonly once?: 'ever' | 'a stay'
}

export const campaignPromises: Readonly<Record<string, CampaignPromise>> = {
  care: {
    trigger: 'care.discharge.completed.v1',
    class: 'care',
    unknown: 'at-most-once',
    consent: 'implied',
    expires: { days: 2 },
  },
  'follow-up': {
    trigger: 'care.discharge.completed.v1',
    class: 'service',
    unknown: 'at-least-once',
    consent: 'implied',
    waits: 3,
    expires: { hours: 6 },
    exit: 'care.admission.started.v1',
  },
  service: {
    trigger: 'care.survey.answered.v1',
    class: 'service',
    unknown: 'at-least-once',
    consent: 'implied',
    expires: { hours: 12 },
  },
  welcome: {
    trigger: 'care.survey.invited.v1',
    class: 'care',
    unknown: 'at-most-once',
    consent: 'implied',
    waits: 5,
    expires: { days: 2 },
    once: 'ever',
  },
  guide: {
    trigger: 'care.survey.invited.v1',
    class: 'care',
    unknown: 'at-most-once',
    consent: 'implied',
    waits: 4,
    expires: { days: 2 },
    once: 'a stay',
  },
  offer: {
    trigger: 'care.admission.started.v1',
    class: 'marketing',
    unknown: 'at-most-once',
    consent: 'required',
    expires: { days: 2 },
  },
  reminder: {
    trigger: 'care.appointment.booked.v1',
    class: 'care',
    unknown: 'at-most-once',
    consent: 'implied',
    daysBefore: 1,
    expires: { days: 2 },
  },
}

/** What PostgreSQL refuses to take, as it does with what is no text. */
export const unwritable = 'unwritable'

/** Channels of a message, in the order in which they are tried. */
export const channelsInOrder = ['email', 'sms'] as const

/** How old an event may be and still begin something, in days. */
export const oldestTrigger = 1

/** Who has claimed a message and says nothing for so long has lost it: nobody knows what came of it. */
export const leaseMs = 15_000
