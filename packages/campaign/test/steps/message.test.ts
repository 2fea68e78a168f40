import { messageTemplatesOf } from '@wegwijs/campaign/catalogue'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'
import { discharge, discharged } from './discharged.ts'

describe('a message that names no channels', () => {
  const channelsOf = (
    preferredChannel: string | null,
    over: Parameters<typeof message>[1] = {},
  ) => {
    const steps = [message('hello', over)]
    const patient = person(definitionOf([campaign({ id: 'aftercare', steps })]))
    patient.happens('person.upserted.v1', { data: { preferredChannel } })
    patient.happens(discharge)
    return patient.intents()[0]?.channels
  }

  test('goes over the preferred one first, and then in the order of the persona', () => {
    expect(channelsOf(null)).toEqual(['email', 'sms'])
    expect(channelsOf('sms')).toEqual(['sms', 'email'])
    expect(channelsOf('email')).toEqual(['email', 'sms'])
  })

  test('goes over none that the persona has not', () => {
    expect(channelsOf('app')).toEqual(['email', 'sms'])
  })

  test('an order that is named is kept', () => {
    expect(channelsOf('sms', { channels: ['email', 'sms'] })).toEqual(['email', 'sms'])
  })
})

describe('a message with a template for each persona', () => {
  const steps = [message('hello', { template: { senior: 'later', otherwise: 'hello' } })]

  test('is of the template of who they are when it is planned, with the texts of their version', () => {
    const patient = discharged(steps)
    expect(patient.intents()).toMatchObject([{ templateId: 'hello', templateHash: 'hello-1' }])
    const senior = person(definitionOf([campaign({ id: 'aftercare', steps })]))
    senior.state = { ...senior.state, person: { ...senior.state.person, persona: 'senior' } }
    senior.happens('person.upserted.v1', { data: { birthYear: 1940 } })
    senior.happens(discharge)
    expect(senior.state.person.persona).toBe('senior')
    expect(senior.intents()).toMatchObject([{ templateId: 'later', templateHash: 'later-1' }])
  })

  test('takes all of them along when it is published', () => {
    expect(messageTemplatesOf(steps)).toEqual(['later', 'hello'])
  })
})
