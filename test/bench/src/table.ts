import { type Check, isReached, type Result } from './result.ts'
import { median, spread } from './statistics.ts'

/** A number with as many digits as it is worth. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (size >= 1_000) return Math.round(value).toLocaleString('en-GB')
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  return value.toFixed(2)
}

/** `0.46 (spread 12 %)` */
export function shownWithSpread(values: readonly number[]): string {
  const middle = shown(median(values))
  return values.length < 2 ? middle : `${middle} (spread ${Math.round(spread(values) * 100)} %)`
}

export function shownTarget({ target }: Check): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`
}

/** What one row came to, as lines for a terminal. */
export function tableOf({ row, title, seconds, measured }: Result): string {
  const lines = [`${row}: ${title} (${Math.round(seconds)} s)`]
  for (const { name, unit, values } of measured.figures) {
    lines.push(`  ${name.padEnd(36)} ${shownWithSpread(values)} ${unit}`)
  }
  for (const check of measured.checks) {
    const verdict = isReached(check, median) ? 'reached' : 'NOT REACHED'
    lines.push(
      `  ${check.name.padEnd(36)} ${shownWithSpread(check.values)}, to reach ${shownTarget(check)}: ${verdict}`,
    )
  }
  for (const { name, byProcess } of measured.cpu) {
    lines.push(`  CPU seconds per 1,000, ${name}: ${listed(byProcess)}`)
  }
  for (const { name, byProcess } of measured.memory) {
    lines.push(`  memory in MB, ${name}: ${listed(byProcess)}`)
  }
  return `${lines.join('\n')}\n`
}

function listed(byProcess: Readonly<Record<string, number>>): string {
  return Object.entries(byProcess)
    .map(([process, value]) => `${process} ${shown(value)}`)
    .join(', ')
}
