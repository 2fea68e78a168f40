import type { Outcome } from './port.ts'

/** What nodemailer tells of a failure. Its text holds the address and the server's words: unused. */
export type SmtpFailure = { code?: unknown; responseCode?: unknown; permanent?: unknown }

/**
 * What a failed hand-over means. `began`: a byte of the message itself was read to be written, which
 * happens only after the server has said yes to DATA.
 *
 * | the server                                | the message           |
 * | ----------------------------------------- | --------------------- |
 * | answered MAIL, RCPT, DATA or the end: 5yz | refused               |
 * | answered one of these: 4yz (421 too), 503 | deferred              |
 * | went away, hung, broke off before `began` | deferred              |
 * | the same after `began`                    | unknown: it may have it |
 *
 * nodemailer gives every broken connection the command CONN, in whichever phase it broke, so only
 * `began` tells the last two rows apart. A failed log-in, TLS or greeting says something about our
 * account or the server, not about this message: deferred, so that a wrong password loses nothing.
 */
export function outcomeOfSmtpFailure(failure: SmtpFailure, began: boolean): Outcome {
  const { code, responseCode, permanent } = failure
  const aboutMessage = code === 'EENVELOPE' || code === 'EMESSAGE'
  if (aboutMessage && typeof responseCode === 'number') {
    const reason = `smtp_${responseCode}`
    if (permanent === true) return { kind: 'refused', reason }
    // RFC 5321: with 421 the server itself goes away.
    return { kind: 'deferred', reason, ...(responseCode === 421 ? {} : { about: 'message' }) }
  }
  // Without an answer it is nodemailer itself, or the size that the server announced.
  if (aboutMessage && !began) return { kind: 'refused', reason: 'smtp_unsendable', unasked: true }
  const reason = `smtp_${reasons[String(code)] ?? 'failed'}`
  return { kind: began ? 'unknown' : 'deferred', reason }
}

const reasons: Record<string, string> = {
  EABORT: 'aborted',
  EAUTH: 'login_failed',
  ECONNECTION: 'connection_lost',
  EDNS: 'dns_failed',
  ENOAUTH: 'login_failed',
  EPROTOCOL: 'protocol_error',
  EREQUIRETLS: 'tls_failed',
  ESOCKET: 'connection_lost',
  ETIMEDOUT: 'timed_out',
  ETLS: 'tls_failed',
}
