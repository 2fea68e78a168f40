import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { afterAComplaint } from './campaigns/after-a-complaint.ts'
import { aftercareAtHome } from './campaigns/aftercare-at-home.ts'
import { aftercareCall } from './campaigns/aftercare-call.ts'
import { appointmentAnswer } from './campaigns/appointment-answer.ts'
import { appointmentCancelled } from './campaigns/appointment-cancelled.ts'
import { appointmentGuide } from './campaigns/appointment-guide.ts'
import { appointmentMoved } from './campaigns/appointment-moved.ts'
import { caregiverFarAway } from './campaigns/caregiver-far-away.ts'
import { experienceSurvey } from './campaigns/experience-survey.ts'
import { familyInformation } from './campaigns/family-information.ts'
import { fitBeforeOperation } from './campaigns/fit-before-operation.ts'
import { missedAppointment } from './campaigns/missed-appointment.ts'
import { missedTwice } from './campaigns/missed-twice.ts'
import { newsForReferrers } from './campaigns/news-for-referrers.ts'
import { patientPanel } from './campaigns/patient-panel.ts'
import { portalWelcome } from './campaigns/portal-welcome.ts'
import { quietAfterAComplaint } from './campaigns/quiet-after-a-complaint.ts'
import { recommendUs } from './campaigns/recommend-us.ts'
import { welcomeAtTheWard } from './campaigns/welcome-at-the-ward.ts'
import { yearAfterOperation } from './campaigns/year-after-operation.ts'
import { readExample } from './src/example.ts'
import { expectLedgerHolds, type Flow, openFlow, openGround } from './src/flow.ts'
import { decidedTwice } from './src/replayed.ts'
import { inOrderOfArrival, instantOf } from './src/story.ts'
import { type Headlines, readHeadlines, tell } from './src/told.ts'

/**
 * Every campaign of examples/hospital through the whole pipe: people live through one spring
 * together, at every moment of which business time stops, and each test looks at one of them.
 */
const campaigns = [
  welcomeAtTheWard,
  familyInformation,
  aftercareAtHome,
  aftercareCall,
  appointmentAnswer,
  appointmentGuide,
  appointmentMoved,
  appointmentCancelled,
  missedAppointment,
  missedTwice,
  fitBeforeOperation,
  portalWelcome,
  experienceSurvey,
  afterAComplaint,
  quietAfterAComplaint,
  recommendUs,
  newsForReferrers,
  patientPanel,
  caregiverFarAway,
  yearAfterOperation,
]
const told = campaigns.flatMap(({ campaign, stories }) =>
  Object.entries(stories).map(([name, story], index) => ({
    name,
    campaign,
    story,
    subject: `${campaign}-${index + 1}`,
  })),
)

let bundle: DefinitionBundle
let flow: Flow
let close: () => Promise<void>
let headlines: Headlines

beforeAll(async () => {
  bundle = await readExample()
  const { store } = await openGround(bundle, instantOf('03-01 00:00'))
  flow = await openFlow({ store })
  close = async () => {
    await flow.close()
    await store.close()
  }
  await flow.play(inOrderOfArrival(told))
  headlines = await readHeadlines(flow)
})
afterAll(() => close())

describe.each(campaigns)('$campaign', ({ campaign }) => {
  const own = told.filter((each) => each.campaign === campaign)
  test.each(own)('$name', async ({ subject, story }) => {
    expect(await tell(flow.store, { subject, campaign }, headlines)).toEqual(story.outcome)
  })
})

describe('all of them', () => {
  test('stand in the example, and every campaign of it has its stories', () => {
    expect(campaigns.map(({ campaign }) => campaign).toSorted()).toEqual(
      bundle.campaigns.map(({ id }) => id).toSorted(),
    )
  })

  test('leave nothing behind, nothing lost and nothing twice (P1, P2)', async () => {
    await expectLedgerHolds(flow)
  })

  test('are decided again as they were decided, on what is on record', async () => {
    const { rows } = await sql<{
      person_id: string
    }>`select person_id from person where merged_into is null`.execute(flow.store.db)
    const differing: string[] = []
    let count = 0
    for (const { person_id } of rows) {
      const { stored, again } = await decidedTwice(flow.store, person_id)
      // Two records lived apart until they were one; they are decided again as one.
      if (stored.some((line) => line.includes(' merged '))) continue
      count += stored.length
      differing.push(
        ...stored.filter((line) => !again.includes(line)).map((line) => `stored ${line}`),
        ...again.filter((line) => !stored.includes(line)).map((line) => `again ${line}`),
      )
    }
    expect(differing).toEqual([])
    expect(count).toBeGreaterThan(300)
  })

  test('keep the department and the name out of what lights up on a table', async () => {
    const mails = await flow.emails()
    const texts = await flow.sms()
    expect(mails.length).toBeGreaterThan(10)
    expect(texts.length).toBeGreaterThan(5)
    const outside = [
      ...mails.flatMap((mail) => [mail.subject, mail.html, mail.text]),
      ...texts.map((sms) => sms.text),
    ]
    expect(outside.filter((text) => /Cardiologie|Orthopedie|\{\{|undefined/.test(text))).toEqual([])
    const app = await flow.store.db.selectFrom('app_message').select('body').execute()
    expect(app.some(({ body }) => body.includes('Cardiologie'))).toBe(true)
    expect(app.some(({ body }) => body.includes('Orthopedie'))).toBe(true)
  })

  test('carry in every e-mail whom to call, in the language of the reader', async () => {
    for (const mail of await flow.emails()) {
      expect(mail.html).toContain('088 000 00 00')
      expect(mail.text).toContain('088 000 00 00')
      expect(mail.html).toMatch(/lang="(nl|en)"/)
      expect(mail.messageId).toBe(`<${mail.intentId}@delinde.example.org>`)
    }
  })
})
