import { inspect } from 'node:util'
import { z } from 'zod'
import { fail } from './failure.ts'

/**
 * Every variable that Wegwijs knows, and the only place that reads the environment. Configuration
 * is resolved once, at start: all faults at once, secrets never shown, the result frozen.
 * docs/reference/configuration.md is made from this table (configuration-reference.ts).
 */

export type Environment = Readonly<Record<string, string | undefined>>

export type Variable<Value = unknown> = {
  description: string
  /** Used when the variable is not set or empty; without it the variable is required. */
  default?: string
  /** Never shown: not in a fault, not in a log, not in an inspected config. */
  secret: boolean
  /** What a value looks like, for the reference and for faults. */
  expects: string
  schema: z.ZodType<Value, string>
}

const text = z.string().min(1)

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .pipe(z.number().max(65_535))

const concurrency = z
  .string()
  .regex(/^\d{1,3}$/)
  .transform(Number)
  .pipe(z.number().min(1).max(500))

const url = (protocol: RegExp) => z.url({ protocol })

const brokers = text
  .transform((list) => list.split(',').map((broker) => broker.trim()))
  .pipe(z.array(z.string().regex(/^(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/)))

const portExpected = 'a port, 0 to 65535 (0 takes a free one)'
const concurrencyExpected = 'a number from 1 to 500'
const httpUrlExpected = 'an address such as https://wegwijs.example.org'

export const variables = {
  WEGWIJS_DATABASE_URL: {
    description: 'PostgreSQL, the record of everything.',
    secret: true,
    expects: 'an address such as postgres://user:password@host:5432/database',
    schema: url(/^postgres(?:ql)?$/),
  },
  WEGWIJS_EMAIL_CONCURRENCY: {
    description:
      'How many e-mails of one lane a delivery process hands over at once (bulk: two in five of that). Its connections to the SMTP server are 2.4 times as many; Postfix takes 50 of one client.',
    default: '10',
    secret: false,
    expects: concurrencyExpected,
    schema: concurrency,
  },
  WEGWIJS_GATEWAY_HOST: {
    description: 'The network address on which the gateway listens; 0.0.0.0 is all of them.',
    default: '127.0.0.1',
    secret: false,
    expects: 'a host name or an IP address',
    schema: text,
  },
  WEGWIJS_GATEWAY_PORT: {
    description: 'The port of the gateway: events, receipts and the app inbox.',
    default: '8080',
    secret: false,
    expects: portExpected,
    schema: port,
  },
  WEGWIJS_GATEWAY_URL: {
    description: 'Where the sandbox posts its receipts: the gateway as the sandbox sees it.',
    default: 'http://127.0.0.1:8080',
    secret: false,
    expects: httpUrlExpected,
    schema: url(/^https?$/),
  },
  WEGWIJS_HEALTH_HOST: {
    description: 'The network address of the health server; 0.0.0.0 is all of them.',
    default: '127.0.0.1',
    secret: false,
    expects: 'a host name or an IP address',
    schema: text,
  },
  WEGWIJS_HEALTH_PORT: {
    description: 'The port of a service for /livez, /readyz and /metrics.',
    default: '0',
    secret: false,
    expects: portExpected,
    schema: port,
  },
  WEGWIJS_KAFKA_BROKERS: {
    description: 'The Kafka brokers to start from; the rest of the cluster is found through them.',
    secret: false,
    expects: 'a comma-separated list of host:port',
    schema: brokers,
  },
  WEGWIJS_LOG_LEVEL: {
    description: 'The least urgent level that is logged.',
    default: 'info',
    secret: false,
    expects: 'debug, info, warn, error or silent',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
  },
  WEGWIJS_NAMESPACE: {
    description:
      'Prefix of topics, consumer groups and queues, and the name of the PostgreSQL schema: two organisations live on the same servers without seeing each other.',
    default: 'wegwijs',
    secret: false,
    expects: 'a lower-case letter, then at most 39 letters, digits or _',
    schema: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  },
  WEGWIJS_PUBLIC_URL: {
    description: 'The address under which patients reach the gateway; links in messages begin so.',
    secret: false,
    expects: httpUrlExpected,
    schema: url(/^https?$/),
  },
  WEGWIJS_REDIS_URL: {
    description: 'Redis, for the queues; it must run with maxmemory-policy noeviction.',
    secret: true,
    expects: 'an address such as redis://host:6379/0',
    schema: url(/^rediss?$/),
  },
  WEGWIJS_SANDBOX_DIRECTORY: {
    description: 'Where the sandbox writes what it accepted.',
    default: '.wegwijs/sandbox',
    secret: false,
    expects: 'a directory',
    schema: text,
  },
  WEGWIJS_SANDBOX_HOST: {
    description: 'The network address on which the sandbox listens; 0.0.0.0 is all of them.',
    default: '127.0.0.1',
    secret: false,
    expects: 'a host name or an IP address',
    schema: text,
  },
  WEGWIJS_SANDBOX_HTTP_PORT: {
    description: 'The port of the sandbox: SMS provider, outbox page and controls.',
    default: '8025',
    secret: false,
    expects: portExpected,
    schema: port,
  },
  WEGWIJS_SANDBOX_SMTP_PORT: {
    description: 'The port of the SMTP server in the sandbox.',
    default: '1025',
    secret: false,
    expects: portExpected,
    schema: port,
  },
  WEGWIJS_SECRET: {
    description:
      'Signs the message.* events that Wegwijs publishes and the receipts that it accepts; the same for all services.',
    secret: true,
    expects: 'at least 32 characters, such as `openssl rand -hex 32` gives',
    schema: z.string().min(32),
  },
  WEGWIJS_SMS_CONCURRENCY: {
    description:
      'How many SMS of one lane a delivery process hands over at once (bulk: two in five of that). Its connections to the provider are 2.4 times as many.',
    default: '50',
    secret: false,
    expects: concurrencyExpected,
    schema: concurrency,
  },
  WEGWIJS_SMS_TOKEN: {
    description: 'The token with which the SMS provider knows us.',
    secret: true,
    expects: 'a token without spaces',
    schema: z.string().regex(/^\S+$/),
  },
  WEGWIJS_SMS_URL: {
    description: 'The SMS provider.',
    secret: true,
    expects: 'an http or https address',
    schema: url(/^https?$/),
  },
  WEGWIJS_SMTP_URL: {
    description: 'The SMTP server for e-mail.',
    secret: true,
    expects: 'an address such as smtps://user:password@host:465',
    schema: url(/^smtps?$/),
  },
} as const satisfies Record<`WEGWIJS_${string}`, Variable>

export type VariableName = keyof typeof variables

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Name>

/** `WEGWIJS_KAFKA_BROKERS` becomes `kafkaBrokers`. */
export type ConfigKey<Name extends VariableName> = Name extends `WEGWIJS_${infer Rest}`
  ? CamelCase<Rest>
  : never

type ValueOf<Name extends VariableName> = z.output<(typeof variables)[Name]['schema']>

export type Config<
  Names extends readonly VariableName[],
  Optional extends readonly VariableName[] = [],
> = Readonly<
  { [Name in Names[number] as ConfigKey<Name>]: ValueOf<Name> } & {
    [Name in Optional[number] as ConfigKey<Name>]?: ValueOf<Name>
  }
>

/** What this process was started with, as it is now. */
export function readEnvironment(): Environment {
  return Object.freeze({ ...process.env })
}

/**
 * The named variables as one frozen object with camelCase keys. Those in `optional` may be absent
 * when they have no default. An empty value counts as not set, as compose files pass `${X:-}`.
 *
 * @throws WEGWIJS_CONFIG_INVALID with every fault: missing, not as expected, or not a variable of
 *   Wegwijs at all, because a misspelt name would otherwise silently mean its default.
 */
export function resolveConfig<
  const Names extends readonly VariableName[],
  const Optional extends readonly VariableName[] = [],
>(environment: Environment, names: Names, optional: Optional | [] = []): Config<Names, Optional> {
  const faults = unknownNames(environment)
  const entries: [string, unknown][] = []
  for (const name of new Set<VariableName>([...names, ...optional])) {
    const variable: Variable = variables[name]
    const given = environment[name] || variable.default
    if (given === undefined) {
      if (names.includes(name)) faults.push(`${name} is not set; it takes ${variable.expects}`)
      continue
    }
    const parsed = variable.schema.safeParse(given)
    if (parsed.success) entries.push([configKey(name), deepFreeze(parsed.data)])
    else faults.push(`${name}${shown(variable, given)} is not usable; it takes ${variable.expects}`)
  }
  if (faults.length > 0) throw fail('WEGWIJS_CONFIG_INVALID', { faults })
  return sealConfig(Object.fromEntries(entries)) as Config<Names, Optional>
}

export function configKey(name: VariableName): string {
  return name
    .slice('WEGWIJS_'.length)
    .toLowerCase()
    .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function shown(variable: Variable, given: string): string {
  return variable.secret ? ` (hidden, ${given.length} characters)` : `=${JSON.stringify(given)}`
}

function unknownNames(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('WEGWIJS_') && !Object.hasOwn(variables, name))
    .sort()
    .map((name) => `${name} is not a variable of Wegwijs; did you mean ${nearestName(name)}?`)
}

function nearestName(name: string): string {
  const ranked = Object.keys(variables).map((known) => [editDistance(name, known), known] as const)
  return ranked.reduce((best, next) => (next[0] < best[0] ? next : best))[1]
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** Printing a config, by accident or in a debugger, shows which secrets are set and not what. */
function sealConfig(config: Record<string, unknown>): Readonly<Record<string, unknown>> {
  const secrets = new Set(
    Object.entries(variables)
      .filter(([, variable]) => variable.secret)
      .map(([name]) => configKey(name as VariableName)),
  )
  const masked = () =>
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, secrets.has(key) ? '(hidden)' : value]),
    )
  Object.defineProperty(config, 'toJSON', { value: masked })
  Object.defineProperty(config, inspect.custom, { value: masked })
  return Object.freeze(config)
}

function deepFreeze(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze(value.map(deepFreeze)) : value
}
