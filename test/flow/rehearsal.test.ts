import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { readExample } from './src/example.ts'
import { expectLedgerHolds, type Flow, openFlow, openGround } from './src/flow.ts'
import { readHeadlines } from './src/told.ts'

/** What came of everybody, in an order that hangs on nothing but what happened. */
async function outcomeOf(flow: Flow): Promise<string[]> {
  const headlines = await readHeadlines(flow)
  const { rows } = await sql<{ intent_id: string; line: string }>`
    select i.intent_id, concat_ws(' ', i.intent_id, i.campaign_id, i.message_id, i.version, i.state,
      i.reason, i.channels[i.channel_index + 1], i.settled_at, (
        select string_agg(concat_ws(' ', a.channel, a.outcome, a.reason, a.business_at), ', '
          order by a.business_at, a.fence)
        from attempt a where a.person_id = i.person_id and a.intent_id = i.intent_id)) as line
    from intent i order by i.intent_id`.execute(flow.store.db)
  return rows.map(({ intent_id, line }) => `${line} "${headlines.get(intent_id)}"`)
}

test('the same journeys rehearsed twice give the same messages at the same business times', async () => {
  const bundle = await readExample()
  const events = generateJourneys({ people: 8, seed: 'flow' })
  const rehearseOnce = async () => {
    const ground = await openGround(bundle, events[0]?.time ?? '')
    // With what goes wrong in life: bounces, silence, and providers that say "later".
    const flow = await openFlow({
      store: ground.store,
      settings: { sandbox: { rates: { bounced: 0.1, none: 0.1 } } },
    })
    flow.pipe.sandbox.faults.set({ channel: 'email', mode: 'refuse4xx', rate: 0.3, times: 1 })
    flow.pipe.sandbox.faults.set({ channel: 'sms', mode: 'refuse4xx', rate: 0.3 })
    await flow.play(events, 'PT15M')
    await expectLedgerHolds(flow)
    const outcome = await outcomeOf(flow)
    await flow.close()
    await ground.store.close()
    return outcome
  }
  const first = await rehearseOnce()
  expect(first.length).toBeGreaterThan(20)
  expect(await rehearseOnce()).toEqual(first)
}, 300_000)
