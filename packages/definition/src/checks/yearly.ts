import type { Condition } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { addDuration, type Instant } from '@wegwijs/campaign/instant'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type { Fault } from '../fault.ts'
import { about, type Loaded } from './parts.ts'

/**
 * A date that comes back every year, for whom `entry` does not let in every year: once at all, or when as long has
 * gone by since they entered as lies between two of them, or a moment less. Who is let in at one age alone has one
 * such year.
 */
export function leftOutYearsIn(campaign: Loaded<CampaignFile>): Fault[] {
  const { trigger, audience, entry } = campaign.value
  if (!triggerPartsOf(trigger).date?.isYearly) return []
  if (audience.where && isOfOneAge(audience.where)) return []
  if (typeof entry === 'object') return closeToYears(campaign, entry.again)
  const often = letsIn.get(entry)
  if (often === undefined) return []
  const message = `this comes back every year, and "entry: ${entry}"${often}; expected "entry: every-time"`
  return [about(campaign, ['trigger', 'date', 'every'], { message, found: 'year' })]
}

function isOfOneAge(condition: Condition): boolean {
  if ('all' in condition) return condition.all.some(isOfOneAge)
  return 'field' in condition && condition.field === 'person.age' && condition.op === 'eq'
}

const letsIn: ReadonlyMap<string, string> = new Map([
  ['once', ' lets everybody in once in their life'],
  ['once-per-journey', ', as without "entry", lets everybody in once per journey'],
])

/** Who enters does so a moment behind the date; and `on` moves it to an earlier day in one year than in another. */
function closeToYears(campaign: Loaded<CampaignFile>, again: string): Fault[] {
  const end = addDuration(start, again, 'UTC')
  const years = Number(end.slice(0, 4)) - Number(start.slice(0, 4))
  const over = addDuration(addDuration(start, `P${years}Y`, 'UTC'), 'P1D', 'UTC')
  if (years < 1 || end > over) return []
  const message = `"again: ${again}" counts from when somebody entered, and leaves out a year in which the date comes a moment or a day earlier than that; expected ${years === 1 ? '"entry: every-time", or less' : 'less'}, such as "{ again: P${years * 12 - 1}M }"`
  return [about(campaign, ['entry', 'again'], { message, found: again })]
}

/** No year behind it for a while is a leap year: so many times 365 days are so many years. */
const start: Instant = '2025-01-01T00:00:00.000Z'
