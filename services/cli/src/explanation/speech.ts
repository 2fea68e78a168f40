import { listed } from '@wegwijs/campaign/explain/asked'
import type { InEachLanguage } from '@wegwijs/campaign/explain/words'

/** What an explanation says around its decisions, in one language. */
export type ExplanationSpeech = Readonly<{
  and: string
  thereupon: string
  because: (what: string) => string
  cameIn: (moment: string, what: string, from: string) => string
  about: (entity: string, version: number) => string
  /** Which of several runs of one campaign is meant. */
  runAbout: (entity: string) => string
  runSince: (moment: string) => string
  happenedAt: (moment: string) => string
  notApplied: (why: string) => string
  didNotLook: (campaign: string) => string
  itWaits: (forWhat: string) => string
  personas: (wanted: readonly string[], is: string) => string
  wouldHave: (what: string) => string
  differs: (what: string) => string
  never: (campaign: string, waits: string) => string
  notMeant: Readonly<Record<'goal' | 'exit' | 'wait', string>>
  ofAnother: string
  conditionFailed: (what: string) => string
  tooLate: string
  attempts: Readonly<Record<string, (message: string, channel: string) => string>>
  delivered: (message: string) => string
  bounced: (message: string) => string
  notSent: (message: string, why: string, channels: string) => string
  waits: (message: string, due: string, until: string) => string
  heldBack: (why: string) => string
  channels: Readonly<Record<string, string>>
  whatToDo: string
  /** Of a part that the decision did not look at any more. */
  notReached: string
  all: string
  any: string
  not: string
  labels: Readonly<Record<string, string>>
  /** An arm of a step, by what the reference calls it: `arm 1`. */
  arm: (label: string) => string
  leftOut: string
  fieldsOfNow: string
  unreadable: (version: number) => string
  inForceUnreadable: string
  notDecidedAgain: string
  /** What is on record of a decision, and cannot be read. */
  unreadableDecision: { told: (reason: string) => string; whatToDo: string }
  person: Readonly<{
    person: string
    test: string
    knownAs: string
    nobody: string
    persona: string
    none: string
    everything: string
    died: string
    stopped: (kind: string, since: string, reason: string, what: string) => string
  }>
}>

