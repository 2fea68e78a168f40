import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmailChannel } from '@wegwijs/channels/email'
import type { Channel, OutgoingMessage } from '@wegwijs/channels/port'
import { createSmsChannel } from '@wegwijs/channels/sms'
import { createScope, type Scope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/service.ts'

export const secret = 'a-secret-of-at-least-32-characters'

export type RigOptions = Partial<SandboxOptions> & { sendTimeoutMs?: number }

export type Rig = {
  directory: string
  sandbox: Sandbox
  email: Channel
  sms: Channel
  /** The lines of one of the sandbox's files. */
  lines(file: string): Promise<Record<string, unknown>[]>
  /** Ends this sandbox and starts another on the same directory. */
  restart(options?: RigOptions): Promise<Rig>
  close(): Promise<void>
}

/** A sandbox on free ports in a directory of its own, and our real channels to it. */
export async function openRig(options: RigOptions = {}): Promise<Rig> {
  const directory =
    options.directory ?? join(await mkdtemp(join(tmpdir(), 'wegwijs-sandbox-')), 'made', 'by-it')
  const scope = createScope('sandbox')
  const usual = { directory, smtpPort: 0, httpPort: 0, secret, log: silentLogger }
  const sandbox = await startSandbox(scope, { ...usual, ...options })
  const timeouts = { connectTimeoutMs: 10_000, sendTimeoutMs: options.sendTimeoutMs ?? 10_000 }
  const email = createEmailChannel({ url: sandbox.smtpUrl, ...timeouts })
  const { smsToken: token = 'any' } = options
  const sms = createSmsChannel({
    url: sandbox.smsUrl,
    token,
    honoursIdempotencyKey: true,
    ...timeouts,
  })
  const channels = [email, sms]
  return {
    directory,
    sandbox,
    email,
    sms,
    lines: async (file) =>
      (await readFile(join(directory, file), 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async restart(changes = {}) {
      await end(scope, channels)
      return openRig({ ...options, ...changes, directory })
    },
    async close() {
      await end(scope, channels)
      await rm(join(directory, '..', '..'), { recursive: true, force: true })
    },
  }
}

async function end(scope: Scope, channels: readonly Channel[]): Promise<void> {
  for (const channel of channels) await channel.close()
  await scope.close()
}

export function emailMessage(changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const content = {
    kind: 'email' as const,
    from: 'Ziekenhuis De Linde <welkom@delinde.example.org>',
    subject: 'Welkom thuis',
    html: '<p>Fijn dat u weer thuis bent.</p>',
    text: 'Fijn dat u weer thuis bent.\n',
  }
  return { ...base(), channel: 'email', to: 'anna@example.org', content, ...changes }
}

export function smsMessage(changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const content = { kind: 'sms' as const, from: 'DeLinde', text: 'Tot morgen om 10:00.' }
  return { ...base(), channel: 'sms', to: '+31612345678', content, ...changes }
}

function base() {
  const intentId = randomUUID()
  return {
    intentId,
    idempotencyKey: intentId,
    attempt: 1,
    fence: 1,
    duplicate: false,
    personId: randomUUID(),
    locale: 'nl',
    messageId: `<${intentId}@wegwijs.example.org>`,
    expiresAt: '2999-01-01T00:00:00.000Z',
  }
}

export function untroubled(): AbortSignal {
  return new AbortController().signal
}
