import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import type { ApiKey } from '@wegwijs/store/api-keys'
import type { Decoded } from '@wegwijs/wire/touchpoint-event'
import type { GatewayContext } from './context.ts'
import { askDefinition } from './definition-in-force.ts'
import { judge, mayBeOurFault } from './judge.ts'
import { refusalOf, toFailure } from './problem.ts'

/** What became of one event of a request; without a failure it is kept for good (P1). */
export type Answer = { id: string | null; failure: WegwijsError | null }

/** The main path of the gateway: judge every event, keep those that pass, answer for each. */
export async function acceptEvents(
  context: GatewayContext,
  key: ApiKey,
  decoded: readonly Decoded[],
): Promise<Answer[]> {
  const judged = await judgeAll(context, key, decoded)
  const passed = judged.flatMap(({ event }) => (event ? [{ event, idSpace: key.idSpace }] : []))
  const kept = (await context.keep(passed)).values()
  return judged.map((each, index) => {
    const id = decoded[index]?.event?.id ?? null
    if (each.failure) return { id, failure: each.failure }
    if (each.rejection) return { id, failure: refusalOf(each.rejection) }
    const outcome = kept.next().value
    return { id, failure: outcome?.kind === 'failed' ? outcome.failure : null }
  })
}

/** `failure`: nobody can say. */
type Judged = (Decoded & { failure?: undefined }) | Unjudged
type Unjudged = { failure: WegwijsError; event?: undefined; rejection?: undefined }

/**
 * Once, and for what fails on something that may have changed, again with it read anew. A publisher takes a
 * refusal for good: while that cannot be read, what may be right by now is not refused (P1).
 */
async function judgeAll(
  context: GatewayContext,
  key: ApiKey,
  decoded: readonly Decoded[],
): Promise<Judged[]> {
  const now = await context.time.now()
  const measure = { key, definition: definitionOf(context), now }
  const judged = decoded.map((each) => judge(each, measure))
  // What is wrong in itself stays so.
  const doubtful = ({ rejection }: Decoded, index: number) =>
    decoded[index]?.event && rejection && mayBeOurFault(rejection)
  if (!judged.some(doubtful)) return judged
  const [fresh, refreshed] = await Promise.allSettled([
    context.time.fresh(),
    askDefinition(context),
  ])
  const unasked = [fresh, refreshed].find(({ status }) => status === 'rejected')
  const newest = {
    key,
    definition: definitionOf(context),
    now: fresh.status === 'fulfilled' ? fresh.value : now,
  }
  return judged.map((each, index) => {
    const original = decoded[index]
    if (!original || !doubtful(each, index)) return each
    const again = judge(original, newest)
    const isUnknown = unasked?.status === 'rejected' && doubtful(again, index)
    return isUnknown ? { failure: toFailure(unasked.reason) } : again
  })
}

function definitionOf(context: GatewayContext) {
  const definition = context.definition()
  if (!definition) throw fail('WEGWIJS_DEFINITION_MISSING')
  return definition
}
