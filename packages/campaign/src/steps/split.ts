import { z } from 'zod'
import { fractionOf } from '../chance.ts'
import { identifierSchema } from '../definition/words.ts'
import { type Draft, noteOf } from '../draft.ts'
import type { Enrolment } from '../state.ts'
import type { Step } from './step.ts'
import type { StepKind } from './step-kind.ts'

export type SplitStep = {
  split: { id: string; arms: { name: string; weight: number; steps?: Step[] | undefined }[] }
}

export const splitStep: StepKind<SplitStep> = {
  key: 'split',
  meaning:
    'Divides people over arms in proportion to their weights, to learn which works better. It hangs on who the person is and not on chance: the same person comes into the same arm of this split every time, in every version that has the same arms with the same weights. A run keeps the arm that it has taken, also when it comes here again, is moved to another version that still has that arm, or when two records become one person. Another version with other weights draws other boundaries, for who comes to the split from then on: the place of a person between them stays, so from 50 and 50 to 60 and 40 ten of a hundred come into the other arm. An arm without `steps` is a hold-out: its people get none of this, and are counted beside the others.',
  shortest: {
    split: {
      id: 'tone',
      arms: [
        { name: 'warm', weight: 50, steps: [{ end: true }] },
        { name: 'plain', weight: 50 },
      ],
    },
  },
  explanation: {
    nl: ({ split }, { detail }) =>
      `kwam deze persoon bij de verdeling "${split.id}" in groep "${String(detail?.arm)}"`,
    en: ({ split }, { detail }) =>
      `the person came into arm "${String(detail?.arm)}" of the split "${split.id}"`,
  },
  schema: (steps) =>
    z.strictObject({
      split: z
        .strictObject({
          id: identifierSchema.describe(
            'How later conditions name it (`enrolment.<id>.arm`); once in a campaign.',
          ),
          arms: z
            .array(
              z.strictObject({
                name: identifierSchema.describe('What reports and conditions call the arm.'),
                weight: z
                  .number()
                  .int()
                  .min(1)
                  .max(1_000_000)
                  .describe('How many of all weights together go this way, such as 90 of 100.'),
                steps: steps.optional().describe('What happens to them; without it, nothing.'),
              }),
            )
            .min(2)
            .refine(
              (arms) => new Set(arms.map(({ name }) => name)).size === arms.length,
              'expected arms with different names',
            )
            .describe('The arms; everybody is in one of them.'),
        })
        .describe('Which people go which way.'),
    }),
  parts: ({ split }) => ({
    id: { name: split.id, path: ['split', 'id'] },
    divides: { split: split.id, arms: split.arms.map(({ name }) => name) },
    arms: split.arms.map(({ name, steps }, index) => ({
      path: ['split', 'arms', index, 'steps'],
      label: name,
      when: null,
      steps: steps ?? [],
    })),
    fields: [
      [
        `${split.id}.arm`,
        {
          type: 'text',
          sensitivity: 'neutral',
          required: false,
          values: split.arms.map(({ name }) => name),
          label: {
            nl: `groep bij de verdeling "${split.id}"`,
            en: `arm of the split "${split.id}"`,
          },
        },
      ],
    ],
  }),
  decide({ split }, { draft, enrolment, node }) {
    const arm = armOf(split, draft, enrolment)
    // What was decided is forgotten one day, and who was in which arm is counted for as long as the run is kept.
    draft.enrolments.set(enrolment.enrolmentId, {
      ...enrolment,
      arms: { ...enrolment.arms, [split.id]: arm },
    })
    noteOf(draft, enrolment, 'split_taken', { detail: { step: node.path, split: split.id, arm } })
    const taken = split.arms.findIndex(({ name }) => name === arm)
    return { goTo: node.arms[taken]?.first ?? node.next }
  },
  // Also one that this version does not have any more: that is what they got.
  read: ({ split }, _, { draft, enrolment }) =>
    takenOf(split, enrolment) ?? armOf(split, draft, enrolment),
}

function takenOf({ id }: SplitStep['split'], { arms = {} }: Enrolment): string | undefined {
  return Object.hasOwn(arms, id) ? arms[id] : undefined
}

/** The arm that the run has taken, in whatever version, if there is such a one here; else the one drawn for it. */
function armOf(split: SplitStep['split'], draft: Draft, enrolment: Enrolment): string {
  const taken = takenOf(split, enrolment)
  if (taken !== undefined && split.arms.some(({ name }) => name === taken)) return taken
  return drawnOf(split, enrolment.campaignId, dividedBy(draft, enrolment))
}

/** Who was in an arm when two records became one stays in it for as long as the run goes on. */
function dividedBy({ person: { personId } }: Draft, { dividedAs = personId }: Enrolment): string {
  return dividedAs
}

/** By the id of the person, so that it is the same one each time. */
function drawnOf({ id, arms }: SplitStep['split'], campaignId: string, personId: string): string {
  const whole = arms.reduce((sum, { weight }) => sum + weight, 0)
  let left = fractionOf(`split/${campaignId}/${id}/${personId}`) * whole
  const drawn = arms.find(({ weight }) => {
    left -= weight
    return left < 0
  })
  return drawn?.name ?? ''
}
