import type { HandOverFault } from './hand-overs.ts'

/** What is wrong with a history, by which kind of promise. */
export type Violation = { readonly kind: ViolationKind; readonly text: string }
export type ViolationKind =
  | 'lost'
  | 'doubled'
  | 'marked for nothing'
  | 'sent after a stop'
  | 'sent without consent'
  | 'sent for an old appointment'
  | 'sent early'
  | 'sent at a quiet time'
  | 'sent late'
  | 'out of order'
  | 'wrong record'
  | 'unexplained'
  | 'wrong version'
  | 'more than enough'
  | 'held for nothing'
  | 'ledger'
  | HandOverFault['kind']
  | 'stuck'
