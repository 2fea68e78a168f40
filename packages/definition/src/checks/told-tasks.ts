import type { SpecificationsFile } from '@wegwijs/campaign/definition/specification'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { TaskStep } from '@wegwijs/campaign/steps/task'
import { type Fault, unknownName } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import { stepsOf } from './walk.ts'

type Looked = { loaded: Loaded<SpecificationsFile>; parts: Parts }
type Task = TaskStep['task']

/** A task that is done must be there, with that outcome. */
export function checkTaskDone(
  looked: Looked,
  { 'is done': name, outcome }: { 'is done': string; outcome: string },
  path: Path,
): Fault[] {
  const tasks = tasksOf(looked, name)
  const task = tasks?.find(({ id }) => id === idOf(name))
  if (!task) return checkTaskNamed(looked, name, [...path, 'is done'])
  const known = task.outcomes.map((each) => each.outcome)
  return known.includes(outcome)
    ? []
    : [about(looked.loaded, [...path, 'outcome'], unknownName('outcome', outcome, known))]
}

export function checkTaskNamed(looked: Looked, name: string, path: Path): Fault[] {
  const known = tasksOf(looked, name)?.map(({ id }) => id)
  if (!known || known.includes(idOf(name))) return []
  return [about(looked.loaded, path, unknownName('task', idOf(name), known))]
}

/** Undefined when the campaign could not be read. */
function tasksOf({ loaded, parts }: Looked, name: string): Task[] | undefined {
  const [, id = loaded.value.campaign] = name.split('/').reverse()
  const campaign = parts.campaigns.find(({ value }) => value.id === id)
  return campaign && stepsOf(campaign.value.steps).flatMap(({ step }) => partsOf(step).task ?? [])
}

function idOf(name: string): string {
  return name.split('/').at(-1) ?? name
}
