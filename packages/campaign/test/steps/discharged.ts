import { campaign } from '@wegwijs/test-support/small-hospital'
import { definitionOf, person } from '../given.ts'

export const discharge = 'care.discharge.completed.v1'
export const admission = 'care.admission.started.v1'
export const answered = 'care.survey.answered.v1'
export const monday = '2026-03-02T09:00:00.000Z'

/** Somebody who has just been discharged, in a campaign of these steps. */
export function discharged(
  steps: Parameters<typeof campaign>[0]['steps'],
  start = monday,
  subject = 'p1',
) {
  const patient = person(definitionOf([campaign({ id: 'aftercare', steps })]), start, subject)
  patient.happens(discharge)
  return patient
}

export const messages = (patient: ReturnType<typeof person>) =>
  patient.intents().map(({ messageId }) => messageId)
