import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'

/**
 * The hospital of the simulation: what it promises is told again, in words of its own, by
 * promises.ts, which the model judges by. Every message says which campaign it is of and which
 * event or appointment it is about, so that what a provider was given speaks for itself.
 */
const ref = { type: 'text', sensitivity: 'neutral', required: true } as const
/** Of the event that began it, or of the appointment that it is about. */
export const eventFields = ['event.ref'] as const
export const appointmentFields = ['entity.ref', 'entity.startsAt'] as const
const startsAt = { type: 'instant', sensitivity: 'neutral', required: true } as const

const campaigns: readonly Parameters<typeof campaign>[0][] = [
  { id: 'care', steps: [{ message: { id: 'care', template: 'care' } }] },
  {
    id: 'follow-up',
    class: 'service',
    exit: [{ touchpoint: 'care.admission.started.v1' }],
    steps: [
      { wait: { for: 'PT3H' } },
      { message: { id: 'follow-up', template: 'follow-up', expires: 'PT6H' } },
    ],
  },
  {
    id: 'service',
    class: 'service',
    trigger: { touchpoint: 'care.survey.answered.v1' },
    steps: [{ message: { id: 'service', template: 'service', expires: 'PT12H' } }],
  },
  {
    id: 'welcome',
    entry: 'once',
    trigger: { touchpoint: 'care.survey.invited.v1' },
    steps: [{ wait: { for: 'PT5H' } }, { message: { id: 'welcome', template: 'welcome' } }],
  },
  {
    id: 'guide',
    entry: 'once-per-journey',
    trigger: { touchpoint: 'care.survey.invited.v1' },
    steps: [{ wait: { for: 'PT4H' } }, { message: { id: 'guide', template: 'guide' } }],
  },
  {
    id: 'offer',
    class: 'marketing',
    trigger: { touchpoint: 'care.admission.started.v1' },
    steps: [{ message: { id: 'offer', template: 'offer' } }],
  },
  {
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      {
        message: {
          id: 'reminder',
          template: 'reminder',
          send: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' },
          until: 'entity.startsAt',
        },
      },
    ],
  },
]

export const clinic: DefinitionBundle = hospitalWith({
  campaigns: campaigns.map((each) => ({ entry: 'every-time', ...each })),
  templates: Object.fromEntries(
    campaigns.map(({ id }) => [id, id === 'reminder' ? appointmentFields : eventFields]),
  ),
})

type Published = {
  readonly campaigns: readonly Parameters<typeof campaign>[0][]
  /** What stands behind the name of each in what it says: fields. */
  readonly templates: Readonly<Record<string, readonly string[]>>
  readonly policies?: Partial<DefinitionBundle['policies']>
  /** What is known of people, by name. */
  readonly attributes?: DefinitionBundle['attributes']['person']
}

/** The hospital in which these campaigns are published, and no others. */
export function hospitalWith({
  campaigns,
  templates,
  policies,
  attributes,
}: Published): DefinitionBundle {
  const hospital = smallHospital([])
  const [survey] = hospital.touchpoints.touchpoints.filter(({ type }) => type.includes('survey'))
  const invited = survey ? [{ ...survey, type: 'care.survey.invited.v1' }] : []
  const touchpoints = [...hospital.touchpoints.touchpoints, ...invited].map((touchpoint) => ({
    ...touchpoint,
    data: touchpoint.entity ? { ref, ...(touchpoint.withdraws ? {} : { startsAt }) } : { ref },
  }))
  return definitionBundleSchema.parse({
    ...hospital,
    policies: { ...hospital.policies, classes: tracked(hospital.policies.classes), ...policies },
    ...(attributes && { attributes: { person: attributes } }),
    touchpoints: { ...hospital.touchpoints, touchpoints },
    campaigns: campaigns.map(campaign),
    templates: Object.entries(templates).map(([id, fields]) => templateOf(id, fields)),
  })
}

/** The same, where these templates begin with another word by SMS: so a text says its channel. */
export function sayingBySms(
  bundle: DefinitionBundle,
  words: Readonly<Record<string, string>>,
): DefinitionBundle {
  const templates = bundle.templates.map((template) => {
    const [word, { sms }] = [words[template.id], template.channels]
    if (word === undefined || sms?.content.nl?.text === undefined) return template
    const text = sms.content.nl.text.replace(template.id, word)
    const said = { ...sms, content: { ...sms.content, nl: { text } } }
    return { ...template, channels: { ...template.channels, sms: said } }
  })
  return definitionBundleSchema.parse({ ...bundle, templates })
}

/** The same, where every template has a message for the app, with its text as the title. */
export function shownInTheApp(bundle: DefinitionBundle): DefinitionBundle {
  const templates = bundle.templates.map((template) => {
    const { sms } = template.channels
    const text = sms?.content.nl?.text
    if (!sms || text === undefined) return template
    const shown = { ...sms, content: { nl: { title: text, body: text } } }
    return { ...template, channels: { ...template.channels, app: shown } }
  })
  return definitionBundleSchema.parse({ ...bundle, templates })
}

/** Whoever opens a message has it, of whatever class: providers tell of both in any order. */
function tracked(classes: DefinitionBundle['policies']['classes']) {
  const { care, service, marketing, research } = classes
  const allowed = { tracking: 'allowed' as const }
  return {
    care: { ...care, ...allowed },
    service: { ...service, ...allowed },
    marketing: { ...marketing, ...allowed },
    research: { ...research, ...allowed },
  }
}

/** Such as `care e12`, or `reminder A1-2 2026-03-05T09:00:00.000Z`. */
function templateOf(id: string, fields: readonly string[]) {
  const text = [id, ...fields.map((field) => `{{${field}}}`)].join(' ')
  const variables = fields.map((path) => ({ path, optional: false }))
  const email = { subject: text, html: `<p>${text}</p>`, text }
  return {
    id,
    hash: `${id}-1`,
    channels: {
      email: { sensitivity: 'neutral', variables, content: { nl: email } },
      sms: { sensitivity: 'neutral', variables, content: { nl: { text } } },
    },
  }
}
