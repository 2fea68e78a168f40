import { exitCodes } from '@wegwijs/runtime/failure'
import type { ServiceProcess } from '@wegwijs/system-tests/service-process'
import type { World } from '../world.ts'

/**
 * Starts the journey service, which must end by itself for the reason that `code` names, and say so.
 * Resolves with what it did instead.
 */
export async function notStoppedLoudly(world: World, code: string): Promise<string[]> {
  return notEndedLoudly(await world.system.launch('journey'), [code])
}

/** Waits until the journey service has ended by itself, for one of the reasons that `codes` name. */
export async function notEndedLoudly(
  journey: ServiceProcess,
  codes: readonly string[],
): Promise<string[]> {
  const ended = await journey.ended
  const violations: string[] = []
  if (ended !== exitCodes.internal) violations.push(`the journey service ended with ${ended}`)
  if (!codes.some((code) => journey.output().includes(code))) {
    violations.push(`the journey service does not say ${codes.join(' or ')}`)
  }
  return violations
}

/** What the runbook says to do then; resolves with what went wrong. */
export async function notAccepted(world: World, topic: string): Promise<string[]> {
  const { code, output } = await world.system.wegwijs('positions', 'reset', topic)
  if (code !== 0) return [`\`wegwijs positions reset\` ended with ${code}: ${output}`]
  await world.system.start('journey')
  return []
}
