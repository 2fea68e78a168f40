import { type CompiledCampaign, compileCampaign } from '@wegwijs/campaign/compiled-campaign'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { StepNode } from '@wegwijs/campaign/step-node'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { inWords } from './condition-words.ts'

/** How many people came where, in the versions of a campaign that have the steps that are drawn. */
export type CampaignCounts = {
  entered: number
  /** Of those who entered, by state: `running`, `completed`, `exited`. */
  states: Readonly<Record<string, number>>
  /** By path of the step, as the core counts them: `1.0.2`. */
  steps: ReadonlyMap<string, StepCounts>
}
export type StepCounts = {
  came: number
  /** Who waits there now. */
  waits: number
  /** People by arm: its index, or its label; `*` is who gave no answer, or for whom a task was not done. */
  arms: Readonly<Record<string, number>>
  /** Messages by their state. */
  messages: Readonly<Record<string, number>>
}

/**
 * A campaign as a Mermaid flowchart, the same text every time: what starts and ends it, every step, and
 * the ways between them. With `counts`, how many people came where.
 */
export function campaignGraph(
  campaign: CampaignFile,
  { policies }: Pick<DefinitionBundle, 'policies'>,
  counts?: CampaignCounts,
): string {
  const version = { id: campaign.id, version: 1, live: false, file: campaign, templates: {} }
  const compiled = compileCampaign(version, policies.classes)
  const lines = [
    `start([${quoted(startLines(campaign, counts))}]) --> ${idOf(compiled.first)}`,
    ...[...compiled.nodes.values()].flatMap((node) =>
      nodeLines(node, counts?.steps.get(node.path)),
    ),
    'finish(["end"])',
    ...leavingLines(compiled),
  ]
  return `---
title: ${titled(campaign.name)}
---
flowchart TD
${lines.map((line) => `  ${line}\n`).join('')}`
}

function startLines(campaign: CampaignFile, counts: CampaignCounts | undefined): string[] {
  const { trigger, audience, entry, holdOut } = campaign
  return [
    ...triggerLines(trigger),
    ...(audience.personas ? [`for ${audience.personas.join(', ')}`] : []),
    ...(audience.where ? [`if ${inWords(audience.where)}`] : []),
    typeof entry === 'string' ? entry.replaceAll('-', ' ') : `again after ${entry.again}`,
    ...(holdOut === undefined ? [] : [`${holdOut} % get nothing`]),
    ...(counts ? [`${people(counts.entered)} entered${listed(counts.states)}`] : []),
  ]
}

function triggerLines(trigger: CampaignFile['trigger']): string[] {
  const { where } = triggerPartsOf(trigger)
  const hidden = ['maxAge', where?.path[0]]
  const said = Object.entries(trigger).filter(
    ([name, value]) => !hidden.includes(name) && value !== undefined,
  )
  return [
    ...said.map(([name, value]) => {
      if (name === 'touchpoint') return String(value)
      return value === true && name === Object.keys(trigger)[0] ? name : `${name}: ${flow(value)}`
    }),
    ...(where ? [`${where.path.join(' ')} ${inWords(where.condition)}`] : []),
  ]
}

function nodeLines({ path, step, next, arms }: StepNode, counts: StepCounts | undefined): string[] {
  const label = quoted([...labelOf(step), ...countLines(counts)])
  const parts = partsOf(step).arms ?? []
  const id = idOf(path)
  const shape = parts.length > 0 ? `{{${label}}}` : `[${label}]`
  const ways = parts.map((arm, index) => {
    const isLast = index === parts.length - 1
    const taken = counts && takenBy(counts, { index, label: arm.label, isLast })
    const words = arm.when ? inWords(arm.when.condition) : arm.label
    return { to: arms[index]?.first ?? null, words: [words, ...(taken ? [people(taken)] : [])] }
  })
  const isOpen = parts.length === 0 || parts.every((arm) => arm.when !== null)
  const others = counts && counts.came - sumOf(Object.values(counts.arms))
  const otherwise = ['otherwise', ...(others ? [people(others)] : [])]
  const onward = {
    to: partsOf(step).ends ? null : next,
    words: parts.length === 0 ? [] : otherwise,
  }
  return [
    `${id}${shape}`,
    ...[...ways, ...(isOpen ? [onward] : [])].map(({ to, words }) =>
      words.length === 0
        ? `${id} --> ${idOf(to)}`
        : `${id} -->|${quoted([words.join(': ')])}| ${idOf(to)}`,
    ),
  ]
}

