import type { Step } from '@wegwijs/campaign/steps/step'
import { describe, expect, test } from 'vitest'
import { tellingDischarged, told } from './telling-hospital.ts'

describe('emit', () => {
  const tell: Step = {
    emit: { type: told, data: { ward: 'event.ward', channel: { value: 'phone' } } },
  }
  const emitted = (patient: ReturnType<typeof tellingDischarged>) =>
    patient.decisions.filter(({ reason }) => reason === 'event_emitted').map(({ detail }) => detail)

  test('tells other systems what the fields say, under an id that hangs on the run', () => {
    const [one] = emitted(tellingDischarged([tell]))
    expect(one).toMatchObject({ type: told, data: { ward: 'B2', channel: 'phone' } })
    expect(emitted(tellingDischarged([tell]))[0]?.eventId).toBe(one?.eventId)
    const twice = emitted(tellingDischarged([tell, tell])).map((detail) => detail?.eventId)
    expect(new Set(twice).size).toBe(2)
  })

  test('leaves out what is not known, and tells nothing without what it promises', () => {
    const without: Step = {
      emit: { type: told, data: { ward: 'event.ward', channel: 'event.room' } },
    }
    expect(emitted(tellingDischarged([without]))).toMatchObject([{ data: { ward: 'B2' } }])
    const incomplete = tellingDischarged([{ emit: { type: told, data: { ward: 'event.room' } } }])
    expect(emitted(incomplete)).toEqual([])
    expect(incomplete.reasons).toContain('event_incomplete')
  })
})
