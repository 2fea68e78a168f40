import type { InEachLanguage } from './explain/words.ts'

/** What a reason means, as the end of a sentence ("…: the person has died"), and what can be done. */
export type Reason = { text: InEachLanguage<string>; whatToDo: InEachLanguage<string> }

const nothing = { nl: 'niets', en: 'nothing' }

/**
 * Why something was, or was not, done: the one closed list (P4). Every event, decision and message
 * carries one of these codes; `whatToDo` is for the person who reads it.
 */
const list = {
  already_entered: {
    text: {
      nl: 'deze persoon heeft de campagne al zo vaak gehad als is toegestaan',
      en: 'the person has been through this campaign as often as its entry rule allows',
    },
    whatToDo: {
      nl: 'niets; pas de regel "entry" van de campagne aan als iemand haar vaker mag krijgen',
      en: 'nothing; change the entry rule of the campaign if it should repeat',
    },
  },
  answer_of_older: {
    text: {
      nl: 'het is een antwoord op een vraag over een oudere versie van de afspraak of opname',
      en: 'it answers what was asked of an older version of the appointment or stay',
    },
    whatToDo: {
      nl: 'niets; over de nieuwe wordt het opnieuw gevraagd, of een campagne vertelt van de wijziging',
      en: 'nothing; of the newer one it is asked again, or a campaign tells of the change',
    },
  },
  answer_repeated: {
    text: {
      nl: 'een ander antwoord op dezelfde vraag telde al',
      en: 'another answer to the same question had counted before',
    },
    whatToDo: { nl: 'niets; het eerste antwoord telt', en: 'nothing; the first answer counts' },
  },
  answer_too_late: {
    text: {
      nl: 'de campagne wacht niet meer op een antwoord op deze vraag',
      en: 'the campaign does not wait any more for an answer to this question',
    },
    whatToDo: {
      nl: 'niets; verhoog "within" van de stap als dat te kort is',
      en: 'nothing; raise "within" of the step if that is too soon',
    },
  },
  answer_unclear: {
    text: {
      nl: 'de ontvanger schreef iets terug dat geen van de antwoorden is',
      en: 'the recipient wrote something back that is none of the answers',
    },
    whatToDo: {
      nl: 'niets; de vraag blijft open, geef meer woorden als dit vaak gebeurt',
      en: 'nothing; the question stays open, give more words if this happens often',
    },
  },
  answer_unknown: {
    text: { nl: 'de vraag kent dit antwoord niet', en: 'the question has no such answer' },
    whatToDo: {
      nl: 'kijk na wat de verzenddienst meldt',
      en: 'check what the provider reports',
    },
  },
  answered: {
    text: { nl: 'de vraag is beantwoord', en: 'the question was answered' },
    whatToDo: nothing,
  },
  applied: {
    text: { nl: 'de gebeurtenis is verwerkt', en: 'the event was applied' },
    whatToDo: nothing,
  },
  at_once: {
    text: {
      nl: 'deze persoon zit al in deze campagne, of krijgt er nog een bericht van, zo vaak tegelijk als is toegestaan',
      en: 'the person is in this campaign already, or has still a message to come from it, as often at the same time as it allows',
    },
    whatToDo: {
      nl: 'niets; verhoog "atOnce" van de campagne als het vaker tegelijk mag',
      en: 'nothing; raise atOnce of the campaign if there may be more',
    },
  },
  attribute_otherwise: {
    text: {
      nl: 'het gegeven is veranderd, maar niet van of naar de waarde waar de campagne op wacht',
      en: 'the field changed, but not from or to the value that the campaign waits for',
    },
    whatToDo: nothing,
  },
  awaited_after_all: {
    text: {
      nl: 'het bericht waarvoor dit in de plaats kwam, is alsnog aangekomen',
      en: 'the message in whose place it came arrived after all',
    },
    whatToDo: nothing,
  },
  awaited_open: {
    text: {
      nl: 'van het bericht waarvoor dit in de plaats komt, is nog niet bekend of het is verstuurd',
      en: 'it is not known yet whether the message in whose place it comes was sent',
    },
    whatToDo: {
      nl: 'zie of dat bericht wordt vastgehouden ("wegwijs messages held"), en verstuur of sluit het',
      en: 'see whether that message is held ("wegwijs messages held"), and resend or close it',
    },
  },
  awaited_came: {
    text: {
      nl: 'waar de campagne op wachtte, is gekomen',
      en: 'what the campaign waited for came',
    },
    whatToDo: nothing,
  },
  awaited_not_in_time: {
    text: {
      nl: 'waar de campagne op wachtte, is niet op tijd gekomen',
      en: 'what the campaign waited for did not come in time',
    },
    whatToDo: {
      nl: 'niets; verhoog "within" van de stap als dat te kort is',
      en: 'nothing; raise "within" of the step if that is too soon',
    },
  },
  bounced: {
    text: {
      nl: 'de verzenddienst meldt dat het niet kon worden bezorgd',
      en: 'the provider reports that it could not be delivered',
    },
    whatToDo: { nl: 'verbeter het adres of nummer', en: 'correct the address' },
  },
  branch_taken: {
    text: { nl: 'er is een weg van een vertakking gekozen', en: 'an arm of a branch was taken' },
    whatToDo: nothing,
  },
  budget_used: {
    text: {
      nl: 'deze persoon heeft al zoveel berichten gehad als het contactbudget toestaat',
      en: 'the person has had as much as the contact budget allows',
    },
    whatToDo: {
      nl: 'niets; het gaat uit als er weer ruimte is, tenzij het dan te laat is',
      en: 'nothing; it goes out when there is room again, unless it is too late by then',
    },
  },
  campaign_not_live: {
    text: {
      nl: 'de campagne stond niet aan toen de gebeurtenis binnenkwam',
      en: 'the campaign was not live when the event came',
    },
    whatToDo: {
      nl: 'niets; een campagne kijkt alleen naar wat er gebeurt terwijl zij aanstaat',
      en: 'nothing; a campaign looks only at what happens while it is live',
    },
  },
  campaign_stopped: {
    text: { nl: 'de campagne is stilgezet', en: 'the campaign is stopped' },
    whatToDo: {
      nl: 'hervat haar met "wegwijs resume campaign" als de reden voorbij is',
      en: 'resume it with "wegwijs resume campaign" when the reason is gone',
    },
  },
  channel_stopped: {
    text: { nl: 'het kanaal is stilgezet', en: 'the channel is stopped' },
    whatToDo: {
      nl: 'hervat het met "wegwijs resume channel" als de reden voorbij is',
      en: 'resume it with "wegwijs resume channel" when the reason is gone',
    },
  },
  closed_by_staff: {
    text: {
      nl: 'een medewerker heeft het afgesloten na navraag bij de verzenddienst',
      en: 'a member of staff closed it, having asked the provider',
    },
    whatToDo: {
      nl: 'niets; wie het deed en waarom staat erbij',
      en: 'nothing; who and why stands beside it',
    },
  },
  complained: {
    text: { nl: 'de ontvanger heeft geklaagd', en: 'the recipient complained' },
    whatToDo: {
      nl: 'niets; marketing over dit kanaal is gestopt',
      en: 'nothing; marketing over this channel has ended',
    },
  },
  completed: {
    text: { nl: 'alle stappen zijn doorlopen', en: 'all steps were gone through' },
    whatToDo: nothing,
  },
  condition_false: {
    text: {
      nl: 'deze persoon hoort niet bij de doelgroep',
      en: 'the condition of the audience does not hold',
    },
    whatToDo: {
      nl: 'niets; verruim de doelgroep van de campagne als deze persoon erbij hoort',
      en: 'nothing; widen the audience of the campaign if the person belongs to it',
    },
  },
  consent_import_yields: {
    text: {
      nl: 'een ingelezen toestemming heft niet op wat deze persoon zelf heeft gezegd',
      en: 'an imported consent does not lift what the person said',
    },
    whatToDo: {
      nl: 'niets; alleen de persoon zelf kan weer toestemming geven',
      en: 'nothing; only the person can give consent again',
    },
  },
  consent_missing: {
    text: {
      nl: 'hiervoor is toestemming nodig, en die heeft deze persoon niet gegeven',
      en: 'this needs a consent that the person has not given',
    },
    whatToDo: {
      nl: 'vraag op een andere manier om toestemming, nooit met een bericht',
      en: 'ask for consent in another way; never by message',
    },
  },
  consent_not_newer: {
    text: {
      nl: 'er is al een latere toestemming of afmelding bekend',
      en: 'a newer consent or withdrawal is known',
    },
    whatToDo: {
      nl: 'niets; kijk het systeem na dat dit meldt als het vaak gebeurt',
      en: 'nothing; check the publisher if this happens often',
    },
  },
  consent_withdrawn: {
    text: { nl: 'deze persoon wil dit niet', en: 'the person does not want this' },
    whatToDo: {
      nl: 'niets; alleen de persoon zelf kan dat veranderen',
      en: 'nothing; only the person can change it',
    },
  },
  contact_missing: {
    text: {
      nl: 'er is voor dit kanaal geen adres of nummer bekend',
      en: 'no address for this channel is known',
    },
    whatToDo: {
      nl: 'laat het bronsysteem het adres sturen met person.upserted.v1',
      en: 'have the publisher send person.upserted.v1 with the address',
    },
  },
  contact_refused: {
    text: {
      nl: 'volgens de verzenddienst komt op dit adres of nummer niets aan',
      en: 'a provider said that nothing arrives at this address',
    },
    whatToDo: {
      nl: 'laat het bronsysteem het juiste adres sturen',
      en: 'have the publisher send the right address',
    },
  },
  date_after_all: {
    text: {
      nl: 'de datum waarvoor de campagne begon, staat er weer',
      en: 'the date for which it began is back',
    },
    whatToDo: nothing,
  },
  date_moved: {
    text: {
      nl: 'de datum waarvoor de campagne begon, is verschoven',
      en: 'the date for which it began has moved',
    },
    whatToDo: {
      nl: 'niets; de campagne begint opnieuw als de nieuwe datum komt',
      en: 'nothing; the campaign begins again when the new date comes',
    },
  },
  delivered: {
    text: { nl: 'de verzenddienst meldt dat het is bezorgd', en: 'the provider reports delivery' },
    whatToDo: nothing,
  },
  enrolled: {
    text: { nl: 'deze persoon is in de campagne gekomen', en: 'the person entered the campaign' },
    whatToDo: nothing,
  },
  entity_after_all: {
    text: {
      nl: 'de afspraak of opname gaat toch door',
      en: 'the appointment or stay takes place after all',
    },
    whatToDo: nothing,
  },
  entity_not_newer: {
    text: {
      nl: 'van deze afspraak of opname is al een even nieuwe of nieuwere versie bekend',
      en: 'an equal or newer version of this appointment or stay is known',
    },
    whatToDo: {
      nl: 'niets; kijk het systeem na dat dit meldt als het vaak gebeurt',
      en: 'nothing; check the publisher if this happens often',
    },
  },
  entity_superseded: {
    text: {
      nl: 'er is een nieuwere versie van de afspraak of opname voor in de plaats gekomen',
      en: 'a newer version of the appointment or stay replaced it',
    },
    whatToDo: {
      nl: 'niets; voor de nieuwe versie wordt apart ingepland',
      en: 'nothing; the new version has plans of its own',
    },
  },
  entity_unapplied: {
    text: {
      nl: 'een nieuwere versie van de afspraak of opname kon nog niet worden verwerkt',
      en: 'a newer version of the appointment or stay could not be applied yet',
    },
    whatToDo: {
      nl: 'herstel wat de dead letter noemt ("wegwijs dead-letters list"), en speel die opnieuw af',
      en: 'mend what the dead letter names ("wegwijs dead-letters list"), and replay it',
    },
  },
  entity_withdrawn: {
    text: {
      nl: 'de afspraak of opname gaat niet door',
      en: 'the appointment or stay was withdrawn',
    },
    whatToDo: nothing,
  },
  event_emitted: {
    text: { nl: 'andere systemen is het verteld', en: 'other systems were told of it' },
    whatToDo: nothing,
  },
  event_incomplete: {
    text: {
      nl: 'er ontbrak een gegeven dat andere systemen is beloofd',
      en: 'something was missing that other systems are promised',
    },
    whatToDo: {
      nl: 'laat de bron het sturen, of maak het in "emits" van touchpoints.yaml niet verplicht',
      en: 'have the publisher send it, or make it optional in "emits" of touchpoints.yaml',
    },
  },
  event_too_old: {
    text: {
      nl: 'de gebeurtenis was bij binnenkomst ouder dan de campagne toelaat',
      en: 'the event was older than the campaign accepts when it arrived',
    },
    whatToDo: {
      nl: 'verhoog "maxAge" van de trigger, of zoek uit waarom het bronsysteem laat is',
      en: 'raise maxAge of the trigger, or find out why the publisher is late',
    },
  },
  exit_touchpoint: {
    text: {
      nl: 'er is iets gebeurd dat de campagne beëindigt',
      en: 'a touchpoint that ends the campaign happened',
    },
    whatToDo: nothing,
  },
  expired: {
    text: {
      nl: 'het was niet meer de moeite waard om te versturen',
      en: 'it was no longer worth sending',
    },
    whatToDo: {
      nl: 'kijk wat het heeft opgehouden, of verhoog "expires"',
      en: 'see what delayed it, or raise expires',
    },
  },
  field_set: {
    text: {
      nl: 'er is iets over deze persoon onthouden',
      en: 'something was remembered about the person',
    },
    whatToDo: nothing,
  },
  field_unknown: {
    text: {
      nl: 'de waarde die onthouden zou worden, is niet bekend',
      en: 'the value that was to be remembered is not known',
    },
    whatToDo: {
      nl: 'niets, of laat de bron het gegeven sturen',
      en: 'nothing, or have the publisher send the field',
    },
  },
  goal_reached: {
    text: {
      nl: 'waar de campagne voor bedoeld is, is gebeurd',
      en: 'what the campaign is for has happened',
    },
    whatToDo: nothing,
  },
  held_out: {
    text: {
      nl: 'deze persoon hoort bij de vergelijkingsgroep, die niets krijgt zodat het effect te meten is',
      en: 'the person belongs to those who get nothing, so that the effect can be measured',
    },
    whatToDo: {
      nl: 'niets; het zijn altijd dezelfde mensen, en wie dat zijn hangt van niets anders af',
      en: 'nothing; it is always the same people, chosen by a hash of who they are',
    },
  },
  held_out_of_all: {
    text: {
      nl: 'deze persoon hoort bij wie van geen enkele campagne van deze klasse iets krijgt, zodat het effect van alle samen te meten is',
      en: 'the person belongs to those who get nothing of any campaign of this class, so that the effect of all of them can be measured',
    },
    whatToDo: {
      nl: 'niets; het zijn altijd dezelfde mensen ("holdOut" in policies.yaml)',
      en: 'nothing; it is always the same people ("holdOut" in policies.yaml)',
    },
  },
  identity_linked: {
    text: {
      nl: 'er is nog een nummer aan deze persoon gekoppeld',
      en: 'another id of the person was linked',
    },
    whatToDo: nothing,
  },
  identity_taken: {
    text: {
      nl: 'dit nummer is al van iemand anders',
      en: 'this id belongs to another person already',
    },
    whatToDo: {
      nl: 'stuur person.merged.v1 als het om één persoon gaat',
      en: 'publish person.merged.v1 if the two are one person',
    },
  },
  merged: {
    text: {
      nl: 'twee dossiers van één persoon zijn samengevoegd',
      en: 'two records of one person became one',
    },
    whatToDo: nothing,
  },
  merged_duplicate: {
    text: {
      nl: 'het andere dossier van dezelfde persoon zat al in deze campagne',
      en: 'the other record of the same person was in this campaign already',
    },
    whatToDo: nothing,
  },
  message_kept: {
    text: {
      nl: 'hetzelfde bericht van de vorige versie is verstuurd of ingepland',
      en: 'the same message of the version before went out, or is planned',
    },
    whatToDo: nothing,
  },
  message_next_channel: {
    text: {
      nl: 'het kon over het vorige kanaal niet worden bezorgd, of niet op tijd',
      en: 'it bounced over the channel before, or was not delivered in time',
    },
    whatToDo: nothing,
  },
  message_planned: {
    text: { nl: 'er is een bericht ingepland', en: 'a message was planned' },
    whatToDo: nothing,
  },
  message_replanned: {
    text: {
      nl: 'er is een bericht opnieuw ingepland, voor het nieuwe moment',
      en: 'a message was planned again for the new moment',
    },
    whatToDo: nothing,
  },
  message_status_known: {
    text: {
      nl: 'een even late of latere status van het bericht is al bekend',
      en: 'an equal or later status of the message is known',
    },
    whatToDo: nothing,
  },
  message_unknown: {
    text: {
      nl: 'de melding gaat over een bericht dat deze persoon nooit heeft gehad',
      en: 'the receipt is about a message that this person never had',
    },
    whatToDo: {
      nl: 'kijk de instellingen van de verzenddienst na',
      en: 'check the configuration of the provider',
    },
  },
  moment_passed: {
    text: { nl: 'het moment ervoor was al voorbij', en: 'the moment for it had already passed' },
    whatToDo: nothing,
  },
  moment_unknown: {
    text: {
      nl: 'het gegeven waar het moment van afhangt ontbreekt',
      en: 'the data that the moment hangs on is missing',
    },
    whatToDo: {
      nl: 'laat het bronsysteem het sturen, en maak het veld verplicht in touchpoints.yaml',
      en: 'have the publisher send it, and make the field required in touchpoints.yaml',
    },
  },
  moved_to_version: {
    text: {
      nl: 'de campagne ging voor deze persoon verder in een nieuwe versie',
      en: 'the campaign went on for this person in a new version',
    },
    whatToDo: {
      nl: 'niets; "move" van de nieuwe versie zegt bij welke stap',
      en: 'nothing; "move" of the new version says at which step',
    },
  },
  no_recipient: {
    text: {
      nl: 'er is niemand die dit bericht mag krijgen',
      en: 'there is nobody who may get this message',
    },
    whatToDo: {
      nl: 'laat het bronsysteem de relatie melden (relation.granted.v1) met de juiste "scope"',
      en: 'have the publisher send relation.granted.v1 with the right scope',
    },
  },
  no_usable_channel: {
    text: {
      nl: 'geen van de kanalen van het bericht was bruikbaar',
      en: 'none of the channels of the message could be used',
    },
    whatToDo: { nl: 'kijk per kanaal waarom', en: 'see why per channel in its detail' },
  },
  not_answered: {
    text: {
      nl: 'de vraag is niet op tijd beantwoord',
      en: 'the question was not answered in time',
    },
    whatToDo: {
      nl: 'niets; verhoog "within" van de stap als dat te kort is',
      en: 'nothing; raise "within" of the step if that is too soon',
    },
  },
  not_tracked: {
    text: {
      nl: 'de klasse van het bericht laat niet toe dat wij bewaren of iemand het opent',
      en: 'the class of the message does not let us keep whether somebody opens it',
    },
    whatToDo: {
      nl: 'zet "tracking: allowed" bij de klasse in policies.yaml, als dat mag',
      en: 'say "tracking: allowed" of the class in policies.yaml, if that is allowed',
    },
  },
  older_version_told: {
    text: {
      nl: 'hetzelfde bericht was net uitgegaan, over de vorige versie van de afspraak of opname',
      en: 'the same message had just gone out, of the older version of the appointment or stay',
    },
    whatToDo: {
      nl: 'niets; een campagne die begint bij een verplaatsing vertelt over de wijziging',
      en: 'nothing; a campaign that starts when it moves tells of the change',
    },
  },
  outcome_unknown: {
    text: {
      nl: 'niemand weet of de verzenddienst het heeft aangenomen',
      en: 'the provider may or may not have accepted it',
    },
    whatToDo: {
      nl: 'vraag het de verzenddienst met het kenmerk, en kies dan "wegwijs messages resend" of "close"; het gaat niet vanzelf nog eens uit',
      en: 'ask the provider by the reference, then "wegwijs messages resend" or "close"; it is not sent again by itself',
    },
  },
  person_deceased: {
    text: { nl: 'deze persoon is overleden', en: 'the person has died' },
    whatToDo: nothing,
  },
  person_merged: {
    text: {
      nl: 'dit dossier is in een ander opgegaan',
      en: 'this record was merged into another',
    },
    whatToDo: { nl: 'kijk bij het andere dossier', en: 'look at the other record' },
  },
  person_stopped: {
    text: {
      nl: 'een medewerker heeft berichten aan deze persoon stilgezet',
      en: 'a member of staff stopped messages to this person',
    },
    whatToDo: {
      nl: 'hervat met "wegwijs resume person" als de reden voorbij is',
      en: 'resume with "wegwijs resume person" when the reason is gone',
    },
  },
  person_unknown: {
    text: {
      nl: 'van deze persoon is niets meer bekend',
      en: 'nothing is known of the person any more',
    },
    whatToDo: {
      nl: 'niets; zonder de persoon valt niets na te gaan, en dus gaat er niets uit',
      en: 'nothing; without the person nothing can be checked, so nothing is sent',
    },
  },
  persona_not_in_audience: {
    text: {
      nl: 'de campagne is niet voor deze persona',
      en: 'the campaign is not for this persona',
    },
    whatToDo: {
      nl: 'zet de persona bij de doelgroep als dat wel moet',
      en: 'add the persona to the audience if it should be',
    },
  },
  profile_not_newer: {
    text: { nl: 'er is al een nieuwer profiel bekend', en: 'a newer profile is known' },
    whatToDo: {
      nl: 'niets; kijk het systeem na dat dit meldt als het vaak gebeurt',
      en: 'nothing; check the publisher if this happens often',
    },
  },
  provider_accepted: {
    text: { nl: 'de verzenddienst heeft het aangenomen', en: 'the provider accepted it' },
    whatToDo: nothing,
  },
  provider_deferred: {
    text: {
      nl: 'de verzenddienst kon het toen niet aannemen; het wordt nog eens geprobeerd',
      en: 'the provider could not take it now; it is tried again',
    },
    whatToDo: {
      nl: 'kijk hoe het met de verzenddienst is als het aanhoudt',
      en: 'see the state of the provider if it lasts',
    },
  },
  provider_refused: {
    text: {
      nl: 'de verzenddienst heeft het definitief geweigerd',
      en: 'the provider refused it for good',
    },
    whatToDo: { nl: 'kijk naar de reden die erbij staat', en: 'see the reason it gave' },
  },
  provider_stopped: {
    text: { nl: 'de verzenddienst is stilgezet', en: 'the provider is stopped' },
    whatToDo: {
      nl: 'hervat deze met "wegwijs resume provider" als de reden voorbij is',
      en: 'resume it with "wegwijs resume provider" when the reason is gone',
    },
  },
  provider_unavailable: {
    text: {
      nl: 'de verzenddienst kon het niet aannemen voordat het te laat was',
      en: 'the provider could not take it before it expired',
    },
    whatToDo: { nl: 'kijk hoe het met de verzenddienst is', en: 'see the state of the provider' },
  },
  quiet_hours: {
    text: {
      nl: 'het was een tijd waarop wij mensen met rust laten',
      en: 'it was a time at which people are left in peace',
    },
    whatToDo: {
      nl: 'niets; het gaat uit als die tijd voorbij is',
      en: 'nothing; it goes out when that time is over',
    },
  },
  quiet_hours_outlast: {
    text: {
      nl: 'het zou na de rusttijd niet meer de moeite waard zijn',
      en: 'it would not be worth having any more when the quiet hours end',
    },
    whatToDo: {
      nl: 'verhoog "expires" of "until" van het bericht, of plan het eerder',
      en: 'raise expires or until of the message, or plan it for earlier',
    },
  },
  recipient_by_age: {
    text: {
      nl: 'op deze leeftijd is het voor iemand anders bedoeld',
      en: 'at this age it is meant for somebody else',
    },
    whatToDo: {
      nl: 'niets; de regels staan onder "ages" in policies.yaml',
      en: 'nothing; the rules stand under "ages" in policies.yaml',
    },
  },
  recipient_deceased: {
    text: { nl: 'de ontvanger is overleden', en: 'the recipient has died' },
    whatToDo: nothing,
  },
  relation_ended: {
    text: {
      nl: 'de ontvanger staat niet meer zo tot deze persoon',
      en: 'the recipient no longer stands so to the person',
    },
    whatToDo: {
      nl: 'niets; een nieuwe relatie geldt voor wat daarna wordt ingepland',
      en: 'nothing; a new relation counts for what is planned after it',
    },
  },
  relation_not_newer: {
    text: {
      nl: 'van deze relatie is iets nieuwers bekend',
      en: 'something newer is known of this relation',
    },
    whatToDo: {
      nl: 'niets; kijk naar het bronsysteem als dit vaak gebeurt',
      en: 'nothing; check the publisher if this happens often',
    },
  },
  reach_used: {
    text: {
      nl: 'er zijn in deze periode al zo veel berichten van de campagne verstuurd als haar auteur verwachtte',
      en: 'as many messages of the campaign as its author expected have gone out in this period',
    },
    whatToDo: {
      nl: 'kijk of het klopt, en laat er meer gaan met "wegwijs reach allow"; anders wacht het op de volgende periode',
      en: 'see whether that is right, and let more go with "wegwijs reach allow"; else it waits for the next period',
    },
  },
  relation_scope_missing: {
    text: {
      nl: 'de ontvanger mag hier niet meer van horen',
      en: 'the recipient may not hear of this any more',
    },
    whatToDo: {
      nl: 'niets; wie de relatie vastlegt, bepaalt waarvan iemand mag horen',
      en: 'nothing; whoever records the relation decides what somebody may hear of',
    },
  },
  replied: {
    text: { nl: 'de ontvanger heeft geantwoord', en: 'the recipient answered' },
    whatToDo: nothing,
  },
  resent_by_staff: {
    text: {
      nl: 'een medewerker heeft het nog eens laten versturen',
      en: 'a member of staff had it sent once more',
    },
    whatToDo: {
      nl: 'niets; wie het deed en waarom staat erbij',
      en: 'nothing; who and why stands beside it',
    },
  },
  seen: {
    text: {
      nl: 'de ontvanger heeft het geopend of op een link geklikt',
      en: 'the recipient opened it or followed a link',
    },
    whatToDo: nothing,
  },
  sending_stopped: {
    text: { nl: 'al het versturen is stilgezet', en: 'all sending is stopped' },
    whatToDo: {
      nl: 'hervat met "wegwijs resume all"',
      en: 'resume with "wegwijs resume all"',
    },
  },
  sending_window: {
    text: {
      nl: 'het was geen dag of uur waarop dit bericht mag uitgaan',
      en: 'it was no day or hour at which this message may go out',
    },
    whatToDo: {
      nl: 'niets; het gaat uit op de volgende dag of het volgende uur dat "send" noemt, tenzij het dan te laat is',
      en: 'nothing; it goes out on the next day or hour that send names, unless it is too late by then',
    },
  },
  sending_window_outlast: {
    text: {
      nl: 'het zou op de volgende dag of het volgende uur waarop het mag uitgaan niet meer de moeite waard zijn',
      en: 'it would not be worth having any more on the next day or hour at which it may go out',
    },
    whatToDo: {
      nl: 'verhoog "expires" of "until" van het bericht, of noem meer dagen of uren',
      en: 'raise expires or until of the message, or name more days or hours',
    },
  },
  split_taken: {
    text: {
      nl: 'deze persoon is bij een verdeling in een groep ingedeeld',
      en: 'the person was put into an arm of a split',
    },
    whatToDo: nothing,
  },
  task_closed: {
    text: {
      nl: 'de taak was al gedaan of teruggenomen; wat ervan gezegd is, wordt bewaard',
      en: 'the task had been done, or taken back, before; what was said of it is kept',
    },
    whatToDo: {
      nl: 'kijk of wat is gezegd nog iets vraagt; uit zichzelf volgt er niets op',
      en: 'see whether what was said asks for something; by itself nothing follows',
    },
  },
  task_done: { text: { nl: 'de taak is gedaan', en: 'the task was done' }, whatToDo: nothing },
  task_made: {
    text: { nl: 'een team kreeg een taak', en: 'a team got a task' },
    whatToDo: {
      nl: 'zie "wegwijs tasks" voor wat nog open staat',
      en: 'see "wegwijs tasks" for what is open',
    },
  },
  task_moved: {
    text: { nl: 'de taak schoof mee met de afspraak', en: 'the task moved with the appointment' },
    whatToDo: nothing,
  },
  task_not_done: {
    text: { nl: 'de taak is niet op tijd gedaan', en: 'the task was not done in time' },
    whatToDo: {
      nl: 'kijk of het team genoeg mensen heeft, of verhoog "within" van de stap',
      en: 'see whether the team has enough people, or raise "within" of the step',
    },
  },
  task_outcome_unknown: {
    text: { nl: 'de taak kent deze uitkomst niet', en: 'the task has no such outcome' },
    whatToDo: {
      nl: 'zie "wegwijs tasks" voor de uitkomsten',
      en: 'see "wegwijs tasks" for its outcomes',
    },
  },
  task_unknown: {
    text: { nl: 'deze taak is er niet (meer)', en: 'there is no such task, or no longer' },
    whatToDo: nothing,
  },
  template_error: {
    text: { nl: 'de tekst kon niet worden gemaakt', en: 'the text could not be made' },
    whatToDo: {
      nl: 'kijk welk gegeven ontbreekt; maak het optioneel in de tekst of verplicht in de gegevens',
      en: 'see which variable is missing; make it optional in the template or required in the data',
    },
  },
  template_stopped: {
    text: { nl: 'de tekst is stilgezet', en: 'the template is stopped' },
    whatToDo: {
      nl: 'hervat haar met "wegwijs resume template" als de reden voorbij is',
      en: 'resume it with "wegwijs resume template" when the reason is gone',
    },
  },
  trigger_false: {
    text: {
      nl: 'de gebeurtenis voldeed niet aan de voorwaarde van de campagne',
      en: 'the condition of the trigger does not hold',
    },
    whatToDo: {
      nl: 'niets; verruim de voorwaarde van de trigger als dit er wel bij hoort',
      en: 'nothing; widen the condition of the trigger if this belongs to it',
    },
  },
  trigger_other_touchpoint: {
    text: {
      nl: 'de campagne wacht op iets anders',
      en: 'the campaign waits for another touchpoint',
    },
    whatToDo: nothing,
  },
  version_unreadable: {
    text: {
      nl: 'deze Wegwijs kan de versie van de campagne niet lezen die deze persoon heeft gehad',
      en: 'this Wegwijs cannot read the version of the campaign that the person was in',
    },
    whatToDo: {
      nl: 'ga na of iemand het anders moet horen; het draaiboek zegt welke Wegwijs die versie leest',
      en: 'see whether the person has to hear of it otherwise; the runbook says which Wegwijs reads that version',
    },
  },
  waiting: {
    text: {
      nl: 'de campagne wacht op de volgende stap',
      en: 'the campaign waits for the next step',
    },
    whatToDo: nothing,
  },
} as const satisfies Record<string, Reason>

export type ReasonCode = keyof typeof list

export const reasons: Readonly<Record<ReasonCode, Reason>> = list

/** False for what only a newer Wegwijs has stored. */
export function isReasonCode(code: unknown): code is ReasonCode {
  return typeof code === 'string' && Object.hasOwn(list, code)
}

/** Who enters and gets nothing, to be counted beside the others: of one campaign, or of all of a class. */
export const heldOutReasons = ['held_out', 'held_out_of_all'] as const satisfies ReasonCode[]
export type HeldOutReason = (typeof heldOutReasons)[number]

export function isHeldOut(reason: unknown): reason is HeldOutReason {
  return heldOutReasons.some((each) => each === reason)
}
