/**
 * Why an attempt at a message did not end with a plain yes, in a sentence: the codes that channels, workers and
 * the sweep of leases write down. A provider of your own may write others; they are told as they are.
 */
type Told = { readonly en: string; readonly nl: string }
export type AttemptLanguage = keyof Told

const exact: Readonly<Record<string, Told>> = {
  lease_expired: {
    en: 'the worker that had it never came back',
    nl: 'de werker die het had kwam niet terug',
  },
  lease_passed: {
    en: 'the worker was too late to send it',
    nl: 'de werker was te laat om het te versturen',
  },
  claim_unanswered: {
    en: 'the database did not answer, so the worker gave it back',
    nl: 'de database gaf geen antwoord, dus de werker gaf het terug',
  },
  shutting_down: { en: 'the worker was stopping', nl: 'de werker was aan het stoppen' },
  templates_unavailable: {
    en: 'the templates could not be read just then',
    nl: 'de sjablonen waren net niet te lezen',
  },
  provider_paused: {
    en: 'nothing is given to the provider for a while, since it failed or asked for time',
    nl: 'de aanbieder krijgt even niets, omdat die faalde of om tijd vroeg',
  },
  no_end: { en: 'the channel came to no end', nl: 'het kanaal kwam niet tot een einde' },
  channel_failed: { en: 'the channel itself failed', nl: 'het kanaal zelf faalde' },
  template_unknown: {
    en: 'there is no such version of its template',
    nl: 'die versie van het sjabloon is er niet',
  },
  template_unreadable: {
    en: 'its stored text cannot be read; applying the definition again puts it back',
    nl: 'de opgeslagen tekst is niet te lezen; de definitie opnieuw toepassen zet die terug',
  },
  channel_not_defined: {
    en: 'channels.yaml has no such channel',
    nl: 'channels.yaml kent dat kanaal niet',
  },
  compose_failed: {
    en: 'the message could not be made',
    nl: 'het bericht kon niet worden gemaakt',
  },
  template_failed: { en: 'its text could not be made', nl: 'de tekst kon niet worden gemaakt' },
  template_variable_missing: {
    en: 'its text needs something that is not known of the person',
    nl: 'de tekst heeft iets nodig dat van de persoon niet bekend is',
  },
  template_content_missing: {
    en: 'its template has no text for this channel',
    nl: 'het sjabloon heeft geen tekst voor dit kanaal',
  },
  template_output_refused: {
    en: 'the text that came out may not be sent',
    nl: 'de tekst die eruit kwam mag niet worden verstuurd',
  },
  sender_invalid: {
    en: 'the sender in channels.yaml is none for this channel',
    nl: 'de afzender in channels.yaml deugt niet voor dit kanaal',
  },
  mailbox_invalid: { en: 'the e-mail address is none', nl: 'het e-mailadres deugt niet' },
  number_invalid: { en: 'the phone number is none', nl: 'het telefoonnummer deugt niet' },
  message_id_invalid: {
    en: 'it would have no Message-ID that a mail server takes',
    nl: 'het zou geen Message-ID hebben dat een mailserver aanneemt',
  },
  header_invalid: {
    en: 'its subject has a sign that no header may have',
    nl: 'het onderwerp heeft een teken dat niet in een kop mag',
  },
  smtp_unsendable: {
    en: 'no mail server would take it as it is, such as for its size',
    nl: 'geen mailserver zou het zo aannemen, bijvoorbeeld om de omvang',
  },
  app_inbox_unavailable: {
    en: 'the inbox of the app was away',
    nl: 'de inbox van de app was er niet',
  },
  app_inbox_no_answer: {
    en: 'the inbox of the app gave no answer',
    nl: 'de inbox van de app gaf geen antwoord',
  },
  app_inbox_refused: {
    en: 'the inbox of the app refused it',
    nl: 'de inbox van de app weigerde het',
  },
  app_aborted: { en: 'it was broken off', nl: 'het werd afgebroken' },
  silent_aborted: { en: 'it was broken off', nl: 'het werd afgebroken' },
}

const notOfChannel: Told = {
  en: 'what was made is nothing for this channel',
  nl: 'wat is gemaakt is niets voor dit kanaal',
}

const providers: Readonly<Record<string, Told>> = {
  smtp: { en: 'the mail server', nl: 'de mailserver' },
  sms: { en: 'the SMS provider', nl: 'de sms-aanbieder' },
}

/** What went wrong on the way to a provider. */
const onTheWay: Readonly<Record<string, (who: Told) => Told>> = {
  aborted: () => ({ en: 'it was broken off', nl: 'het werd afgebroken' }),
  closed: (who) => ({
    en: `the connection to ${who.en} was closed`,
    nl: `de verbinding met ${who.nl} was gesloten`,
  }),
  connection_lost: (who) => ({
    en: `the connection to ${who.en} was lost`,
    nl: `de verbinding met ${who.nl} viel weg`,
  }),
  connection_refused: (who) => ({
    en: `${who.en} took no connection`,
    nl: `${who.nl} nam geen verbinding aan`,
  }),
  dns_failed: (who) => ({ en: `${who.en} was not found`, nl: `${who.nl} werd niet gevonden` }),
  failed: (who) => ({
    en: `the call to ${who.en} failed`,
    nl: `de aanroep van ${who.nl} mislukte`,
  }),
  login_failed: (who) => ({
    en: `${who.en} refused our login`,
    nl: `${who.nl} weigerde onze aanmelding`,
  }),
  protocol_error: (who) => ({
    en: `${who.en} answered something that is no answer`,
    nl: `${who.nl} antwoordde iets dat geen antwoord is`,
  }),
  timed_out: (who) => ({
    en: `${who.en} took too long`,
    nl: `${who.nl} deed er te lang over`,
  }),
  tls_failed: (who) => ({
    en: `no safe connection to ${who.en} could be made`,
    nl: `er kwam geen veilige verbinding met ${who.nl} tot stand`,
  }),
}

/** `reason` as it stands in the record of an attempt; one that nobody here knows is given back. */
export function attemptReasonText(reason: string, language: AttemptLanguage = 'en'): string {
  const known = Object.hasOwn(exact, reason) ? exact[reason] : ofProvider(reason)
  return known?.[language] ?? reason
}

function ofProvider(reason: string): Told | undefined {
  if (/^not_(an?_|for_)/.test(reason)) return notOfChannel
  const [, name = '', rest = ''] = /^(smtp|sms)_(.+)$/.exec(reason) ?? []
  const who = providers[name]
  if (!who) return undefined
  if (/^\d{3}$/.test(rest))
    return { en: `${who.en} answered ${rest}`, nl: `${who.nl} antwoordde ${rest}` }
  return Object.hasOwn(onTheWay, rest) ? onTheWay[rest]?.(who) : undefined
}
