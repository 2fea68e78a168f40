import { personFieldsOf } from '@wegwijs/campaign/catalogue'
import { expectedCountry, type PoliciesFile } from '@wegwijs/campaign/definition/policies'
import { otherwise } from '@wegwijs/campaign/steps/message-template'
import { hasHolidays } from '@wegwijs/campaign/working-days'
import { type Fault, unknownName } from '../fault.ts'
import { checkCondition } from './condition.ts'
import { checkHappened } from './happened.ts'
import { about, aboutKey, type Loaded, type Parts, repeated } from './parts.ts'
import { unreachedArms } from './reachability.ts'
import { checkField } from './touchpoints.ts'

/** `personas.yaml`: four kinds or forty, the last one takes whoever is left. */
export function checkPersonas(parts: Parts): Fault[] {
  const { personas: loaded, attributes, channels } = parts
  if (!loaded) return []
  const { personas } = loaded.value
  const faults = repeated(
    loaded,
    'persona',
    personas.map(({ id }, index) => ({ name: id, path: ['personas', index, 'id'] })),
  )
  personas.forEach((persona, index) => {
    const path = ['personas', index]
    if (persona.id === otherwise)
      faults.push(
        about(loaded, [...path, 'id'], {
          message: `"${otherwise}" stands for everybody else where a message names personas: no persona can have that name`,
          found: persona.id,
        }),
      )
    const isLast = index === personas.length - 1
    if (isLast && persona.when !== undefined)
      faults.push(
        about(loaded, [...path, 'when'], {
          message: `the last persona takes everybody else: "${persona.id}" cannot have a "when"`,
        }),
      )
    if (!isLast && persona.when === undefined)
      faults.push(
        about(loaded, [...path, 'id'], {
          message: `"${persona.id}" takes everybody, so that no later persona is ever reached: it needs a "when"`,
          found: persona.id,
        }),
      )
    if (persona.when !== undefined && attributes) {
      const fields = new Map(personFieldsOf({ attributes: attributes.value }))
      // A persona that hangs on the persona would have to be known before it is computed.
      fields.delete('person.persona')
      faults.push(...checkCondition(loaded, [...path, 'when'], persona.when, fields))
      faults.push(...checkHappened(loaded, [...path, 'when'], persona.when, parts))
    }
    persona.channels.forEach((channel, position) => {
      if (channels && channels.value[channel] === undefined)
        faults.push(
          about(loaded, [...path, 'channels', position], {
            message: `channels.yaml has no channel "${channel}"`,
            found: channel,
          }),
        )
    })
  })
  return faults
}

/** Personas that nobody is, because those above them take everybody. */
export function warnOfPersonas({ personas: loaded, attributes }: Parts): Fault[] {
  if (!loaded || !attributes) return []
  const fields = personFieldsOf({ attributes: attributes.value })
  const { personas } = loaded.value
  const arms = personas.map(({ when }) => when ?? null)
  const known = { fields, neverMissing: new Set(['person.locale']) }
  return unreachedArms(arms, [[]], known).map(({ index }) =>
    about(loaded, ['personas', index, 'id'], {
      message: `nobody becomes "${personas[index]?.id}" by its condition: the personas above it come first`,
      found: personas[index]?.id ?? '',
    }),
  )
}

/** `journeys.yaml` */
export function checkJourneys({ journeys: loaded }: Parts): Fault[] {
  if (!loaded) return []
  const { journeys } = loaded.value
  return [
    ...repeated(
      loaded,
      'journey',
      journeys.map(({ id }, index) => ({ name: id, path: ['journeys', index, 'id'] })),
    ),
    ...journeys.flatMap((journey, index) =>
      repeated(
        loaded,
        'phase',
        journey.phases.map(({ id }, position) => ({
          name: id,
          path: ['journeys', index, 'phases', position, 'id'],
        })),
      ),
    ),
  ]
}

/** `attributes.yaml` */
export function checkAttributes({ attributes: loaded }: Parts): Fault[] {
  if (!loaded) return []
  const { person, campaigns } = loaded.value
  const standard = new Set(personFieldsOf({ attributes: { person: {}, campaigns: {} } }).keys())
  return [
    ...Object.entries(person).flatMap(([name, field]) => {
      const message = `person.${name} is known of everybody: what the organisation adds needs another name`
      return standard.has(`person.${name}`)
        ? [aboutKey(loaded, ['person', name], { message, found: name })]
        : checkField(loaded, ['person', name], field)
    }),
    ...Object.entries(campaigns).flatMap(([name, field]) => {
      const isTaken = Object.hasOwn(person, name) || standard.has(`person.${name}`)
      const message = `person.${name} is what publishers tell; what campaigns set needs another name`
      return isTaken
        ? [aboutKey(loaded, ['campaigns', name], { message, found: name })]
        : checkField(loaded, ['campaigns', name], field)
    }),
  ]
}

/** `policies.yaml` */
export function checkPolicies(parts: Parts): Fault[] {
  const { policies: loaded } = parts
  if (!loaded) return []
  const { teams = [] } = loaded.value
  return [
    ...repeated(
      loaded,
      'team',
      teams.map(({ id }, index) => ({ name: id, path: ['teams', index, 'id'] })),
    ),
    ...checkHolidays(loaded),
    ...checkBudgets(loaded, parts),
  ]
}

/**
 * Whose holidays are known changes with the calendars that we build on, so it is no matter of the schema:
 * what is stored by it would not be read any more.
 */
function checkHolidays(loaded: Loaded<PoliciesFile>): Fault[] {
  const { holidays: found } = loaded.value
  if (hasHolidays(found)) return []
  const nearest = codesTakenForCountries[found]
  return [
    about(loaded, ['holidays'], {
      message: `${expectedCountry}, found "${found}"`,
      found,
      ...(nearest === undefined ? {} : { nearest }),
    }),
  ]
}

/** Any two codes are two letters apart at most, so likeness tells nothing: what people write instead. */
const codesTakenForCountries: Readonly<Record<string, string>> = {
  // Of the language.
  ...{ EN: 'GB', DA: 'DK', CS: 'CZ', EL: 'GR', JA: 'JP', ZH: 'CN' },
  // Reserved in ISO 3166-1, and in everybody's mouth.
  ...{ UK: 'GB' },
}

function checkBudgets(loaded: Loaded<PoliciesFile>, { personas }: Parts): Fault[] {
  const { budgets = [] } = loaded.value
  const known = personas?.value.personas.map(({ id }) => id)
  return [
    ...repeated(
      loaded,
      'budget',
      budgets.map(({ id }, index) => ({ name: id, path: ['budgets', index, 'id'] })),
    ),
    ...budgets.flatMap(({ personas: named = [] }, index) =>
      named.flatMap((name, place) => {
        if (!known || known.includes(name)) return []
        const path = ['budgets', index, 'personas', place]
        return [about(loaded, path, unknownName('persona', name, known))]
      }),
    ),
  ]
}
