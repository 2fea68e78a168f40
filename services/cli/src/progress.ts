import type { Progress } from '@wegwijs/rehearsal/conductor'
import type { Clock } from '@wegwijs/runtime/clock'
import { Presets, SingleBar } from 'cli-progress'

/** Shows how far a rehearsal is: a bar on a terminal, elsewhere a line every few seconds. */
export type ProgressView = { show(progress: Progress): void; end(): void }

const TELL_EVERY_MS = 5_000

export function createProgressView(
  say: (line: string) => void,
  { isTerminal, clock }: { isTerminal: boolean; clock: Clock },
): ProgressView {
  return isTerminal ? createBar(say) : createLines(say, clock)
}

function createBar(say: (line: string) => void): ProgressView {
  const bar = new SingleBar(
    {
      format: ' {bar} {percentage}%  {value}/{total} events  {instant}  {note}',
      hideCursor: true,
      stream: process.stderr,
    },
    Presets.shades_classic,
  )
  let started = false
  let told = ''
  return {
    show: (progress) => {
      const { totalEvents, events, waitingFor } = progress
      const note = waitingFor.length === 0 ? '' : 'waits'
      const payload = { instant: shortInstant(progress.instant), note }
      if (!started) bar.start(totalEvents, 0, payload)
      started = true
      bar.update(events, payload)
      const waits = waitingFor.join('; ')
      if (waits !== '' && waits !== told) say(`\nwaits for ${waits}`)
      told = waits
    },
    end: () => {
      if (started) bar.stop()
    },
  }
}

function createLines(say: (line: string) => void, clock: Clock): ProgressView {
  let toldMs = clock.monotonicMs()
  let last: Progress | undefined
  const tell = (progress: Progress) => {
    toldMs = clock.monotonicMs()
    last = undefined
    say(
      `${shortInstant(progress.instant)}  ${progress.events} of ${progress.totalEvents} events, ${progress.steps} steps`,
    )
  }
  return {
    show: (progress) => {
      last = progress
      if (progress.waitingFor.length > 0) say(`waits for ${progress.waitingFor.join('; ')}`)
      else if (clock.monotonicMs() - toldMs >= TELL_EVERY_MS) tell(progress)
    },
    end: () => {
      if (last) tell(last)
    },
  }
}

function shortInstant(instant: string | null): string {
  return instant === null ? '' : instant.slice(0, 16).replace('T', ' ')
}
