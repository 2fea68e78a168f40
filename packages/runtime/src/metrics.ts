import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/**
 * What every component counts, by the same four words: what it received, what it sent on, what
 * went wrong (by code) and what it put aside (by reason). Labels are codes of ours, never ids of
 * people and never text (P7); an id as a label would also make one time series per person (P8).
 */
export type ComponentMetrics = {
  received(count?: number): void
  sent(count?: number): void
  error(code: string, count?: number): void
  discarded(reason: string, count?: number): void
}

type MetricOptions<Label extends string> = { name: string; help: string; labels?: readonly Label[] }
type Labels<Label extends string> = Partial<Record<Label, string | number>>

export type Metrics = {
  component(name: string): ComponentMetrics
  /** `collect` runs when the page is read: for values that are asked for, not counted. */
  gauge<Label extends string = never>(
    options: MetricOptions<Label> & { collect?: (gauge: LabelledGauge<Label>) => Promise<void> },
  ): LabelledGauge<Label>
  histogram<Label extends string = never>(
    options: MetricOptions<Label> & { buckets: number[] },
  ): { observe(value: number, labels?: Labels<Label>): void }
  /** The page in Prometheus' text format. */
  text(): Promise<string>
  readonly contentType: string
}

export type LabelledGauge<Label extends string> = {
  set(value: number, labels?: Labels<Label>): void
  /** Forgets all label sets, so that one that no longer exists does not stay on the page. */
  reset(): void
}

const PREFIX = 'wegwijs_'
const LABEL_VALUE = /^[A-Za-z][A-Za-z0-9_.:-]{0,79}$|^-?\d{1,5}$/

/**
 * One registry per service, so that several services in one process keep apart.
 * `processMetrics` adds Node's own (memory, event loop lag, garbage collection).
 */
export function createMetrics(service: string, { processMetrics = false } = {}): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  if (processMetrics) collectDefaultMetrics({ register: registry })

  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `${PREFIX}${name}_total`, help, labelNames, registers: [registry] })
  const received = counter('received', 'Items that a component took in', ['component'])
  const sent = counter('sent', 'Items that a component passed on', ['component'])
  const errors = counter('errors', 'Failures of a component, by code', ['component', 'code'])
  const discarded = counter('discarded', 'Items put aside, by reason', ['component', 'reason'])

  // A service that is started again in its process takes the place of the one that went before.
  const makeRoom = (name: string) => registry.removeSingleMetric(PREFIX + name)

  return {
    component: (component) => ({
      received: (count = 1) => received.inc({ component }, count),
      sent: (count = 1) => sent.inc({ component }, count),
      error: (code, count = 1) => errors.inc({ component, code: safeLabel(code) }, count),
      discarded: (reason, count = 1) =>
        discarded.inc({ component, reason: safeLabel(reason) }, count),
    }),
    gauge: ({ name, help, labels = [], collect }) => {
      makeRoom(name)
      const gauge = new Gauge({
        name: PREFIX + name,
        help,
        labelNames: [...labels] as string[],
        registers: [registry],
        ...(collect && { collect: () => collect(labelled) }),
      })
      const labelled = {
        set: (value: number, given: Labels<string> = {}) => gauge.set(safeLabels(given), value),
        reset: () => gauge.reset(),
      }
      return labelled
    },
    histogram: ({ name, help, labels = [], buckets }) => {
      makeRoom(name)
      const labelNames = [...labels] as string[]
      const histogram = new Histogram({
        name: PREFIX + name,
        help,
        labelNames,
        buckets,
        registers: [registry],
      })
      return {
        observe: (value, given: Labels<string> = {}) => histogram.observe(safeLabels(given), value),
      }
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function safeLabels(labels: Labels<string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [name, safeLabel(String(value))]),
  )
}

// P7: what does not look like a code is not shown, whoever passed it.
function safeLabel(value: string): string {
  return LABEL_VALUE.test(value) ? value : 'withheld'
}
