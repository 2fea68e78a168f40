/** The topics of one namespace. Two namespaces on one cluster never see each other. */
export type Topics = {
  readonly touchpoints: string
  readonly urgent: string
  readonly messages: string
  readonly emitted: string
  readonly deadLetters: string
}

export function topicsOf(namespace: string): Topics {
  return {
    touchpoints: `${namespace}.touchpoints`,
    urgent: `${namespace}.touchpoints.urgent`,
    messages: `${namespace}.messages`,
    emitted: `${namespace}.emitted`,
    deadLetters: `${namespace}.touchpoints.dlq`,
  }
}

/** The consumer groups of services/journey, one for each of the topics that it reads. */
export type Groups = { readonly touchpoints: string; readonly urgent: string }

export function groupsOf(namespace: string): Groups {
  return { touchpoints: `${namespace}.journey`, urgent: `${namespace}.journey.urgent` }
}

/** A topic as it should exist; `settings` are Kafka's own names. */
export type TopicConfig = {
  topic: string
  partitions: number
  replicationFactor: number
  settings: Record<string, string>
}

const DAY_MS = 86_400_000

/** An event of 256 kB with its attributes; room above it, so that a larger one can be put aside. */
const maxRecordBytes = 512 * 1024

/** Kafka keeps touchpoints this long (P7); it must outlast the longest outage of services/journey. */
export const touchpointRetentionDays = 14

/**
 * What each topic needs. One machine has `replicationFactor` 1; production has 3, and then
 * `min.insync.replicas` 2, so that an acknowledged event survives the loss of a broker (P1).
 */
export function topicConfigs(
  namespace: string,
  { partitions = 6, replicationFactor = 1 } = {},
): TopicConfig[] {
  const topics = topicsOf(namespace)
  const topic = (
    name: string,
    count: number,
    retentionDays: number,
    maxBytes = maxRecordBytes,
  ): TopicConfig => ({
    topic: name,
    partitions: count,
    replicationFactor,
    settings: {
      'cleanup.policy': 'delete',
      'retention.ms': String(retentionDays * DAY_MS),
      'min.insync.replicas': String(Math.max(1, replicationFactor - 1)),
      'max.message.bytes': String(maxBytes),
      // The broker unpacks what publishers pack: our client knows not all of their codecs, and the
      // limit above then holds for what a record really is.
      'compression.type': 'uncompressed',
      // When a record came is for the broker to say: the clock of a publisher may be wrong (P3), and then
      // retention would be, too (P1, P7).
      'message.timestamp.type': 'LogAppendTime',
    },
  })
  return [
    topic(topics.touchpoints, partitions, touchpointRetentionDays),
    // Few and small: one partition keeps the order of a person's stops without a thought.
    topic(topics.urgent, 1, touchpointRetentionDays),
    topic(topics.messages, partitions, touchpointRetentionDays),
    // What campaigns tell other systems.
    topic(topics.emitted, partitions, touchpointRetentionDays),
    // Whatever could come in can be put aside, with the headers that tell why.
    topic(topics.deadLetters, 1, 2 * touchpointRetentionDays, 4 * maxRecordBytes),
  ]
}

/** Touchpoints that stop messages: they overtake all others on a topic of their own (P3). */
export const urgentTypes: ReadonlySet<string> = new Set([
  'consent.withdrawn.v1',
  'message.complained.v1',
  'person.deceased.v1',
  'relation.ended.v1',
])

export function isUrgent(type: string): boolean {
  return urgentTypes.has(type)
}
