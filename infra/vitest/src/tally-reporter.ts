import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

type Tally = { passed: number; failed: number; skipped: string[]; errors: string[] }

const TALLY_FILE = fileURLToPath(new URL('../../../.wegwijs/tally.json', import.meta.url))

/**
 * Counts a run and leaves the counts in `.wegwijs/tally.json` for `infra/bootstrap/test.mjs`, which
 * prints them as its last line. `errors` is what broke outside a test: a file that cannot be
 * loaded, a hook that fails, an unhandled rejection.
 */
export default class TallyReporter implements Reporter {
  readonly #tally: Tally = { passed: 0, failed: 0, skipped: [], errors: [] }

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result()
    if (state === 'passed') this.#tally.passed += 1
    else if (state === 'failed') this.#tally.failed += 1
    else this.#tally.skipped.push(`${test.module.relativeModuleId}: ${test.fullName}`)
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly { message: string }[],
  ): Promise<void> {
    const tally = this.#tally
    tally.errors = [
      ...modules.flatMap(errorsOutsideTests),
      ...unhandledErrors.map(({ message }) => message),
    ]
    await writeFile(TALLY_FILE, JSON.stringify(tally, null, 2))
  }
}

function errorsOutsideTests(module: TestModule): string[] {
  const suites = [...module.children.allSuites()]
  const errors = [module, ...suites].flatMap((suite) => suite.errors())
  return errors.map((error) => `${module.relativeModuleId}: ${error.message}`)
}
