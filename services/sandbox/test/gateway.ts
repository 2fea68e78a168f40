import type { Receipt } from '@wegwijs/wire/receipt'
import { receiptSignatureHeader, receiptsSchema } from '@wegwijs/wire/receipt'
import { verifyBody } from '@wegwijs/wire/signature'
import fastify from 'fastify'
import { secret } from './rig.ts'

export type Gateway = {
  url: string
  /** What was taken, with the provider it was posted under. */
  taken: (Receipt & { provider: string })[]
  /** Answers this status from now on; nothing is taken unless it is 2xx. */
  answer(status: number): void
  /** Resolves once this many different receipts were taken. */
  untilTaken(count: number): Promise<void>
  /** Resolves once this many calls came. */
  untilCalled(count: number): Promise<void>
  close(): Promise<void>
}

/** The gateway's side of receipts: checks the signature and the schema, and answers as told. */
export async function openGateway(): Promise<Gateway> {
  const taken: Gateway['taken'] = []
  const watchers: { met: () => boolean; resolve: () => void }[] = []
  let status = 202
  let calls = 0
  const app = fastify({ forceCloseConnections: true })
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
  app.post<{ Params: { provider: string }; Body: string }>(
    '/v1/receipts/:provider',
    async ({ params, body, headers }, reply) => {
      calls += 1
      const signature = String(headers[receiptSignatureHeader])
      const right = verifyBody(body, signature, secret)
      const code = right ? status : 401
      if (code < 300) {
        const { receipts } = receiptsSchema.parse(JSON.parse(body))
        taken.push(...receipts.map((receipt) => ({ ...receipt, provider: params.provider })))
      }
      for (const watcher of watchers) if (watcher.met()) watcher.resolve()
      return reply.code(code).send({})
    },
  )
  const until = (met: () => boolean) =>
    new Promise<void>((resolve) => {
      if (met()) resolve()
      else watchers.push({ met, resolve })
    })
  return {
    url: await app.listen({ port: 0, host: '127.0.0.1' }),
    taken,
    answer: (next) => {
      status = next
    },
    untilTaken: (count) =>
      until(() => new Set(taken.map(({ receiptId }) => receiptId)).size >= count),
    untilCalled: (count) => until(() => calls >= count),
    close: () => app.close(),
  }
}
