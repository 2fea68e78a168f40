import type { VariableName } from '@wegwijs/runtime/env'

/** The variables that the scheduler needs. */
export const configNames = [
  'WEGWIJS_NAMESPACE',
  'WEGWIJS_DATABASE_URL',
  'WEGWIJS_REDIS_URL',
  'WEGWIJS_KAFKA_BROKERS',
  'WEGWIJS_HEALTH_HOST',
  'WEGWIJS_HEALTH_PORT',
  'WEGWIJS_LOG_LEVEL',
] as const satisfies readonly VariableName[]
