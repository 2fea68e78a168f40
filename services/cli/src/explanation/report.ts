import { personFieldsOf } from '@wegwijs/campaign/catalogue'
import type { LeafTrace } from '@wegwijs/campaign/condition'
import { type ConditionTrace, leavesStoredWith } from '@wegwijs/campaign/explain/condition-trace'
import type { Words } from '@wegwijs/campaign/explain/words'
import type { PersonFacts } from '@wegwijs/store/explain'
import type { Verdict } from '@wegwijs/store/verdicts'
import type { Options, Telling } from '../commands/explain.ts'
import { type Explained, leavesOfExplained } from './explained.ts'
import { type ExplanationSpeech, explanationSpeeches } from './speech.ts'

export type ToldCampaign = {
  campaignId: string
  name: string
  explained: Explained[]
  /** Its versions that have to do with the person and cannot be read. */
  unreadable: { version: number; problem: string }[]
}

export function headOf(facts: PersonFacts) {
  const { personId, identities, persona, deceasedAt, test, businessNow, stops } = facts
  return { personId, identities, persona, deceasedAt, test, businessNow, stops }
}

export function headLines(
  facts: PersonFacts,
  { person: speech }: ExplanationSpeech,
  local: (instant: string) => string,
): string[] {
  const names = facts.identities.map(({ idSpace, externalId }) => `${idSpace}:${externalId}`)
  return [
    `${speech.person} ${facts.personId}${facts.test ? ` (${speech.test})` : ''}`,
    `${speech.knownAs} ${names.join(', ') || speech.nobody}`,
    `${speech.persona} ${facts.persona ?? speech.none}`,
    ...(facts.deceasedAt === null ? [] : [`${speech.died} ${local(facts.deceasedAt)}`]),
    ...facts.stops.map(({ kind, purpose, channel, reason, at }) =>
      speech.stopped(
        kind,
        local(at),
        reason,
        `${purpose === 'all' ? speech.everything : purpose}${channel === '' ? '' : ` (${channel})`}`,
      ),
    ),
  ]
}

/** Under the name of the campaign a sentence a line; with `--campaign` or `--event` every leaf as well. */
export function campaignLines(
  { campaignId, name, explained, unreadable }: ToldCampaign,
  telling: Telling | null,
  { campaign, event, locale }: Options,
): string[] {
  const isWhole = campaign !== undefined || event !== undefined
  const speech = explanationSpeeches[locale]
  return [
    `${name} (${campaignId})`,
    ...unreadable.map(({ version, problem }) => `  ${speech.unreadable(version)}: ${problem}`),
    ...explained.flatMap((each) => {
      const margin = each.depth === 0 ? '  ' : '    '
      const compiled = telling?.definition.campaigns
      const of = compiled && [...compiled.values()].findLast(({ id }) => id === campaignId)
      const words = of && telling?.wordsFor(of, each.event?.type)
      return [
        `${margin}${each.sentence}`,
        ...(isWhole && words
          ? each.conditions.flatMap(({ label, trace }) => [
              ...(label === null
                ? []
                : [`${margin}  ${speech.labels[label] ?? speech.arm(label)}:`]),
              ...traceLines(trace, `${margin}    `, words, speech),
            ])
          : []),
        ...(each.whatToDo === null ? [] : [`${margin}  ${speech.whatToDo}: ${each.whatToDo}.`]),
      ]
    }),
  ]
}

function traceLines(
  trace: ConditionTrace,
  margin: string,
  words: Words,
  speech: ExplanationSpeech,
): string[] {
  const mark = `${margin}${trace.holds ? '✓' : '✗'} `
  const late = trace.reached ? '' : ` (${speech.notReached})`
  if ('leaf' in trace) return [`${mark}${words.seen(trace.leaf)}${late}`]
  const [word, parts] =
    'all' in trace
      ? [speech.all, trace.all]
      : 'any' in trace
        ? [speech.any, trace.any]
        : [speech.not, [trace.not]]
  return [
    `${mark}${word}${late}`,
    ...parts.flatMap((part) => traceLines(part, `${margin}  `, words, speech)),
  ]
}

/** What was left out, and what is not as it was. */
export function notesOf(
  told: readonly ToldCampaign[],
  { bundle, isHidden, moments, unreadable }: Telling,
  speech: ExplanationSpeech,
): string[] {
  const person = personFieldsOf(bundle)
  const leaves = told.flatMap(({ explained }) => leavesOfExplained(explained))
  const isLeftOut = leaves.some(isHidden)
  const isOfNow = told.some(({ explained }) =>
    explained.some(
      ({ isWorkedOut, conditions }) =>
        isWorkedOut && leavesOfExplained([{ conditions }]).some(({ field }) => person.has(field)),
    ),
  )
  return [
    ...(isLeftOut ? [speech.leftOut] : []),
    ...(isOfNow ? [speech.fieldsOfNow] : []),
    ...(unreadable ? [`${speech.inForceUnreadable}: ${unreadable.message}`] : []),
    ...(moments === null ? [speech.notDecidedAgain] : []),
  ]
}

/** As JSON: a value that is not shown is null, and says so. */
export function shown(explained: Explained, telling: Telling | null) {
  return {
    ...explained,
    conditions: explained.conditions.map(({ label, trace }) => ({
      label,
      ...shownTrace(trace, telling),
    })),
  }
}

type ShownTrace = { holds: boolean; reached: boolean; [part: string]: unknown }

function shownTrace(trace: ConditionTrace, telling: Telling | null): ShownTrace {
  const { holds, reached } = trace
  if ('all' in trace)
    return { holds, reached, all: trace.all.map((part) => shownTrace(part, telling)) }
  if ('any' in trace)
    return { holds, reached, any: trace.any.map((part) => shownTrace(part, telling)) }
  if ('not' in trace) return { holds, reached, not: shownTrace(trace.not, telling) }
  return { holds, reached, leaf: shownLeaf(trace.leaf, telling) }
}

function shownLeaf(leaf: LeafTrace, telling: Telling | null): LeafTrace & { leftOut?: true } {
  const isLeftOut = telling === null || telling.isHidden(leaf)
  return isLeftOut ? { ...leaf, expected: null, actual: null, leftOut: true } : leaf
}

export function withoutHealth(verdict: Verdict, telling: Telling | null): Verdict {
  const { detail } = verdict
  if (detail?.leaves === undefined) return verdict
  // Of what nobody can read nobody knows how telling it is.
  const leaves = leavesStoredWith(detail)?.map((leaf) => shownLeaf(leaf, telling)) ?? null
  return { ...verdict, detail: { ...detail, leaves } }
}
