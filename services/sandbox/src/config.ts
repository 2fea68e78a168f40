import type { VariableName } from '@wegwijs/runtime/env'

/** The variables that the sandbox needs. */
export const configNames = [
  'WEGWIJS_GATEWAY_URL',
  'WEGWIJS_HEALTH_HOST',
  'WEGWIJS_HEALTH_PORT',
  'WEGWIJS_LOG_LEVEL',
  'WEGWIJS_NAMESPACE',
  'WEGWIJS_SANDBOX_DIRECTORY',
  'WEGWIJS_SANDBOX_HOST',
  'WEGWIJS_SANDBOX_HTTP_PORT',
  'WEGWIJS_SANDBOX_SMTP_PORT',
  'WEGWIJS_SECRET',
] as const satisfies readonly VariableName[]

/** With a database the outbox page shows people and journeys; with a token SMS calls must carry it. */
export const optionalConfigNames = [
  'WEGWIJS_DATABASE_URL',
  'WEGWIJS_SMS_TOKEN',
] as const satisfies readonly VariableName[]