/** Of a question and a task, the last way is for everybody of whom nothing was heard. */
function takenBy(
  { arms }: StepCounts,
  { index, label, isLast }: { index: number; label: string; isLast: boolean },
): number {
  return (arms[index] ?? arms[label] ?? 0) + (isLast ? (arms['*'] ?? 0) : 0)
}

/** What ends a run wherever it is. */
function leavingLines({ file: { exit, goal } }: CompiledCampaign): string[] {
  const told = ({ touchpoint, where }: CampaignFile['exit'][number]) =>
    where ? `${touchpoint} where ${inWords(where)}` : touchpoint
  return [
    ...(exit.length > 0 ? [['exit', 'ends at once on', ...exit.map(told)]] : []),
    ...(goal ? [['goal', 'reached with', told(goal), `within ${goal.within}`]] : []),
  ].map(([id = '', ...lines]) => `start -.-> ${id}[/${quoted(lines)}/]`)
}

/** The kind and the name of a step, and what it says, without the steps that it holds. */
function labelOf(step: Step): string[] {
  const [[key, own] = ['', undefined]] = Object.entries(step)
  const { id, arms = [] } = partsOf(step)
  const held = new Set(arms.map((arm) => arm.path[1]))
  const said = isMapping(own)
    ? Object.entries(own).filter(([name]) => !held.has(name) && name !== id?.path[1])
    : []
  return [
    id ? `${key} ${id.name}` : key,
    ...said.flatMap(([name, value]) =>
      value === undefined || isUnsaid(name, value) ? [] : [`${name}: ${flow(value)}`],
    ),
  ]
}

/** What a moment is unless somebody says otherwise. */
function isUnsaid(name: string, value: unknown): boolean {
  return name === 'on' && value === 'any-day'
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return value.map(flow).join(', ')
  if (!isMapping(value)) return String(value)
  return Object.entries(value)
    .filter(([name, inner]) => inner !== undefined && !isUnsaid(name, inner))
    .map(([name, inner]) => `${name} ${flow(inner)}`)
    .join(', ')
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function countLines(counts: StepCounts | undefined): string[] {
  if (!counts) return []
  return [
    `${people(counts.came)}${listed(counts.messages)}`,
    ...(counts.waits > 0 ? [`${people(counts.waits)} now`] : []),
  ]
}

function listed(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, number]) => `${number} ${name}`)
  return parts.length > 0 ? `: ${parts.join(', ')}` : ''
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function people(number: number): string {
  return number === 1 ? '1 person' : `${number} people`
}

/** Mermaid's own words, such as `end`, are none with letters before them. */
function idOf(path: string | null): string {
  return path === null ? 'finish' : `step${path.replaceAll('.', '_')}`
}

/** Mermaid takes what stands behind a `<` for the attributes of a tag, and changes the quotes that are YAML's. */
function titled(name: string): string {
  return JSON.stringify(name).replaceAll('<', '\\u003c')
}

/**
 * A text that Mermaid shows as it is. Its entities have no `&`; quotes end a label, angle brackets are
 * HTML, backticks and a number with a dot at the beginning are Markdown.
 */
function quoted(lines: readonly string[]): string {
  const escaped = lines.map((line) =>
    line
      .replace(/\s+/g, ' ')
      .replace(/[^\p{L}\p{N} .,:()%≤≥≠/+_-]/gu, (letter) => `#${letter.codePointAt(0)};`)
      .replace(/^(\d+)\./, '$1#46;'),
  )
  return `"${escaped.join('<br>')}"`
}
