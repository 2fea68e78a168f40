import { fail } from '@wegwijs/runtime/failure'
import { resetPositions } from '@wegwijs/store/positions'
import { groupsOf, topicsOf } from '@wegwijs/wire/topics'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'

/** `wegwijs positions`: up to where each topic has been read. */
export function addPositions(program: Command, shell: Shell): void {
  program
    .command('positions')
    .description('Up to where events have been read; `wegwijs status` shows it.')
    .command('reset')
    .description(
      'Read a topic from the first event that Kafka has, after it was made anew or events were removed unread. What had counted counts once. Only while the journey service is stopped.',
    )
    .argument('<topic>', 'touchpoints or touchpoints.urgent, also with the namespace before it')
    .action(runs(shell, reset))
}

async function reset(call: Call, _: unknown, name = ''): Promise<void> {
  const { surroundings, output } = call
  const { topic, group } = topicNamed(surroundings.namespace(), name)
  const { admin } = await surroundings.kafka()
  const members = await admin.groupMembers(group)
  if (members > 0) throw fail('WEGWIJS_POSITION_IN_USE', { topic, members })
  const ranges = await admin.endOffsets(topic)
  const { db } = await surroundings.store()
  const changed = await resetPositions(db, topic, ranges)
  output.data({ topic, partitions: changed }, () =>
    table(
      ['TOPIC', 'PARTITION', 'WAS AT', 'READS FROM'],
      changed.map(({ partition, from, to }) => [topic, String(partition), from, to]),
    ),
  )
  output.say(
    changed.length === 0
      ? `nothing of ${topic} was read yet`
      : 'start the journey service; what had counted counts once',
  )
}

function topicNamed(namespace: string, name: string): { topic: string; group: string } {
  const topics = topicsOf(namespace)
  const groups = groupsOf(namespace)
  const known = [
    { topic: topics.touchpoints, group: groups.touchpoints },
    { topic: topics.urgent, group: groups.urgent },
  ]
  const found = known.find(({ topic }) => topic === name || topic === `${namespace}.${name}`)
  if (found) return found
  const names = known.map(({ topic }) => topic).join(' and ')
  throw fail('WEGWIJS_USAGE', { problem: `"${name}" is not read; ${names} are` })
}
