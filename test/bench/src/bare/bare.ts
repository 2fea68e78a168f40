import { paragraphs } from '../texts.ts'

/**
 * The bare pipeline: what the same libraries can do when they do nothing but carry. One process
 * takes events in and plans a message for each that asks for one; another sends. It knows no people,
 * consents, conditions, decisions, recovery or outcomes that are unknown: it is a yardstick.
 */

/** What the processes are started with, as JSON in their first word. */
export type BareSettings = {
  brokers: string[]
  databaseUrl: string
  redisUrl: string
  /** PostgreSQL schema, topic and prefix of the queue. */
  namespace: string
  providerUrl: string
  /** The namespace of Wegwijs whose tables get what its promises ask for, instead of the two of its own. */
  promisedIn?: string
}

/** How far a process is. */
export type BareProgress = { ready: true; done: number }

export const queueName = 'deliver'
export const deliveriesPerJob = 50

export function topicOf(namespace: string): string {
  return `${namespace}.touchpoints`
}

export function readSettings(): BareSettings {
  return JSON.parse(process.argv[2] ?? '{}') as BareSettings
}

export function tellProgress(done: number): void {
  process.send?.({ ready: true, done } satisfies BareProgress)
}

export const schema = (namespace: string) => `
  create schema ${namespace};
  create table ${namespace}.event (
    source text not null, event_id text not null, subject text not null, type text not null,
    time timestamptz not null, data jsonb not null, recorded_at timestamptz not null default clock_timestamp(),
    primary key (subject, source, event_id));
  create table ${namespace}.intent (
    intent_id uuid primary key, subject text not null, address text not null, template text not null,
    data jsonb not null, state text not null default 'planned', reference text,
    planned_at timestamptz not null default clock_timestamp(), sent_at timestamptz);`

/** As long as what the hospital's templates make of the same data. */
export function smsText(department: string, reference: string): string {
  return `Beste Persoon, dank voor uw bezoek aan de afdeling ${department}. Lees wat u thuis kunt verwachten op hospital.example.org/na/${reference}`
}

export function emailHtml(department: string, reference: string): string {
  return `<!doctype html><html><body><p>Beste Persoon,</p>${paragraphs('<p>', '</p>')}<p>${department} ${reference}</p></body></html>`
}

export function emailText(department: string, reference: string): string {
  return `Beste Persoon,\n\n${paragraphs('', '\n\n')}${department} ${reference}\n`
}
