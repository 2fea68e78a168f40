import { startStack } from '../src/stack.ts'

// A process of its own that brings up PostgreSQL and Redis, for the tests of the stack.
const [directory = ''] = process.argv.slice(2)
try {
  const stack = await startStack({ directory, durable: false, servers: ['postgres', 'redis'] })
  process.stdout.write(JSON.stringify(stack))
} catch (error) {
  process.stdout.write(String(error))
  process.exitCode = 1
}
