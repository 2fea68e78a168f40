/** The variables that this service reads. */
export const configNames = [
  'WEGWIJS_NAMESPACE',
  'WEGWIJS_DATABASE_URL',
  'WEGWIJS_KAFKA_BROKERS',
  'WEGWIJS_SECRET',
  'WEGWIJS_HEALTH_HOST',
  'WEGWIJS_HEALTH_PORT',
  'WEGWIJS_LOG_LEVEL',
] as const
