import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The link to the page on which a question is answered: `<public address>/a/<token>/<answer>`, without
 * the answer for all of them. The token is the message's id with the first 12 bytes of its HMAC-SHA256
 * under WEGWIJS_SECRET, in base64url: 38 characters, since an SMS pays for each.
 */
export const answerPath = '/a'

const ID_BYTES = 16
const MAC_BYTES = 12
const TOKEN = /^[A-Za-z0-9_-]{38}$/

/** `intentId` is a UUID. */
export function answerToken(intentId: string, secret: string): string {
  const id = Buffer.from(intentId.replaceAll('-', ''), 'hex')
  return Buffer.concat([id, macOf(id, secret)]).toString('base64url')
}

/** The message whose question the token is for; null for what `secret` did not sign. */
export function readAnswerToken(token: string, secret: string): string | null {
  if (!TOKEN.test(token)) return null
  const bytes = Buffer.from(token, 'base64url')
  const id = bytes.subarray(0, ID_BYTES)
  const mac = bytes.subarray(ID_BYTES)
  const isOurs = mac.length === MAC_BYTES && timingSafeEqual(mac, macOf(id, secret))
  if (!isOurs || bytes.toString('base64url') !== token) return null
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export function answerUrl(publicUrl: string, token: string, answer?: string): string {
  const page = `${publicUrl.replace(/\/+$/, '')}${answerPath}/${token}`
  return answer === undefined ? page : `${page}/${answer}`
}

function macOf(id: Buffer, secret: string): Buffer {
  const mac = createHmac('sha256', secret).update('answer link\n').update(id)
  return mac.digest().subarray(0, MAC_BYTES)
}
