import type { RejectionClass } from './touchpoint-event.ts'

/** Why an event cannot be used, in words that begin in the middle of a sentence, and what can be done about it. */
export type RejectionReason = { text: string; whatToDo: string }

export const rejectionReasons: Readonly<Record<RejectionClass, RejectionReason>> = {
  not_json: { text: 'it is not JSON', whatToDo: 'let the publisher send JSON, and replay' },
  not_a_cloudevent: {
    text: 'it is not a CloudEvent as we take it: a field of the envelope is missing or wrong',
    whatToDo: 'look at the path; docs/publishing.md has an example',
  },
  too_large: {
    text: 'it is larger than an event may be',
    whatToDo: 'let the publisher send what campaigns need, and no documents',
  },
  forbidden_key: {
    text: 'its data has a key that no data may have',
    whatToDo: 'let the publisher name that field otherwise',
  },
  forbidden_character: {
    text: 'it holds a character that cannot be stored',
    whatToDo: 'let the publisher leave out the character with the code 0',
  },
  no_subject: {
    text: 'it does not say whom it is about',
    whatToDo: 'let the publisher give the id of the person as subject',
  },
  unknown_type: {
    text: 'touchpoints.yaml does not know its type',
    whatToDo: 'add the touchpoint there and apply, or correct the type, and replay',
  },
  data_invalid: {
    text: 'its data are not as touchpoints.yaml has them',
    whatToDo: 'look at the path; correct the publisher or the fields of the touchpoint, and replay',
  },
  time_in_future: {
    text: 'it says that it happened later than now',
    whatToDo: 'set the clock, or the time zone, of the publisher right',
  },
  older_than_inbox: {
    text: 'it happened so long ago that nobody knows whether it was told before',
    whatToDo: 'nothing; what is that old starts nothing any more',
  },
  source_not_allowed: {
    text: 'touchpoints.yaml names no such source of events, or the key is for another one',
    whatToDo: 'add the source to the publishers of touchpoints.yaml and apply, or correct it',
  },
  type_not_allowed: {
    text: 'its source may not tell of this type',
    whatToDo: 'add the type to that publisher in touchpoints.yaml and apply, if it may',
  },
  signature_invalid: {
    text: 'it says that it comes from ourselves, and is not signed by us',
    whatToDo: 'look at who publishes it: such events are for Wegwijs itself',
  },
  apply_failed: {
    text: 'applying it failed for a reason of its own',
    whatToDo: 'look at the log of services/journey at that time, and replay when it is mended',
  },
}
