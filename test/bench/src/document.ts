import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawCurve } from './charts.ts'
import { type Check, isReached, type PerProcess, type Result, resultSchema } from './result.ts'
import { rows } from './rows/registry.ts'
import { median } from './statistics.ts'
import { shown, shownTarget, shownWithSpread } from './table.ts'

/** docs/performance.md holds, between these two lines, what the kept results come to. */
const begin = '<!-- figures: made by `pnpm bench -- --document` -->'
const end = '<!-- /figures -->'

/** The kept results, in the order of the rows; a row that was never kept is left out. */
export function readResults(directory: string): Result[] {
  return rows.flatMap(({ name }) => {
    const file = join(directory, `${name}.json`)
    return existsSync(file) ? [resultSchema.parse(JSON.parse(readFileSync(file, 'utf8')))] : []
  })
}

/** The document with its generated part replaced. @throws Error when it has no such part */
export function withFigures(document: string, results: readonly Result[]): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the document has no part between ${begin} and ${end}`)
  const made = [begin, '', summaryOf(results), ...results.map(sectionOf)].join('\n')
  return `${document.slice(0, from)}${made}\n${document.slice(to)}`
}

/** The pictures that the document shows, by file name. */
export async function drawCurves(results: readonly Result[]): Promise<Map<string, string>> {
  const pictures = new Map<string, string>()
  for (const { row, measured } of results) {
    if (measured.curve) pictures.set(pictureOf(row), await drawCurve(measured.curve))
  }
  return pictures
}

function pictureOf(row: string): string {
  return `performance-${row}.svg`
}

function summaryOf(results: readonly Result[]): string {
  const lines = results.flatMap(({ row, title, measured }) =>
    measured.checks.map((check) => [
      `[${row}](#${row})`,
      `${title}: ${check.name}`,
      shownWithSpread(check.values),
      shownTarget(check),
      verdictOf(check),
    ]),
  )
  return `${tableOf(['row', 'measure', 'median', 'to reach', ''], lines)}\n`
}

function verdictOf(check: Check): string {
  return isReached(check, median) ? 'reached' : '**not reached**'
}

function sectionOf({ row, title, seconds, surroundings, measured }: Result): string {
  const { machine, versions, settings, commit, at } = surroundings
  const parts = [
    `### ${row}`,
    `${title}. ${measured.notes.join(' ')}`,
    tableOf(
      ['figure', 'median', 'unit'],
      measured.figures.map(({ name, unit, values }) => [name, shownWithSpread(values), unit]),
    ),
    ...processesOf('Seconds of CPU per 1,000', measured.cpu),
    ...processesOf('Memory in MB', measured.memory),
    ...(measured.curve ? [`![${measured.curve.title}](${pictureOf(row)})`] : []),
    `<sub>${at.slice(0, 10)}, commit ${commit}, ${Math.round(seconds)} s, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, load before ${machine.load}; ${listOf(versions)}; ${listOf(settings)}.</sub>`,
  ]
  return `${parts.join('\n\n')}\n`
}

/** One line for each process, one column for each side. */
function processesOf(title: string, sides: readonly PerProcess[]): string[] {
  if (sides.length === 0) return []
  const processes = [...new Set(sides.flatMap(({ byProcess }) => Object.keys(byProcess)))]
  const lines = processes.map((process) => [
    process,
    ...sides.map(({ byProcess }) => (process in byProcess ? shown(byProcess[process] ?? 0) : '')),
  ])
  return [tableOf([title, ...sides.map(({ name }) => name)], lines)]
}

function tableOf(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n')
}

function listOf(named: Readonly<Record<string, string>>): string {
  return Object.entries(named)
    .map(([name, value]) => `${name} ${value || 'empty'}`)
    .join(', ')
}
