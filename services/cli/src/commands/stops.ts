import { ownIdSpace } from '@wegwijs/campaign/event-check'
import { fail } from '@wegwijs/runtime/failure'
import type { Querying } from '@wegwijs/store/database'
import { findPerson } from '@wegwijs/store/explain'
import {
  idSpaces,
  liftOperation,
  liftPerson,
  type Operation,
  type OperationScope,
  operationScopes,
  operationTargets,
  stopOperation,
  stopPerson,
} from '@wegwijs/store/stops'
import { wake } from '@wegwijs/store/wake'
import type { Command } from 'commander'
import { unknownName } from '../known-names.ts'
import { identityOf, personIdOf } from '../person.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { type WordsOptions, withWords, wordsOf } from '../words.ts'

/** What can be stopped beside a person, and what its argument is. */
const namedBy: Readonly<Record<OperationScope, string | null>> = {
  campaign: 'id',
  channel: 'name',
  provider: 'name',
  template: 'id',
  all: null,
}

/** `wegwijs stop` and `wegwijs resume`. */
export function addStops(program: Command, shell: Shell): void {
  const stop = program
    .command('stop')
    .description('Hold messages, from the moment that the command returns.')
  const resume = program.command('resume').description('End what `stop` began.')
  withWords(stop.command('person'))
    .description('Send nothing more to a person; what is planned for them is skipped.')
    .argument('<person>', 'idSpace:externalId, or our own id')
    .action(runs(shell, holdPerson))
  withWords(resume.command('person'))
    .description('End the stops that staff put on a person; not a withdrawn consent, not a death.')
    .argument('<person>', 'idSpace:externalId, or our own id')
    .action(runs(shell, releasePerson))
  for (const scope of operationScopes) {
    const argument = namedBy[scope]
    const what = argument === null ? 'all sending' : `a ${scope}`
    const hold = withWords(stop.command(scope)).description(
      `Hold ${what}: messages wait, and expire by themselves.`,
    )
    const release = withWords(resume.command(scope)).description(`Let ${what} go on.`)
    if (argument !== null) {
      hold.argument(`<${argument}>`)
      release.argument(`<${argument}>`)
    }
    hold.action(
      runs(shell, (call, options: WordsOptions, target = '') =>
        holdOperation(call, { scope, target }, options),
      ),
    )
    release.action(
      runs(shell, (call, options: WordsOptions, target = '') =>
        releaseOperation(call, { scope, target }, options),
      ),
    )
  }
}

async function holdPerson(call: Call, options: WordsOptions, reference = ''): Promise<void> {
  const { db } = await call.surroundings.store()
  const identity = identityOf(reference)
  await refuseUnknownSpace(db, identity.idSpace)
  const isKnown = (await findPerson(db, identity)) !== null
  const stopped = await stopPerson(db, identity, wordsOf(options))
  if (stopped === null) {
    throw fail('WEGWIJS_PERSON_UNKNOWN')
  }
  const whom = isKnown
    ? ''
    : ', though nobody is known by this id: it holds from their first event on'
  call.output.say(`stopped${whom}; \`wegwijs resume person\` ends it`)
  call.output.data({ ...stopped, known: isKnown }, () => [stopped.stopId])
}

/** A stop of somebody whom no publisher can ever tell of would hold nothing, and say that it does. */
async function refuseUnknownSpace(db: Querying, idSpace: string): Promise<void> {
  if (idSpace === ownIdSpace) return
  const known = await idSpaces(db, idSpace)
  if (known.length > 0 && !known.includes(idSpace))
    throw unknownName('there is no id space', idSpace, known)
}

async function releasePerson(call: Call, options: WordsOptions, reference = ''): Promise<void> {
  const { db } = await call.surroundings.store()
  const lifted = await liftPerson(db, await personIdOf(db, reference), wordsOf(options))
  tellLifted(call, lifted)
}

async function holdOperation(
  call: Call,
  operation: Operation,
  options: WordsOptions,
): Promise<void> {
  const { db } = await call.surroundings.store()
  if (operation.scope !== 'all') {
    const names = await operationTargets(db, operation.scope)
    // Before anything was applied nothing has a name.
    if (names.length > 0 && !names.includes(operation.target)) throw unknownTarget(operation, names)
  }
  const stopId = await stopOperation(db, operation, wordsOf(options))
  call.output.say(`stopped; \`wegwijs resume ${nameOf(operation)}\` ends it`)
  call.output.data({ stopId, ...operation }, () => [stopId])
}

async function releaseOperation(
  call: Call,
  operation: Operation,
  options: WordsOptions,
): Promise<void> {
  const { db, namespace } = await call.surroundings.store()
  const lifted = await liftOperation(db, operation, wordsOf(options))
  await wake(db, namespace, ['intents'])
  tellLifted(call, lifted)
}

function tellLifted({ output }: Call, lifted: readonly string[]): void {
  output.say(lifted.length === 0 ? 'nothing was stopped' : 'goes on')
  output.data({ lifted }, () => lifted)
}

function nameOf({ scope, target }: Operation): string {
  return target === '' ? scope : `${scope} ${target}`
}

function unknownTarget({ scope, target }: Operation, names: readonly string[]) {
  return unknownName(`there is no ${scope}`, target, names)
}
