import { parentPort } from 'node:worker_threads'
import mjml2html from 'mjml'
import { textOfHtml } from './html-text.ts'
import type { MjmlAnswer, MjmlQuestion } from './mjml.ts'
import { liftPlaceholders } from './mjml-source.ts'
import { positionAt, type SyntaxFault } from './syntax-fault.ts'

/**
 * The thread that runs MJML and html-to-text. They take whatever an author wrote, are synchronous
 * inside and know no time limit, so they run where they can be ended.
 */
parentPort?.on('message', async (question: MjmlQuestion) => {
  parentPort?.postMessage(await answer(question))
})

parentPort?.postMessage('ready')

async function answer({ source, locale }: MjmlQuestion): Promise<MjmlAnswer> {
  const { mjml, faults } = liftPlaceholders(source, locale)
  if (faults.length > 0) return { faults }
  try {
    // Without `fonts: {}` MJML links to Google Fonts, which tells Google who opened which mail (P7).
    const options = { validationLevel: 'strict', fonts: {}, ignoreIncludes: true } as const
    const { html } = await mjml2html(mjml, { ...options, keepComments: false })
    const lost = lostPlaceholders(source, html)
    if (lost.length > 0) return { faults: lost }
    return { html: withoutIndentation(html), text: textOfHtml(html), faults: [] }
  } catch (error) {
    return { faults: faultsOf(error, source) }
  }
}

/** MJML indents its output by tens of spaces a line, a fifth of its size; mail programs need none. */
function withoutIndentation(html: string): string {
  return html.replace(/\n\s*\n+/g, '\n').replace(/^[ \t]+/gm, '')
}

function lostPlaceholders(source: string, html: string): SyntaxFault[] {
  const lost: SyntaxFault[] = []
  for (const { 0: placeholder, index } of source.matchAll(/\{\{(?!!)[\s\S]*?\}\}/g)) {
    if (html.includes(placeholder)) continue
    const message = 'MJML drops this placeholder: move it into an <mj-text>'
    lost.push({ ...positionAt(source, index), message })
  }
  return lost
}

function faultsOf(error: unknown, source: string): SyntaxFault[] {
  if (!(error instanceof Error)) return [{ line: 1, column: 1, message: 'MJML cannot read this' }]
  const errors = 'errors' in error && Array.isArray(error.errors) ? error.errors : []
  if (errors.length === 0) return [{ line: 1, column: 1, message: `MJML: ${error.message}` }]
  const lines = source.split('\n')
  return errors.map(({ line, message, tagName }) => ({
    line,
    column: Math.max(lines[line - 1]?.indexOf(`<${tagName}`) ?? 0, 0) + 1,
    message: `<${tagName}>: ${message}`,
  }))
}
