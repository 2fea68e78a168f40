import { reservedTypes } from '@wegwijs/campaign/reserved-types'
import { describe, expect, it } from 'vitest'
import { groupsOf, isUrgent, topicConfigs, topicsOf, urgentTypes } from '../src/topics.ts'

describe('topics', () => {
  it('are named after the namespace', () => {
    expect(topicsOf('sint_jan')).toEqual({
      touchpoints: 'sint_jan.touchpoints',
      urgent: 'sint_jan.touchpoints.urgent',
      messages: 'sint_jan.messages',
      emitted: 'sint_jan.emitted',
      deadLetters: 'sint_jan.touchpoints.dlq',
    })
    expect(groupsOf('sint_jan')).toEqual({
      touchpoints: 'sint_jan.journey',
      urgent: 'sint_jan.journey.urgent',
    })
  })

  it('never meet those of another namespace', () => {
    const names = (namespace: string) => [
      ...Object.values(topicsOf(namespace)),
      ...Object.values(groupsOf(namespace)),
    ]
    const all = [...names('a'), ...names('a_b'), ...names('ab'), ...names('touchpoints')]
    expect(new Set(all).size).toBe(all.length)
  })

  it('are each configured once, and hold an event of the largest size', () => {
    const configs = topicConfigs('a')
    expect(configs.map(({ topic }) => topic).sort()).toEqual(Object.values(topicsOf('a')).sort())
    for (const { partitions, replicationFactor, settings } of configs) {
      expect(partitions).toBeGreaterThan(0)
      expect(replicationFactor).toBe(1)
      expect(settings['min.insync.replicas']).toBe('1')
      expect(Number(settings['max.message.bytes'])).toBeGreaterThan(256 * 1024)
      for (const value of Object.values(settings)) expect(value).toMatch(/^[A-Za-z0-9]+$/)
    }
  })

  it('need two of three replicas where there are three', () => {
    const configs = topicConfigs('a', { partitions: 12, replicationFactor: 3 })
    expect(configs[0]).toMatchObject({ partitions: 12, replicationFactor: 3 })
    expect(configs.map(({ settings }) => settings['min.insync.replicas'])).toEqual([
      '2',
      '2',
      '2',
      '2',
      '2',
    ])
  })

  it('let exactly the stops overtake', () => {
    expect(Object.keys(reservedTypes).filter(isUrgent)).toEqual([...urgentTypes])
    expect(isUrgent('consent.granted.v1')).toBe(false)
    expect(isUrgent('care.discharge.completed.v1')).toBe(false)
  })
})
