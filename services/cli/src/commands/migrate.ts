import { migrate } from '@wegwijs/store/migrate'
import { topicConfigs } from '@wegwijs/wire/topics'
import type { Command } from 'commander'
import { type Call, runs, type Shell } from '../shell.ts'
import { atLeastOne } from '../words.ts'

type Options = { partitions: number; replication: number }

/** Of a history that takes longer than somebody waits without a word. */
const TELL_EVERY_PEOPLE = 20_000

/** `wegwijs migrate`: schema and topics of the namespace. */
export function addMigrate(program: Command, shell: Shell): void {
  program
    .command('migrate')
    .summary('bring schema and topics of the namespace to the newest shape')
    .description(
      'Bring the database schema of the namespace to the newest shape and create its topics. Safe to run again, and beside running services. Run it once more when the last service of the version before has ended: it fills what those left out.',
    )
    .option('--partitions <count>', 'of a topic that is created', atLeastOne, 6)
    .option('--replication <count>', 'of a topic that is created: 3 in production', atLeastOne, 1)
    .action(runs(shell, bring))
}

async function bring({ surroundings, output }: Call, options: Options): Promise<void> {
  const store = await surroundings.store()
  const kafka = await surroundings.kafka()
  let [people, filled] = [0, 0]
  const migrations = await migrate(store, {
    onWait: ({ migration, code }) =>
      output.say(`${migration} makes way for the services (${code}) and tries again`),
    onArms: (batch) => {
      people += batch.people
      filled += batch.runs
      if (people % TELL_EVERY_PEOPLE === 0)
        output.say(`runs of ${people} people looked at, arms of ${filled} filled`)
    },
  })
  const { partitions, replication } = options
  const topics = topicConfigs(store.namespace, { partitions, replicationFactor: replication })
  await kafka.admin.ensureTopics(topics)
  const names = topics.map((topic) => topic.topic)
  output.data({ namespace: store.namespace, migrations, topics: names, filled }, () => [
    `schema ${store.namespace}: ${migrations.length === 0 ? 'up to date' : `ran ${migrations.join(', ')}`}`,
    `topics: ${names.join(', ')}`,
    ...(filled === 0 ? [] : [`runs that older services left without their arms: ${filled}`]),
  ])
}
