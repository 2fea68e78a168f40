import type { ReservedType } from '../reserved-types.ts'
import type { InEachLanguage } from './words.ts'

/** What the types of events are called whose meaning is Wegwijs' own. */
export const reservedNames: Readonly<Record<ReservedType, InEachLanguage<string>>> = {
  'consent.granted.v1': { nl: 'Toestemming gegeven', en: 'Consent given' },
  'consent.withdrawn.v1': { nl: 'Toestemming ingetrokken', en: 'Consent withdrawn' },
  'message.answered.v1': { nl: 'Vraag beantwoord', en: 'Question answered' },
  'message.bounced.v1': { nl: 'Bericht niet aangekomen', en: 'Receipt: bounced' },
  'message.clicked.v1': { nl: 'Link in het bericht gevolgd', en: 'Receipt: clicked' },
  'message.complained.v1': { nl: 'Klacht over het bericht', en: 'Receipt: complained' },
  'message.delivered.v1': { nl: 'Bericht bezorgd', en: 'Receipt: delivered' },
  'message.opened.v1': { nl: 'Bericht geopend', en: 'Receipt: opened' },
  'message.replied.v1': { nl: 'Antwoord op het bericht', en: 'Receipt: replied' },
  'message.sent.v1': { nl: 'Bericht verstuurd', en: 'Receipt: sent' },
  'person.deceased.v1': { nl: 'Overlijden', en: 'Death' },
  'person.enrolled.v1': { nl: 'Met de hand toegevoegd', en: 'Put in by hand' },
  'person.identified.v1': { nl: 'Ander nummer gekoppeld', en: 'Another id linked' },
  'person.merged.v1': { nl: 'Dossiers samengevoegd', en: 'Records merged' },
  'task.done.v1': { nl: 'Taak gedaan', en: 'Task done' },
  'relation.ended.v1': { nl: 'Relatie beëindigd', en: 'Relation ended' },
  'relation.granted.v1': { nl: 'Relatie vastgelegd', en: 'Relation granted' },
  'person.upserted.v1': {
    nl: 'Wat er van de persoon bekend is',
    en: 'What is known of the person',
  },
}
