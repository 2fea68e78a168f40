import { newUuid } from '@wegwijs/runtime/derived-id'
import type { NewAppMessage } from '@wegwijs/store/app-inbox'
import type { Store } from '@wegwijs/store/database'
import { seedMessages } from './seed-messages.ts'

/** Plants a message to this person that a worker has claimed for the app, as the worker puts it into the inbox. */
export async function claimedAppMessage(
  store: Store,
  personId: string,
  content: NewAppMessage['content'] = { title: 'Welkom', body: 'Tot morgen' },
): Promise<NewAppMessage> {
  const claim = { intentId: newUuid(), fence: 1 }
  const intent = {
    person_id: personId,
    intent_id: claim.intentId,
    channels: ['app'],
    state: 'sending',
    fence: claim.fence,
    lease_until: '2999-01-01T00:00:00.000Z',
  }
  await seedMessages(store, 1, { intent })
  return { personId, ...claim, locale: 'nl', content }
}
