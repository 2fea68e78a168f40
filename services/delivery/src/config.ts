import type { VariableName } from '@wegwijs/runtime/env'

/** The variables that delivery needs. */
export const configNames = [
  'WEGWIJS_NAMESPACE',
  'WEGWIJS_DATABASE_URL',
  'WEGWIJS_REDIS_URL',
  'WEGWIJS_SECRET',
  'WEGWIJS_SMTP_URL',
  'WEGWIJS_EMAIL_CONCURRENCY',
  'WEGWIJS_SMS_URL',
  'WEGWIJS_SMS_TOKEN',
  'WEGWIJS_SMS_CONCURRENCY',
  'WEGWIJS_PUBLIC_URL',
  'WEGWIJS_HEALTH_HOST',
  'WEGWIJS_HEALTH_PORT',
  'WEGWIJS_LOG_LEVEL',
] as const satisfies readonly VariableName[]
