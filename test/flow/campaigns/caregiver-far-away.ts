import { type Happening, type Stories, senior } from '../src/story.ts'

const admitted = 'care.admission.started.v1'

/** A daughter who reads English, and whom the patient lets hear of the care. */
function daughterOf(subject: string): Happening[] {
  const daughter = `${subject}-daughter`
  return [
    {
      at: '03-02 09:00',
      type: 'person.upserted.v1',
      subject: daughter,
      data: {
        givenName: 'Anna',
        locale: 'en',
        timeZone: 'America/New_York',
        contacts: { email: `${daughter}@example.org` },
      },
    },
    {
      at: '03-02 09:05',
      type: 'relation.granted.v1',
      data: {
        idSpace: 'ehr',
        externalId: daughter,
        kind: 'caregiver',
        scope: ['appointments', 'care'],
      },
    },
  ]
}

export const caregiverFarAway: Stories = {
  campaign: 'caregiver-far-away',
  stories: {
    'a daughter hears of the admission and of going home, in her language': {
      given: senior,
      when: [
        ...daughterOf('caregiver-far-away-1'),
        { at: '03-02 14:05', type: admitted },
        { at: '03-09 11:00', type: 'care.discharge.completed.v1', data: { destination: 'home' } },
      ],
      outcome: [
        '03-02 16:05 email admitted delivered "A message to you who follow from afar"',
        '03-09 11:00 email going-home delivered "Going home"',
      ],
    },
    'nothing any more when the patient takes it back': {
      given: senior,
      when: [
        ...daughterOf('caregiver-far-away-2'),
        { at: '03-02 14:05', type: admitted },
        {
          at: '03-02 15:00',
          type: 'relation.ended.v1',
          data: { idSpace: 'ehr', externalId: 'caregiver-far-away-2-daughter', kind: 'caregiver' },
        },
      ],
      outcome: ['03-02 16:05 admitted skipped relation_ended'],
    },
  },
}
