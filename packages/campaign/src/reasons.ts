/**
 * Why something was, or was not, done: the one closed list (P4). Every event, decision and message
 * carries one of these codes; `whatToDo` is for the person who reads it.
 */
const list = {
  already_entered: {
    text: 'has already been through this campaign as often as its entry rule allows',
    whatToDo: 'nothing; change the entry rule of the campaign if it should repeat',
  },
  applied: { text: 'the event was applied', whatToDo: 'nothing' },
  at_once: {
    text: 'is in this campaign already, as often at the same time as it allows',
    whatToDo: 'nothing; raise atOnce of the campaign if there may be more',
  },
  attribute_otherwise: {
    text: 'the field changed, but not from or to the value that the campaign waits for',
    whatToDo: 'nothing',
  },
  awaited_came: { text: 'what the campaign waited for came', whatToDo: 'nothing' },
  awaited_not_in_time: {
    text: 'what the campaign waited for did not come in time',
    whatToDo: 'nothing; raise "within" of the step if that is too soon',
  },
  branch_taken: { text: 'an arm of a branch was taken', whatToDo: 'nothing' },
  budget_used: {
    text: 'the person has had as much as the contact budget allows',
    whatToDo: 'nothing; it goes out when there is room again, unless it is too late by then',
  },
  campaign_not_live: {
    text: 'the campaign was not live when the event came',
    whatToDo: 'nothing; a campaign looks only at what happens while it is live',
  },
  campaign_stopped: {
    text: 'the campaign is stopped',
    whatToDo: 'resume it with "wegwijs resume campaign" when the reason is gone',
  },
  channel_stopped: {
    text: 'the channel is stopped',
    whatToDo: 'resume it with "wegwijs resume channel" when the reason is gone',
  },
  closed_by_staff: {
    text: 'a member of staff closed it, having asked the provider',
    whatToDo: 'nothing; who and why stands beside it',
  },
  completed: { text: 'went through all steps', whatToDo: 'nothing' },
  condition_false: {
    text: 'the condition of the audience does not hold',
    whatToDo: 'see the leaves: which field was compared with what',
  },
  consent_import_yields: {
    text: 'an imported consent does not lift what the person said',
    whatToDo: 'nothing; only the person can give consent again',
  },
  consent_not_newer: {
    text: 'a newer consent or withdrawal is known',
    whatToDo: 'nothing; check the publisher if this happens often',
  },
  consent_missing: {
    text: 'this class of messages needs a consent that the person has not given',
    whatToDo: 'ask for consent in another way; never by message',
  },
  consent_withdrawn: {
    text: 'the person does not want this',
    whatToDo: 'nothing; only the person can change it',
  },
  contact_missing: {
    text: 'no address for this channel is known',
    whatToDo: 'have the publisher send person.upserted.v1 with the address',
  },
  contact_refused: {
    text: 'a provider said that nothing arrives at this address',
    whatToDo: 'have the publisher send the right address',
  },
  delivered: { text: 'the provider reports delivery', whatToDo: 'nothing' },
  bounced: {
    text: 'the provider reports that it could not be delivered',
    whatToDo: 'correct the address',
  },
  complained: {
    text: 'the recipient complained',
    whatToDo: 'nothing; marketing over this channel has ended',
  },
  enrolled: { text: 'entered the campaign', whatToDo: 'nothing' },
  entity_not_newer: {
    text: 'an equal or newer version of this appointment or stay is known',
    whatToDo: 'nothing; check the publisher if this happens often',
  },
  entity_superseded: {
    text: 'a newer version of the appointment or stay replaced it',
    whatToDo: 'nothing; the new version has plans of its own',
  },
  entity_withdrawn: { text: 'the appointment or stay was withdrawn', whatToDo: 'nothing' },
  event_too_old: {
    text: 'the event was older than the campaign accepts when it arrived',
    whatToDo: 'raise maxAge of the trigger, or find out why the publisher is late',
  },
  exit_touchpoint: { text: 'a touchpoint that ends the campaign happened', whatToDo: 'nothing' },
  expired: {
    text: 'it was no longer worth sending',
    whatToDo: 'see what delayed it, or raise expires',
  },
  goal_reached: { text: 'what the campaign is for has happened', whatToDo: 'nothing' },
  held_out: {
    text: 'belongs to those who get nothing, so that the effect can be measured',
    whatToDo: 'nothing; it is always the same people, chosen by a hash of who they are',
  },
  identity_linked: { text: 'another id of the person was linked', whatToDo: 'nothing' },
  identity_taken: {
    text: 'this id belongs to another person already',
    whatToDo: 'publish person.merged.v1 if the two are one person',
  },
  merged: { text: 'two records of one person became one', whatToDo: 'nothing' },
  merged_duplicate: {
    text: 'the other record of the same person was in this campaign already',
    whatToDo: 'nothing',
  },
  message_planned: { text: 'a message was planned', whatToDo: 'nothing' },
  message_replanned: {
    text: 'a message was planned again for the new moment',
    whatToDo: 'nothing',
  },
  message_status_known: {
    text: 'an equal or later status of the message is known',
    whatToDo: 'nothing',
  },
  message_unknown: {
    text: 'the receipt is about a message that this person never had',
    whatToDo: 'check the configuration of the provider',
  },
  moment_passed: { text: 'the moment for it had already passed', whatToDo: 'nothing' },
  moment_unknown: {
    text: 'the data that the moment hangs on is missing',
    whatToDo: 'have the publisher send it, and make the field required in touchpoints.yaml',
  },
  no_usable_channel: {
    text: 'none of the channels of the message could be used',
    whatToDo: 'see why per channel in its detail',
  },
  older_version_told: {
    text: 'the same message had just gone out, of the older version of the appointment or stay',
    whatToDo: 'nothing; a campaign that starts when it moves tells of the change',
  },
  outcome_unknown: {
    text: 'the provider may or may not have accepted it',
    whatToDo:
      'ask the provider by the reference, then "wegwijs messages resend" or "close"; it is not sent again by itself',
  },
  persona_not_in_audience: {
    text: 'the campaign is not for this persona',
    whatToDo: 'add the persona to the audience if it should be',
  },
  person_deceased: { text: 'the person has died', whatToDo: 'nothing' },
  person_merged: {
    text: 'this record was merged into another',
    whatToDo: 'look at the other record',
  },
  person_stopped: {
    text: 'a member of staff stopped messages to this person',
    whatToDo: 'resume with "wegwijs resume person" when the reason is gone',
  },
  person_unknown: {
    text: 'nothing is known of the person any more',
    whatToDo: 'nothing; without the person nothing can be checked, so nothing is sent',
  },
  profile_not_newer: {
    text: 'a newer profile is known',
    whatToDo: 'nothing; check the publisher if this happens often',
  },
  provider_accepted: { text: 'the provider accepted it', whatToDo: 'nothing' },
  provider_deferred: {
    text: 'the provider could not take it now; it is tried again',
    whatToDo: 'see the state of the provider if it lasts',
  },
  provider_refused: {
    text: 'the provider refused it for good',
    whatToDo: 'see the reason it gave',
  },
  provider_stopped: {
    text: 'the provider is stopped',
    whatToDo: 'resume it with "wegwijs resume provider" when the reason is gone',
  },
  provider_unavailable: {
    text: 'the provider could not take it before it expired',
    whatToDo: 'see the state of the provider',
  },
  quiet_hours: {
    text: 'it was a time at which people are left in peace',
    whatToDo: 'nothing; it goes out when that time is over',
  },
  quiet_hours_outlast: {
    text: 'it would not be worth having any more when the quiet hours end',
    whatToDo: 'raise expires or until of the message, or plan it for earlier',
  },
  replied: { text: 'the recipient answered', whatToDo: 'nothing' },
  resent_by_staff: {
    text: 'a member of staff had it sent once more',
    whatToDo: 'nothing; who and why stands beside it',
  },
  seen: { text: 'the recipient opened it or followed a link', whatToDo: 'nothing' },
  sending_stopped: { text: 'all sending is stopped', whatToDo: 'resume with "wegwijs resume all"' },
  split_taken: { text: 'was put into an arm of a split', whatToDo: 'nothing' },
  template_error: {
    text: 'the text could not be made',
    whatToDo:
      'see which variable is missing; make it optional in the template or required in the data',
  },
  template_stopped: {
    text: 'the template is stopped',
    whatToDo: 'resume it with "wegwijs resume template" when the reason is gone',
  },
  trigger_false: {
    text: 'the condition of the trigger does not hold',
    whatToDo: 'see the leaves: which field was compared with what',
  },
  trigger_other_touchpoint: {
    text: 'the campaign waits for another touchpoint',
    whatToDo: 'nothing',
  },
  waiting: { text: 'waits for the next step', whatToDo: 'nothing' },
} as const satisfies Record<string, { text: string; whatToDo: string }>

export type ReasonCode = keyof typeof list

export const reasons: Readonly<Record<ReasonCode, { text: string; whatToDo: string }>> = list
