import type { Clock } from '@wegwijs/runtime/clock'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { receiptSignatureHeader } from '@wegwijs/wire/receipt'
import type { Reply } from '@wegwijs/wire/reply'
import { signBody } from '@wegwijs/wire/signature'
import { request } from 'undici'
import { atGateway } from './gateway-address.ts'

/** Tells the gateway what somebody wrote back by SMS; gives its answer. */
export type SendReply = (
  written: Pick<Reply, 'from' | 'text'>,
) => Promise<{ status: number; body: unknown }>

const callTimeoutMs = 15_000

/** As a provider does that takes in SMS as well. Null without a gateway. */
export function replierOf(
  {
    gatewayUrl,
    secret,
    providers,
  }: { gatewayUrl?: string; secret: string; providers?: Readonly<Record<'sms', string>> },
  clock: Clock,
): SendReply | null {
  if (gatewayUrl === undefined) return null
  return async ({ from, text }) => {
    const reply: Reply = { replyId: newUuid(), from, text, at: clock.instant() }
    const body = JSON.stringify({ replies: [reply] })
    const answer = await request(
      atGateway(gatewayUrl, `/v1/replies/${providers?.sms ?? 'sms-http'}`),
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [receiptSignatureHeader]: signBody(body, secret),
        },
        body,
        signal: AbortSignal.timeout(callTimeoutMs),
      },
    )
    return { status: answer.statusCode, body: await answer.body.json() }
  }
}
