import { readdirSync, readFileSync } from 'node:fs'

/** Whom the time of a CPU is put down to: a process of ours, or a server with all its processes. */
export type Watched = { readonly name: string; readonly pid: number; readonly children?: boolean }

/** Seconds of CPU by name, since each began. */
export type Usage = ReadonlyMap<string, number>

/** Linux counts in hundredths of a second, whatever its own clock does. */
const TICKS_PER_SECOND = 100

/** Seconds of CPU that each has used so far; several of one name add up. Linux only: else empty. */
export function cpuOf(watched: readonly Watched[]): Usage {
  const stats = watched.some((each) => each.children) ? allStats() : []
  const usage = new Map<string, number>()
  for (const { name, pid, children = false } of watched) {
    const own = statOf(pid)
    if (own === null) continue
    // A server that forks a process for each connection counts those that are gone in itself.
    const ticks = children
      ? own.own +
        own.gone +
        sum(stats.filter(({ parent }) => parent === pid).map((each) => each.own))
      : own.own
    usage.set(name, (usage.get(name) ?? 0) + ticks / TICKS_PER_SECOND)
  }
  return usage
}

/** What was used between two readings. */
export function cpuBetween(before: Usage, after: Usage): Record<string, number> {
  return Object.fromEntries(
    [...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)]),
  )
}

/** The most memory that each process has held so far, in megabytes. Linux only: else empty. */
export function peakMemoryOf(watched: readonly Watched[]): Record<string, number> {
  const peaks: Record<string, number> = {}
  for (const { name, pid, children = false } of watched) {
    // Processes that share most of their memory do not add up.
    if (children) continue
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1]
    if (kilobytes !== undefined) peaks[name] = Math.max(peaks[name] ?? 0, Number(kilobytes) / 1024)
  }
  return peaks
}

type Stat = { parent: number; own: number; gone: number }

function statOf(pid: number): Stat | null {
  const text = read(`/proc/${pid}/stat`)
  // The name in brackets may hold anything; the numbers begin behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 16) return null
  const at = (index: number) => Number(fields[index - 3])
  return { parent: at(4), own: at(14) + at(15), gone: at(16) + at(17) }
}

function allStats(): Stat[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => statOf(Number(pid)) ?? [])
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
