import { inspect } from 'node:util'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { isReferenceCurrent } from '../src/configuration-reference.ts'
import {
  type Environment,
  readEnvironment,
  resolveConfig,
  type Variable,
  type VariableName,
  variables,
} from '../src/env.ts'
import { isFailure } from '../src/failure.ts'

const SECRET = 'correct-horse-battery-staple-42-times'
const DATABASE_URL = 'postgres://wegwijs:s3cret-pw@db.example.org:5432/wegwijs'

function faultsOf(environment: Environment, names: readonly VariableName[]): readonly string[] {
  try {
    resolveConfig(environment, names)
  } catch (error) {
    if (isFailure(error, 'WEGWIJS_CONFIG_INVALID')) return error.detail.faults as string[]
    throw error
  }
  return []
}

describe('resolveConfig', () => {
  it('gives what was asked for, typed, under camelCase names, with defaults', () => {
    const config = resolveConfig(
      { WEGWIJS_KAFKA_BROKERS: 'one:9092, two:9093', WEGWIJS_GATEWAY_PORT: '0', PATH: '/bin' },
      ['WEGWIJS_NAMESPACE', 'WEGWIJS_KAFKA_BROKERS', 'WEGWIJS_GATEWAY_PORT', 'WEGWIJS_LOG_LEVEL'],
    )
    expect({ ...config }).toEqual({
      namespace: 'wegwijs',
      kafkaBrokers: ['one:9092', 'two:9093'],
      gatewayPort: 0,
      logLevel: 'info',
    })
    expectTypeOf(config.kafkaBrokers).toEqualTypeOf<string[]>()
    expectTypeOf(config.gatewayPort).toEqualTypeOf<number>()
    expectTypeOf(config.logLevel).toEqualTypeOf<'debug' | 'info' | 'warn' | 'error' | 'silent'>()
    expectTypeOf(config).not.toHaveProperty('redisUrl')
  })

  it('leaves out an optional variable that is not set, and still checks one that is', () => {
    const optional = ['WEGWIJS_REDIS_URL'] as const
    const config = resolveConfig({}, ['WEGWIJS_NAMESPACE'], optional)
    expect('redisUrl' in config).toBe(false)
    expectTypeOf(config.redisUrl).toEqualTypeOf<string | undefined>()
    expect(resolveConfig({ WEGWIJS_REDIS_URL: 'redis://h:1' }, [], optional).redisUrl).toBe(
      'redis://h:1',
    )
    expect(() => resolveConfig({ WEGWIJS_REDIS_URL: 'no' }, [], optional)).toThrow(
      'WEGWIJS_REDIS_URL',
    )
  })

  it('takes an empty value for one that is not set', () => {
    expect(resolveConfig({ WEGWIJS_NAMESPACE: '' }, ['WEGWIJS_NAMESPACE']).namespace).toBe(
      'wegwijs',
    )
    expect(faultsOf({ WEGWIJS_REDIS_URL: '' }, ['WEGWIJS_REDIS_URL'])).toHaveLength(1)
  })

  it('tells every fault at once', () => {
    const names = [
      'WEGWIJS_NAMESPACE',
      'WEGWIJS_KAFKA_BROKERS',
      'WEGWIJS_GATEWAY_PORT',
      'WEGWIJS_REDIS_URL',
    ] as const
    const environment = {
      WEGWIJS_NAMESPACE: 'Sint-Jan',
      WEGWIJS_KAFKA_BROKERS: 'kafka',
      WEGWIJS_GATEWAY_PORT: '65536',
    }
    expect(faultsOf(environment, names)).toEqual([
      'WEGWIJS_NAMESPACE="Sint-Jan" is not usable; it takes a lower-case letter, then at most 39 letters, digits or _',
      'WEGWIJS_KAFKA_BROKERS="kafka" is not usable; it takes a comma-separated list of host:port',
      'WEGWIJS_GATEWAY_PORT="65536" is not usable; it takes a port, 0 to 65535 (0 takes a free one)',
      'WEGWIJS_REDIS_URL is not set; it takes an address such as redis://host:6379/0',
    ])
  })

  it('refuses a misspelt name, which would silently mean the default, and says the nearest', () => {
    expect(faultsOf({ WEGWIJS_NAMESPCE: 'sint_jan' }, ['WEGWIJS_NAMESPACE'])).toEqual([
      'WEGWIJS_NAMESPCE is not a variable of Wegwijs; did you mean WEGWIJS_NAMESPACE?',
    ])
    expect(faultsOf({ WEGWIJS_KAFKA_BROKER: 'x:1' }, [])[0]).toContain('WEGWIJS_KAFKA_BROKERS?')
    expect(faultsOf({ WEGWIJS_: 'x' }, [])).toHaveLength(1)
  })

  it.each([
    ['WEGWIJS_SECRET', 'short-secret-pw'],
    ['WEGWIJS_DATABASE_URL', 'mysql://u:s3cret-pw@host/db'],
    ['WEGWIJS_REDIS_URL', 'http://u:s3cret-pw@host'],
    ['WEGWIJS_SMTP_URL', 's3cret-pw'],
    ['WEGWIJS_SMS_TOKEN', 'has s3cret-pw inside'],
    ['WEGWIJS_SMS_URL', 'ftp://s3cret-pw@host'],
  ] as const)('never shows %s, not even when it is wrong', (name, value) => {
    const [fault] = faultsOf({ [name]: value }, [name])
    expect(fault).toContain(`${name} (hidden, ${value.length} characters)`)
    expect(fault).not.toContain('secret-pw')
    expect(fault).not.toContain('s3cret')
  })

  it('shows which secrets are set, and not what they are, when the config is printed', () => {
    const config = resolveConfig({ WEGWIJS_SECRET: SECRET, WEGWIJS_DATABASE_URL: DATABASE_URL }, [
      'WEGWIJS_SECRET',
      'WEGWIJS_DATABASE_URL',
      'WEGWIJS_NAMESPACE',
    ])
    expect(config.secret).toBe(SECRET)
    for (const printed of [JSON.stringify(config), inspect(config), inspect({ nested: config })]) {
      expect(printed).toContain('(hidden)')
      expect(printed).toContain('wegwijs')
      expect(printed).not.toContain(SECRET)
      expect(printed).not.toContain('s3cret-pw')
    }
  })

  it('gives what cannot be changed afterwards', () => {
    const config = resolveConfig({ WEGWIJS_KAFKA_BROKERS: 'a:1' }, ['WEGWIJS_KAFKA_BROKERS'])
    expect(() => Object.assign(config, { kafkaBrokers: [] })).toThrow(TypeError)
    expect(() => config.kafkaBrokers.push('b:2')).toThrow(TypeError)
  })

  it.each([
    [
      'WEGWIJS_NAMESPACE',
      ['a', 'st_jan_2', `a${'b'.repeat(39)}`],
      ['', 'A', '2a', 'a-b', 'a.b', `a${'b'.repeat(40)}`],
    ],
    ['WEGWIJS_HEALTH_PORT', ['0', '1', '65535'], ['-1', '65536', '1.5', '0x10', ' 1', '1e3']],
    [
      'WEGWIJS_KAFKA_BROKERS',
      ['a:1', '[::1]:9092', 'a.b-c:1,d:2'],
      ['a', 'a:', ':1', 'a:1,', 'http://a:1', 'a:1;b:2'],
    ],
    [
      'WEGWIJS_DATABASE_URL',
      ['postgres://h/d', 'postgresql://u:p@h:1/d?sslmode=require'],
      ['h/d', 'mysql://h/d'],
    ],
    ['WEGWIJS_REDIS_URL', ['redis://h', 'rediss://u:p@h:1/2'], ['h:6379', 'http://h']],
    [
      'WEGWIJS_SMTP_URL',
      ['smtp://127.0.0.1:1025', 'smtps://u:p@h'],
      ['127.0.0.1:1025', 'https://h'],
    ],
    ['WEGWIJS_SECRET', ['x'.repeat(32)], ['x'.repeat(31)]],
    [
      'WEGWIJS_PUBLIC_URL',
      ['https://w.example.org', 'http://localhost:8080/x'],
      ['w.example.org', 'javascript:alert(1)'],
    ],
  ] as const)('%s takes what it should and nothing else', (name, good, bad) => {
    const { schema }: Variable = variables[name]
    for (const value of good)
      expect([value, schema.safeParse(value).success]).toEqual([value, true])
    for (const value of bad)
      expect([value, schema.safeParse(value).success]).toEqual([value, false])
  })
})

describe('the table of variables', () => {
  const entries = Object.entries<Variable>(variables)

  it('is in alphabetical order', () => {
    expect(entries.map(([name]) => name)).toEqual(entries.map(([name]) => name).sort())
  })

  it.each(entries)('%s is described, and its default is one that it takes', (_, variable) => {
    expect(variable.description).toMatch(/^[A-Z].*\.$/)
    expect(`${variable.description}${variable.expects}`).not.toContain('|')
    if (variable.default !== undefined) {
      expect(variable.schema.safeParse(variable.default).success).toBe(true)
      expect(variable.secret).toBe(false)
    }
  })

  it('is what docs/reference/configuration.md says', async () => {
    expect(
      await isReferenceCurrent(),
      'run: node packages/runtime/src/configuration-reference.ts',
    ).toBe(true)
  })
})

describe('readEnvironment', () => {
  it('gives a copy that cannot be changed', () => {
    const environment = readEnvironment()
    expect(environment.PATH).toBeTruthy()
    expect(Object.isFrozen(environment)).toBe(true)
  })
})
