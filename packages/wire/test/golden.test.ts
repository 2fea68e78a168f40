import { readdirSync, readFileSync } from 'node:fs'
import { isReservedType, reservedTypes } from '@wegwijs/campaign/reserved-types'
import { describe, expect, it } from 'vitest'
import { decodeRequest } from '../src/cloudevents-http.ts'
import { decodeRecord } from '../src/cloudevents-kafka.ts'
import { deliveryJobSchema } from '../src/delivery-job.ts'
import { receiptSignatureHeader, receiptsSchema } from '../src/receipt.ts'
import { signEvent, verifyBody, verifyEvent } from '../src/signature.ts'
import type { TouchpointEvent } from '../src/touchpoint-event.ts'

/**
 * Samples of what is on the wire, in topics, queues and outboxes of people who run Wegwijs. They are
 * added to and never changed: whoever cannot make one parse has made a new version.
 */
type Samples = {
  kafka: { record: { value: string | null; headers: Record<string, string> }; decoded: unknown }
  http: {
    request: { contentType: string; headers: Record<string, string[]>; body: string }
    decoded: unknown
  }
  data: { type: string; data: unknown }
  signed: { secret: string; event: TouchpointEvent }
  job: { job: unknown }
  receipts: { secret: string; headers: Record<string, string>; body: string }
}

const checks: { [Kind in keyof Samples]: (sample: Samples[Kind]) => void } = {
  kafka: ({ record, decoded }) => {
    const headers = Object.entries(record.headers)
    const incoming = {
      value: record.value === null ? null : Buffer.from(record.value),
      headers: Object.fromEntries(headers.map(([name, value]) => [name, Buffer.from(value)])),
    }
    expect(decodeRecord(incoming)).toEqual(decoded)
  },
  http: ({ request, decoded }) => {
    const { contentType, headers, body } = request
    expect(decodeRequest(contentType, headers, Buffer.from(body))).toEqual(decoded)
  },
  data: ({ type, data }) => {
    expect(isReservedType(type) && reservedTypes[type].parse(data)).toEqual(data)
  },
  signed: ({ secret, event }) => {
    expect(verifyEvent(event, secret)).toBe(true)
    expect(signEvent(event, secret)).toEqual(event)
  },
  job: ({ job }) => {
    expect(deliveryJobSchema.parse(job)).toEqual(job)
  },
  receipts: ({ secret, headers, body }) => {
    expect(verifyBody(body, headers[receiptSignatureHeader], secret)).toBe(true)
    expect(receiptsSchema.parse(JSON.parse(body)).receipts.length).toBeGreaterThan(0)
  },
}

/** A file is named kind-what.json. */
const kindOf = (file: string) => file.split('-', 1)[0] as keyof Samples
const folder = new URL('golden/', import.meta.url)
const samples = readdirSync(folder).map((file): [file: string, sample: unknown] => [
  file,
  JSON.parse(readFileSync(new URL(file, folder), 'utf8')),
])

describe('the golden samples', () => {
  it.each(samples)('%s still means what it meant', (file, sample) => {
    const check: (sample: never) => void = checks[kindOf(file)]
    check(sample as never)
  })

  it('hold one of each kind, and the data of every reserved type', () => {
    const kinds = new Set(samples.map(([file]) => kindOf(file)))
    expect([...kinds].sort()).toEqual(Object.keys(checks).sort())
    const data = samples.filter(([file]) => kindOf(file) === 'data')
    const types = data.map(([, sample]) => (sample as Samples['data']).type)
    expect(types.sort()).toEqual(Object.keys(reservedTypes))
  })
})
