import type { Environment } from '@wegwijs/runtime/env'
import type { PrivateServer } from '@wegwijs/system-tests/private-servers'
import type { Servers } from '@wegwijs/system-tests/system'
import type { Between } from '../fault.ts'
import { startProxy } from '../proxy.ts'
import type { ServerKind } from '../world.ts'

/**
 * What goes over the network, each through a proxy: what the services talk to, and who talks to the gateway,
 * a publisher with its events and the provider with its receipts.
 */
export const links = [
  'postgres',
  'redis',
  'kafka',
  'sms',
  'email',
  'publisher',
  'receipts',
] as const
export type Link = (typeof links)[number]

/** Through a proxy each; what the test itself does goes around them. */
export async function betweenAll(
  servers: Servers,
  own: (kind: ServerKind) => PrivateServer,
): Promise<Between> {
  const { port: kafkaPort, proxyPort } = own('kafka').behind
  const targets: Record<Link, { host: string; port: number }> = {
    postgres: targetAt(portOf(servers.databaseUrl)),
    redis: targetAt(portOf(servers.redisUrl)),
    kafka: targetAt(kafkaPort),
    // Known before the first service is started.
    sms: targetAt(0),
    email: targetAt(0),
    publisher: targetAt(0),
    receipts: targetAt(0),
  }
  const proxies = {
    postgres: await startProxy({ target: targets.postgres }),
    redis: await startProxy({ target: targets.redis }),
    kafka: await startProxy({
      target: targets.kafka,
      ...(proxyPort === undefined ? {} : { port: proxyPort }),
    }),
    sms: await startProxy({ target: targets.sms }),
    email: await startProxy({ target: targets.email }),
    publisher: await startProxy({ target: targets.publisher }),
    receipts: await startProxy({ target: targets.receipts }),
  }
  const through = (url: string | undefined, link: Link) => {
    const proxied = new URL(url ?? '')
    targets[link].port = Number(proxied.port)
    proxied.port = String(proxies[link].port)
    return proxied.href
  }
  return {
    proxies,
    gatewayUrl: `http://${proxies.publisher.address}`,
    environmentOf(service, environment): Environment {
      targets.publisher.port = portOf(environment.WEGWIJS_GATEWAY_URL ?? '')
      if (service === 'sandbox') {
        return { WEGWIJS_GATEWAY_URL: through(environment.WEGWIJS_GATEWAY_URL, 'receipts') }
      }
      return {
        WEGWIJS_DATABASE_URL: through(environment.WEGWIJS_DATABASE_URL, 'postgres'),
        WEGWIJS_REDIS_URL: through(environment.WEGWIJS_REDIS_URL, 'redis'),
        WEGWIJS_SMS_URL: through(environment.WEGWIJS_SMS_URL, 'sms'),
        WEGWIJS_SMTP_URL: through(environment.WEGWIJS_SMTP_URL, 'email'),
        WEGWIJS_KAFKA_BROKERS: proxies.kafka.address,
      }
    },
  }
}

function targetAt(port: number): { host: string; port: number } {
  return { host: '127.0.0.1', port }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}
