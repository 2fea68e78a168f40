import { type Condition, leavesOf } from '@wegwijs/campaign/condition'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import type { Fault } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { fieldsOf } from './campaign-fields.ts'
import { healthInHistory, healthTouchpointsIn, isOfHealth } from './happened.ts'
import { healthFields, personasOfHealth } from './marketing.ts'
import { about, type Loaded, type Parts } from './parts.ts'
import { whereOf } from './trigger.ts'

/**
 * What is known of somebody's health must not come out under another name. Whatever happens only to whom a
 * condition on health let through tells of it, too: a field that is remembered there, an event that others are
 * told, and within the campaign what became of a message, a question or a task. So where such a thing goes must
 * be declared `health`, as where a value of health is copied; then it counts as health wherever it is asked.
 *
 * It goes on through a campaign that begins by it, a persona that is made of it, what stands under a branch or
 * a wait that asks for it, and what stands behind one of which a way ends the campaign. What an exit keeps from
 * happening, and when something happens, is not looked at: nobody learns more by it than that somebody left.
 */
export function checkHealthFlow(campaign: Loaded<CampaignFile>, parts: Parts): Fault[] {
  const fields = fieldsOf(campaign, parts)
  if (!fields) return []
  const flow = new HealthFlow(campaign, parts, fields)
  flow.follow(campaign.value.steps, ['steps'], flow.ofEntry())
  return flow.faults
}

/** Something on which it hangs, and on what that does: `"enrolment.call.status", which hangs on "event.kind"`. */
type Cause = string

class HealthFlow {
  readonly faults: Fault[] = []
  readonly #campaign: Loaded<CampaignFile>
  readonly #parts: Parts
  readonly #fields: ReadonlyMap<string, Field>
  readonly #personas: ReadonlySet<string>
  /** Fields of the enrolment that tell of health, and why. */
  readonly #told = new Map<string, Cause>()

  constructor(campaign: Loaded<CampaignFile>, parts: Parts, fields: ReadonlyMap<string, Field>) {
    this.#campaign = campaign
    this.#parts = parts
    this.#fields = fields
    this.#personas = personasOfHealth(parts)
  }

  /** Why to be in it at all tells of health. */
  ofEntry(): Cause | undefined {
    const { trigger, audience } = this.#campaign.value
    const { touchpoint, date, attribute } = triggerPartsOf(trigger)
    const field = [date?.field, attribute?.field].find((each) => each && this.#isHealth(each))
    const persona = audience.personas?.find((each) => this.#personas.has(each))
    if (touchpoint && isOfHealth(touchpoint.type, this.#parts)) return quoted(touchpoint.type)
    if (field) return quoted(field)
    if (persona) return `the persona ${quoted(persona)}`
    return this.#ofCondition(whereOf(this.#campaign.value)) ?? this.#ofCondition(audience.where)
  }

  /** Goes through these steps, which `cause` lets somebody come to. Returns why whoever comes out of them does. */
  follow(steps: readonly Step[], path: Path, cause: Cause | undefined): Cause | undefined {
    let own = cause
    for (const [index, step] of steps.entries()) {
      const at = [...path, index]
      this.#check(step, at, own)
      const { arms = [] } = partsOf(step)
      const within = own ?? this.#ofStep(step)
      const ways = arms.map((arm) => this.follow(arm.steps, [...at, ...arm.path], within))
      const isEnd = arms.some((arm) => endsIn(arm.steps))
      own ??= isEnd ? within : undefined
      own ??= ways.find((way) => way !== within)
    }
    return own
  }

  #check(step: Step, path: Path, cause: Cause | undefined): void {
    const { sets, emits, fields = [] } = partsOf(step)
    if (cause) for (const [name] of fields) this.#told.set(`enrolment.${name}`, cause)
    if (sets) {
      const name = sets.field.slice('person.'.length)
      const declared = this.#parts.attributes?.value.campaigns ?? {}
      const field = Object.hasOwn(declared, name) ? declared[name] : undefined
      const why = cause ?? this.#ofSource(sets.from)
      if (field && field.sensitivity !== 'health' && why) {
        const message = `"${sets.field}" is ${field.sensitivity}, and what is remembered here hangs on ${why}, which tells about somebody's health: declare it "sensitivity: health" in attributes.yaml`
        this.#complain([...path, 'set', 'field'], message, sets.field)
      }
    }
    if (emits) {
      const type = this.#parts.touchpoints?.value.emits.find((each) => each.type === emits.type)
      const copied = Object.values(emits.data).flatMap((from) =>
        typeof from === 'string' ? (this.#ofSource(from) ?? []) : [],
      )
      const why = cause ?? copied[0]
      if (type && type.sensitivity !== 'health' && why) {
        const message = `"${emits.type}" bears at most ${type.sensitivity}, and what is told here hangs on ${why}, which tells about somebody's health: declare it "sensitivity: health" in touchpoints.yaml`
        this.#complain([...path, 'emit', 'type'], message, emits.type)
      }
    }
  }

  #complain(path: Path, message: string, found: string): void {
    this.faults.push(about(this.#campaign, path, { message, found }))
  }

  /** Why to go one way through it and not another tells of health. */
  #ofStep(step: Step): Cause | undefined {
    const { arms = [], conditions = [], touchpoints = [], messages = [] } = partsOf(step)
    const named = touchpoints.find(({ type }) => isOfHealth(type, this.#parts))
    if (named) return quoted(named.type)
    const message = messages.map(({ id }) => this.#ofField(`enrolment.${id}.status`)).find(Boolean)
    if (message) return message
    const ofArms = arms.flatMap(({ when }) => this.#ofCondition(when?.condition) ?? [])
    const others = conditions.flatMap(
      ({ condition, about: type }) =>
        this.#ofCondition(condition, fieldsOf(this.#campaign, this.#parts, type)) ?? [],
    )
    return [...ofArms, ...others][0]
  }

  #ofCondition(condition: Condition | undefined, fields = this.#fields): Cause | undefined {
    if (!condition) return undefined
    const [field] = [...healthFields(condition, fields), ...healthInHistory(condition, this.#parts)]
    const [touchpoint] = healthTouchpointsIn(condition, this.#parts)
    if (field) return quoted(field.field)
    if (touchpoint) return quoted(touchpoint.type)
    return leavesOf(condition).flatMap(({ leaf }) => this.#ofField(leaf.field) ?? [])[0]
  }

  /** Of a field that is not declared health, and tells of it all the same. */
  #ofField(name: string): Cause | undefined {
    const [persona] = this.#personas
    if (name === 'person.persona' && persona) return `the persona ${quoted(persona)}`
    const told = this.#told.get(name)
    return told && `${quoted(name)}, which hangs on ${told}`
  }

  /** What is copied from a field that is declared health is told where it is copied. */
  #ofSource(name: string | undefined): Cause | undefined {
    return name === undefined ? undefined : this.#ofField(name)
  }

  #isHealth(name: string): boolean {
    return this.#fields.get(name)?.sensitivity === 'health'
  }
}

/** Somebody may leave the campaign within these steps. */
function endsIn(steps: readonly Step[]): boolean {
  return steps.some((step) => {
    const { ends, arms = [] } = partsOf(step)
    return ends || arms.some((arm) => endsIn(arm.steps))
  })
}

function quoted(name: string): string {
  return `"${name}"`
}