export const explanationSpeeches: InEachLanguage<ExplanationSpeech> = {
  nl: {
    and: ' en ',
    thereupon: 'Daarop',
    because: (what) => `, want ${what}`,
    cameIn: (moment, what, from) => `Op ${moment} kwam binnen: ${what} (gemeld door ${from})`,
    about: (entity, version) => `, over ${entity} versie ${version}`,
    runAbout: (entity) => ` (voor ${entity})`,
    runSince: (moment) => ` (begonnen op ${moment})`,
    happenedAt: (moment) => ` (gebeurd op ${moment})`,
    notApplied: (why) => `; dat veranderde niets, want ${why}`,
    didNotLook: (campaign) => `De campagne ${campaign} keek hier niet naar`,
    itWaits: (forWhat) => `zij ${forWhat}`,
    personas: (wanted, is) => `zij is voor ${listed(wanted, 'en')}, en deze persoon was toen ${is}`,
    wouldHave: (what) =>
      `nagerekend met wat er nu bekend is, had zij dat wel gedaan (${what}); toen lag er dus iets anders vast`,
    differs: (what) =>
      `(Dit is wat er toen is besloten. Nagerekend met wat er nu nog bekend is, komt er iets anders uit${what === '' ? '' : `: ${what}`}; waarom het toen zo was, valt niet meer na te gaan.)`,
    never: (campaign, waits) =>
      `De campagne ${campaign} is voor deze persoon nooit begonnen: zij ${waits}, en dat is niet gebeurd`,
    notMeant: {
      goal: 'Dit telde niet als het doel van de campagne',
      exit: 'De campagne eindigde hier niet door',
      wait: 'De campagne bleef wachten',
    },
    ofAnother: 'het ging over een andere afspraak of opname',
    conditionFailed: (what) => `de voorwaarde klopte niet, want ${what}`,
    tooLate: 'het kwam niet binnen de tijd die ervoor staat',
    attempts: {
      accepted: (message, channel) => `is het bericht ${message} ${channel} verstuurd`,
      refused: (message, channel) =>
        `heeft de verzenddienst het bericht ${message} ${channel} geweigerd`,
      deferred: (message, channel) =>
        `kon de verzenddienst het bericht ${message} ${channel} niet aannemen en werd het uitgesteld`,
      unknown: (message, channel) =>
        `is het bericht ${message} ${channel} aangeboden, maar kwam er geen antwoord van de verzenddienst`,
      not_started: (message, channel) =>
        `is het versturen van het bericht ${message} ${channel} niet begonnen`,
    },
    delivered: (message) => `was het bericht ${message} bezorgd`,
    bounced: (message) => `bleek het bericht ${message} niet te zijn aangekomen`,
    notSent: (message, why, channels) =>
      `is het bericht ${message} niet verstuurd: ${why}${channels}`,
    waits: (message, due, until) =>
      `Het bericht ${message} staat klaar voor ${due}; versturen heeft zin tot ${until}`,
    heldBack: (why) => `; wat het het laatst tegenhield: ${why}`,
    channels: { email: 'per e-mail', sms: 'per sms', app: 'in de app' },
    whatToDo: 'Wat je kunt doen',
    notReached: 'niet meer bekeken, de uitkomst stond al vast',
    all: 'dit alles:',
    any: 'minstens één hiervan:',
    not: 'dit juist niet:',
    labels: {
      trigger: 'begin',
      audience: 'doelgroep',
      goal: 'doel',
      exit: 'einde',
      wait: 'wachten',
    },
    arm: (label) => label.replace(/^arm /, 'weg ').replace('otherwise', 'anders'),
    unreadable: (version) =>
      `versie ${version} kan deze Wegwijs niet lezen; wat is vastgelegd staat er, wat haar voorwaarden zagen niet`,
    inForceUnreadable:
      'Wat nu geldt kan niet worden gelezen; de namen zijn die van wat daarvoor gold',
    notDecidedAgain:
      'Niets is nagerekend: niet alles waarmee is beslist kan deze Wegwijs lezen. Wat is vastgelegd, staat er.',
    leftOut: 'Gezondheidsgegevens zijn weggelaten. Met --health staan ze erbij.',
    fieldsOfNow:
      'Gegevens van de persoon zelf (zoals leeftijd) worden niet bewaard zoals ze waren: waar een beslissing is nagerekend, staan ze er zoals ze nu bekend zijn.',
    unreadableDecision: {
      told: (reason) => `is iets besloten dat deze Wegwijs niet kan lezen ("${reason}")`,
      whatToDo: 'vraag het na met de Wegwijs die dit heeft besloten',
    },
    person: {
      person: 'persoon',
      test: 'een test',
      knownAs: 'bekend als',
      nobody: 'niemand',
      persona: 'persona',
      none: 'geen',
      everything: 'alles',
      died: 'overleden op',
      stopped: (kind, since, reason, what) =>
        `stopgezet (${kind}) sinds ${since}: ${reason}; ${what}`,
    },
  },
  en: {
    and: ' and ',
    thereupon: 'Then',
    because: (what) => `, because ${what}`,
    cameIn: (moment, what, from) => `On ${moment} this came in: ${what} (told by ${from})`,
    about: (entity, version) => `, about ${entity} version ${version}`,
    runAbout: (entity) => ` (for ${entity})`,
    runSince: (moment) => ` (begun on ${moment})`,
    happenedAt: (moment) => ` (it happened on ${moment})`,
    notApplied: (why) => `; it changed nothing, because ${why}`,
    didNotLook: (campaign) => `The campaign ${campaign} did not look at it`,
    itWaits: (forWhat) => `it ${forWhat}`,
    personas: (wanted, is) => `it is for ${listed(wanted, 'and')}, and the person was ${is} then`,
    wouldHave: (what) =>
      `worked out again with what is known now, it would have done so (${what}); something else was on record then`,
    differs: (what) =>
      `(This is what was decided then. Worked out again with what is still known, it comes out otherwise${what === '' ? '' : `: ${what}`}; why it was so then cannot be found out any more.)`,
    never: (campaign, waits) =>
      `The campaign ${campaign} never began for the person: it ${waits}, and that has not happened`,
    notMeant: {
      goal: 'This did not count as the goal of the campaign',
      exit: 'The campaign did not end by this',
      wait: 'The campaign went on waiting',
    },
    ofAnother: 'it was about another appointment or stay',
    conditionFailed: (what) => `the condition did not hold, because ${what}`,
    tooLate: 'it did not come within its time',
    attempts: {
      accepted: (message, channel) => `the message ${message} was sent ${channel}`,
      refused: (message, channel) => `the provider refused the message ${message} ${channel}`,
      deferred: (message, channel) =>
        `the provider could not take the message ${message} ${channel}, and it was put off`,
      unknown: (message, channel) =>
        `the message ${message} was handed over ${channel}, but no answer came from the provider`,
      not_started: (message, channel) =>
        `the sending of the message ${message} ${channel} did not start`,
    },
    delivered: (message) => `the message ${message} had been delivered`,
    bounced: (message) => `the message ${message} turned out not to have arrived`,
    notSent: (message, why, channels) => `the message ${message} was not sent: ${why}${channels}`,
    waits: (message, due, until) =>
      `The message ${message} is due on ${due}; it is worth sending until ${until}`,
    heldBack: (why) => `; what held it back last: ${why}`,
    channels: { email: 'by e-mail', sms: 'by SMS', app: 'in the app' },
    whatToDo: 'What you can do',
    notReached: 'not looked at any more, it was settled before',
    all: 'all of these:',
    any: 'at least one of these:',
    not: 'not this:',
    labels: { trigger: 'trigger', audience: 'audience', goal: 'goal', exit: 'exit', wait: 'wait' },
    arm: (label) => label,
    unreadable: (version) =>
      `version ${version} cannot be read by this Wegwijs; what is on record is told, what its conditions saw is not`,
    inForceUnreadable:
      'What is in force cannot be read; names are those of what was in force before it',
    notDecidedAgain:
      'Nothing was worked out again: not all by which it was decided can be read by this Wegwijs. What is on record is told.',
    leftOut: 'What tells of health was left out. With --health it is shown.',
    fieldsOfNow:
      'What is known of the person (such as age) is not kept as it was: where a decision was worked out again, it stands there as it is known now.',
    unreadableDecision: {
      told: (reason) => `something was decided that this Wegwijs cannot read ("${reason}")`,
      whatToDo: 'ask the Wegwijs that decided it',
    },
    person: {
      person: 'person',
      test: 'a test',
      knownAs: 'known as',
      nobody: 'nobody',
      persona: 'persona',
      none: 'none',
      everything: 'everything',
      died: 'died on',
      stopped: (kind, since, reason, what) =>
        `stopped (${kind}) since ${since}: ${reason}; ${what}`,
    },
  },
}
