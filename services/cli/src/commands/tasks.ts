import type { LocaleName } from '@wegwijs/campaign/definition/words'
import { reasons } from '@wegwijs/campaign/reasons'
import { fail } from '@wegwijs/runtime/failure'
import type { Querying } from '@wegwijs/store/database'
import { latestBundle } from '@wegwijs/store/definitions'
import { type ListedTask, listTasks, sayTaskDone, type TaskRefusal } from '@wegwijs/store/tasks'
import { type Command, Option } from 'commander'
import { unknownName } from '../known-names.ts'
import { type Output, table } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { atLeastOne, byOption } from '../words.ts'

type ListOptions = { team?: string; all?: boolean; limit: number; language: LocaleName }

/** `wegwijs tasks` and `wegwijs task`: what campaigns ask of people. */
export function addTasks(program: Command, shell: Shell): void {
  program
    .command('tasks')
    .description('What teams have to do, what is due first, first.')
    .option('--team <team>', 'only of this team')
    .option('--all', 'also what is done, was taken back, or is not to be done now (a stop)')
    .option('--limit <count>', 'at most so many', atLeastOne, 50)
    .addOption(
      new Option('--language <language>', 'of the titles').choices(['nl', 'en']).default('en'),
    )
    .action(runs(shell, list))
  const task = program.command('task').description('One task.')
  byOption(task.command('done'))
    .description(
      'Say what came of a task. The first word counts. Of a task that was taken back it is kept, and nothing follows.',
    )
    .argument('<id>')
    .requiredOption('--outcome <name>', 'one of its outcomes; see `wegwijs tasks`')
    .action(runs(shell, done))
}

async function list(
  { surroundings, output }: Call,
  { team, all, limit, language }: ListOptions,
): Promise<void> {
  const { db } = await surroundings.store()
  const tasks = await listTasks(db, { team: team ?? null, state: all ? null : 'open', limit })
  if (tasks.length === 0) await tellNone(db, { team, all }, output)
  output.data(tasks, () =>
    table(
      ['ID', 'DUE', 'TEAM', 'TASK', 'PERSON', 'CAMPAIGN', 'STATE', 'OUTCOMES'],
      tasks.map((task) => [
        task.taskId,
        task.dueAt,
        task.team,
        task.title?.[language] ?? unreadable,
        task.personId,
        task.campaignId,
        stateOf(task),
        outcomeOf(task),
      ]),
    ),
  )
}

const unreadable = '(cannot be read)'

function stateOf({ state, held, reason }: ListedTask): string {
  if (held !== null) return `${state}, held: ${held}`
  return state === 'withdrawn' && reason !== null ? `${state}: ${reason}` : state
}

/** What came of it, or what may. What was said of one that was taken back led to nothing. */
function outcomeOf({ state, outcome, outcomes }: ListedTask): string {
  if (outcome === null) return outcomes?.map((each) => each.outcome).join(', ') ?? unreadable
  return state === 'withdrawn' ? `${outcome}, said too late` : outcome
}

/** Nothing to do is told as that; a misspelt team is not taken for one that has done everything. */
async function tellNone(
  db: Querying,
  { team, all }: { team: string | undefined; all: boolean | undefined },
  output: Output,
): Promise<void> {
  const teams = (await latestBundle(db))?.bundle.policies.teams?.map(({ id }) => id)
  if (team !== undefined && teams !== undefined && !teams.includes(team))
    throw unknownName('there is no team', team, teams)
  output.say(all ? 'there never was a task' : 'no task is to be done')
}

async function done(
  { surroundings, output }: Call,
  { outcome, by }: { outcome: string; by: string },
  taskId = '',
): Promise<void> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(taskId)) {
    throw fail('WEGWIJS_USAGE', { problem: unknown(taskId) })
  }
  const store = await surroundings.store()
  const said = { taskId, outcome, by: `cli:${by}` }
  const answer = await sayTaskDone(store, said, surroundings.secret())
  if (answer.refusal)
    throw fail('WEGWIJS_USAGE', { problem: describe(taskId, outcome, answer.refusal) })
  const { takenBack } = answer
  output.say(
    takenBack === null
      ? 'written down; the campaign goes on as soon as its event has come in'
      : `written down; the task had been taken back (${takenBack}), so nothing follows from it`,
  )
  output.data({ taskId, outcome, takenBack }, () => [])
}

function describe(taskId: string, outcome: string, refusal: TaskRefusal): string {
  switch (refusal.why) {
    case 'unknown':
      return unknown(taskId)
    case 'said':
      return `${refusal.by} has said of this task that it came to "${refusal.outcome}"; the first word counts`
    case 'held':
      return `the task is not to be done now (${refusal.reason}): ${reasons[refusal.reason].text.en}`
    case 'outcome':
      return `the task has no outcome "${outcome}"; it has ${refusal.outcomes.join(', ')}`
  }
}

function unknown(id: string): string {
  return `there is no task ${id}; see \`wegwijs tasks\``
}
