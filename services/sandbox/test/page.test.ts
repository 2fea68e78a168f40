import AxeBuilder from '@axe-core/playwright'
import type { OutboxPage } from '@wegwijs/store/outbox-page'
import { findChromium } from '@wegwijs/vitest/chromium'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { annaId, hospitalSource, playScene } from './hospital-scene.ts'
import { emailMessage, openRig, type Rig, smsMessage, untroubled } from './rig.ts'

// Without a browser to be had these tests skip; where CI runs, one is installed.
const executablePath = await findChromium(() => undefined)
const widths = { desktop: 1280, telephone: 390 }

/** A browser on a busy machine takes its time. */
const timeout = 90_000
const soon = { timeout: 20_000 }

describe.skipIf(executablePath === null)('the outbox page', { timeout }, () => {
  let browser: Browser
  let scene: Rig
  const undo: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
    browser = await chromium.launch({ executablePath: executablePath ?? '', args })
    scene = await openRig({ source: hospitalSource })
    await playScene(scene)
  }, timeout)
  afterAll(async () => {
    await browser.close()
    await scene.close()
  })
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  /** A page of that width at the address, and every address that it asked. */
  async function visit(
    url: string,
    width: number,
    locale = 'en-GB',
  ): Promise<{ page: Page; asked: string[] }> {
    const context = await browser.newContext({ viewport: { width, height: 900 }, locale })
    undo.push(() => context.close())
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (each) => asked.push(each.url()))
    // What our policy stops never leaves the browser.
    page.on('requestfailed', (each) => {
      if (each.failure()?.errorText === 'csp') asked.splice(asked.indexOf(each.url()), 1)
    })
    await page.goto(url)
    return { page, asked }
  }

  describe.each(Object.entries(widths))('on a %s', (_name, width) => {
    test('fits, and has nothing that a screen reader or weak eyes stumble over', async () => {
      for (const [path, locale] of [
        ['/', 'nl-NL'],
        [`/people/${annaId}`, 'en-GB'],
        ['/people/nobody', 'nl-NL'],
      ] as const) {
        const { page } = await visit(`${scene.sandbox.pageUrl}${path}`, width, locale)
        const scroll = await page.evaluate('document.documentElement.scrollWidth')
        expect(scroll).toBeLessThanOrEqual(width)
        // The mails inside are the templates' own business.
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
        const { violations } = await new AxeBuilder({ page })
          .withTags(tags)
          .exclude('iframe')
          .analyze()
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
      }
    })

    test('shows mails as high as they are', async () => {
      const { page } = await visit(`${scene.sandbox.pageUrl}/people/${annaId}`, width)
      const frame = page.locator('iframe')
      const inside = page.frameLocator('iframe').locator('html')
      await expect
        .poll(async () => {
          const [outer, inner] = [await frame.boundingBox(), await inside.boundingBox()]
          return Math.abs((outer?.height ?? 0) - (inner?.height ?? 99))
        }, soon)
        .toBeLessThan(2)
    })
  })

  test('shows the journey in order: what happened, what was sent, what was not, in business time', async () => {
    const { page } = await visit(`${scene.sandbox.pageUrl}/people/${annaId}`, widths.desktop)
    expect(await page.locator('.person h2').textContent()).toBe('Anna de Vries')
    const entries = await page.locator('.entry').evaluateAll((nodes) =>
      nodes.map((node) => {
        const heading = node.querySelector('h4, strong')?.textContent
        return `${node.querySelector('time')?.textContent} ${node.className} ${heading}`
      }),
    )
    expect(entries).toEqual([
      '14:40 entry touchpoint Appointment booked',
      '18:00 entry sms DeLinde',
      '10:15 entry touchpoint Admitted to the ward',
      '12:00 entry app U ligt op afdeling B2',
      '11:05 entry touchpoint Discharged home',
      '15:00 entry email Welkom thuis, Anna',
      '10:00 entry skipped Not sent',
      '09:00 entry sms DeLinde',
    ])
    expect(await page.locator('.day > h3').allTextContents()).toEqual([
      'Thursday, 5 March 2026',
      'Friday, 6 March 2026',
      'Tuesday, 10 March 2026',
      'Wednesday, 11 March 2026',
      'Thursday, 12 March 2026',
    ])
    const mail = page.frameLocator('iframe').locator('body')
    await expect.poll(() => mail.textContent(), soon).toContain('Fijn dat u weer thuis bent')
  })

  test('is in the language that the browser asks for, and in no other', async () => {
    const url = `${scene.sandbox.pageUrl}/people/${annaId}`
    const { page } = await visit(url, widths.telephone, 'nl-NL')
    expect(await page.locator('html').getAttribute('lang')).toBe('nl')
    expect(await page.title()).toBe('Anna de Vries · Postvak uit · Wegwijs')
    expect(await page.locator('.facts .persona').textContent()).toBe('Digitale senior')
    expect(await page.locator('.day > h3').first().textContent()).toBe('donderdag 5 maart 2026')
    expect(await page.locator('.state').first().textContent()).toBe('bezorgd')
    expect(await page.locator('.skipped p').textContent()).toBe(
      'Niet verzonden Nieuwsbrief: geen toestemming voor nieuws per e-mail',
    )
    const english = await visit(url, widths.telephone, 'fr-FR')
    expect(await english.page.locator('html').getAttribute('lang')).toBe('en')
    expect(await english.page.locator('.facts .persona').textContent()).toBe('Digital senior')
    expect(await english.page.locator('.skipped p').textContent()).toBe(
      'Not sent newsletter: no consent for news by e-mail',
    )
  })

  test('is walked through with the keyboard', async () => {
    const { page } = await visit(scene.sandbox.pageUrl, widths.desktop)
    const focused = () => page.evaluate('document.activeElement.textContent.trim()')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the journey')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('story')
    await page.getByRole('link', { name: /Mees Bakker/ }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/people\//)
    expect(await page.locator('.person h2').textContent()).toBe('Mees Bakker')
  })

  test('on a telephone leads from the people to one of them and back', async () => {
    const { page } = await visit(scene.sandbox.pageUrl, widths.telephone)
    await expect.poll(() => page.locator('.story').isVisible(), soon).toBe(false)
    await page.getByRole('link', { name: /Anna de Vries/ }).click()
    await page.waitForURL(/\/people\//)
    expect(await page.locator('nav').isVisible()).toBe(false)
    await page.getByRole('link', { name: 'People', exact: true }).click()
    await expect.poll(() => page.locator('nav').isVisible(), soon).toBe(true)
  })

  test('asks nothing of anybody else, and runs nothing of a mail', async () => {
    const rig = await openRig()
    undo.push(rig.close)
    const html = `<p>Hoi</p><img src="https://tracker.example/pixel" onerror="parent.document.title='run'">
      <script>parent.document.title = 'run'</script><link rel="stylesheet" href="https://fonts.example/a.css">
      <style>@import url(https://fonts.example/b.css); p { background: url(https://tracker.example/c) }</style>
      <form action="https://evil.example"><button>go</button></form><a href="javascript:parent.document.title='run'">x</a>
      </iframe><script>document.title = 'run'</script>`
    const content = {
      ...emailMessage().content,
      html,
      subject: '<script>document.title="run"</script>',
    }
    await rig.email.send(
      emailMessage({ content } as {
        content: typeof content & { kind: 'email'; from: string; text: string }
      }),
      untroubled(),
    )
    const { page, asked } = await visit(`${rig.sandbox.pageUrl}/people/anna%40example.org`, 1280)
    const mail = page.frameLocator('iframe').locator('body')
    await expect.poll(() => mail.textContent(), soon).toContain('Hoi')
    await mail.getByText('x', { exact: true }).click()
    expect(await page.title()).toBe('anna@example.org · Outbox · Wegwijs')
    expect(await page.locator('article h4').textContent()).toBe(content.subject)
    const others = asked.filter(
      (url) => !url.startsWith(rig.sandbox.pageUrl) && /^https?:/.test(url),
    )
    expect(others).toEqual([])
  })

  test('writes whatever a text holds as text', async () => {
    const rig = await openRig()
    undo.push(rig.close)
    const text = `<b>"quotes" & 'more'</b> \${nothing} </p><script>document.title='run'</script>`
    const content = { kind: 'sms' as const, from: 'DeLinde', text }
    await rig.sms.send(smsMessage({ content }), untroubled())
    const { page } = await visit(rig.sandbox.pageUrl, widths.desktop)
    expect(await page.locator('.bubble').textContent()).toBe(text)
    expect(await page.title()).toBe('Outbox · Wegwijs')
  })

  test('shows addresses and real times while the record does not answer, and says so', async () => {
    const failing: OutboxPage = {
      people: () => Promise.reject(new Error('away')),
      timeline: () => Promise.reject(new Error('away')),
    }
    const rig = await openRig({ source: failing })
    undo.push(rig.close)
    await playScene(rig)
    const { page } = await visit(rig.sandbox.pageUrl, widths.desktop)
    expect(await page.locator('[role=status]').textContent()).toContain('does not answer')
    expect(await page.locator('.people .name').allTextContents()).toEqual([
      '+3197010200300',
      'anna.de.vries@example.org',
    ])
  })

  test('marks a message that may have come twice, and shows both', async () => {
    const rig = await openRig()
    undo.push(rig.close)
    const message = emailMessage()
    await rig.email.send(message, untroubled())
    await rig.email.send({ ...message, attempt: 2, duplicate: true }, untroubled())
    const { page } = await visit(`${rig.sandbox.pageUrl}/people/anna%40example.org`, 1280)
    expect(await page.locator('.entry.email').count()).toBe(2)
    expect(await page.locator('.state.twin').allTextContents()).toEqual(['possible duplicate'])
  })

  test('says so while nothing has arrived', async () => {
    const rig = await openRig()
    undo.push(rig.close)
    for (const width of Object.values(widths)) {
      const { page } = await visit(rig.sandbox.pageUrl, width)
      await expect.poll(() => page.locator('.story h2').isVisible(), soon).toBe(true)
      expect(await page.locator('.story h2').textContent()).toBe('Nothing has arrived yet')
    }
  })
})
