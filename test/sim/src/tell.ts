import type { Entry } from './history.ts'
import type { Judged } from './judged.ts'
import type { Story } from './story.ts'

/** A story that failed, for a person to read: what was to happen, what did, and what is wrong. */
export function tell({ story, outcome, violations }: Judged, repeat: string): string {
  return [
    `seed ${story.seed}: ${violations.length} broken promises`,
    ...violations.map(({ kind, text }) => `  ${kind}: ${text}`),
    '',
    'what was to happen',
    ...tellStory(story),
    '',
    'what happened',
    ...outcome.entries.map(tellEntry),
    '',
    'what was wrong',
    ...violations.map(({ kind, text }) => `  ${kind}: ${text}`),
    `again: ${repeat}`,
    '',
  ].join('\n')
}

function tellStory(story: Story): string[] {
  const { theme, chapter, happenings, faults, meetings, steps, workers } = story
  return [
    `  ${theme ?? 'of all kinds'}${chapter ? ` (${chapter})` : ''}, from ${story.begins}${story.folds ? ', providers fold repeats' : ''}${story.silent ? ', providers report nothing' : ''}${story.partitionsApart ? ', publishers choose partitions in their own way' : ''}`,
    `  workers: ${Object.entries(workers)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}`,
    ...happenings.map(
      ({ id, publisher, by, type, data, entity, version, times, isDoubled }) =>
        `  ${publisher} says ${id} over ${by}${times > 1 ? ` ${times} times` : ''}${isDoubled ? ' to two gateways at once' : ''}: ${type} ${JSON.stringify(data)}${entity ? ` ${entity} version ${version}` : ''}`,
    ),
    `  business time is stepped by ${steps.join(', ')} minutes`,
    ...faults.map(
      ({ slot, at, kind, on }) =>
        `  ${slot}, operation ${at}${on ? ` or the next that ${on}` : ''}: ${kind}`,
    ),
    ...meetings.map(
      ({ who, what, until, paused }) =>
        `  ${who} ${paused ? 'is paused' : 'stands still'} before "${what}" until ${until
          .map(
            (place) =>
              `${place.who} ${place.isStanding ? 'is about to' : 'has done'} "${place.what}"`,
          )
          .join(', then ')}`,
    ),
  ]
}

function tellEntry(entry: Entry): string {
  const place = `${String(entry.at).padStart(5)} ${(entry.ms / 1_000).toFixed(1).padStart(6)}s ${entry.now.slice(5, 16).replace('T', ' ')}`
  return `${place}  ${wordsOf(entry)}`
}

function wordsOf(entry: Entry): string {
  switch (entry.kind) {
    case 'said':
      return `  → ${entry.event.id} ${entry.event.type} is said over ${entry.by}`
    case 'kept':
      return `  → ${entry.event} is kept (${entry.by})`
    case 'reported':
      return `  → ${entry.event}: call ${entry.call} (${entry.text}) is reported ${entry.status}`
    case 'read':
      return `  → ${entry.event} has been read`
    case 'business':
      return `  → business time is ${entry.instant}`
    case 'claimed':
      return `  → ${entry.worker} has claimed ${entry.intent} (begun at ${entry.begun})`
    case 'settled':
      return `  → ${entry.worker} has written down what came of ${entry.intent}`
    case 'given':
      return `  → call ${entry.call}: ${entry.worker} gives ${entry.channel} "${entry.text}" for ${entry.to}${entry.marked ? ', marked as a repeat' : ''}`
    case 'added':
      return `  → ${entry.job} is in the queue${entry.kept ? '' : ', and not in the records'}`
    case 'taken':
      return `  → call ${entry.call} is taken: the person gets it`
    case 'answered':
      return `  → call ${entry.call} is answered: ${entry.answer}`
    case 'disturbed':
      return '  → from here on claims may be lost because somebody was stopped'
    case 'fault':
      return `!! ${entry.text}`
    case 'operation':
      return `${entry.slot}: ${entry.label}`
  }
}
