import 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /**
     * The real servers of this test run. Where Kafka or Redis cannot run, `kafkaBrokers` and
     * `redisUrl` are empty; PostgreSQL is always there.
     */
    servers: {
      readonly kafkaBrokers: readonly string[]
      readonly databaseUrl: string
      readonly redisUrl: string
    }
  }
}
