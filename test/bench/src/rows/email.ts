import { join } from 'node:path'
import type { BareProgress } from '../bare/bare.ts'
import { cpuPerThousand, interleave, measureRound, memoryOf, rateOf, ratios } from '../measure.ts'
import { type Process, startProcess } from '../processes.ts'
import { type Row, withOpened } from '../row.ts'
import { openWegwijs } from '../wegwijs.ts'
import type { World } from '../world.ts'
import { roundOfSends } from './sends.ts'

const people = 5_000
/** Of either side: ours are claimed in larger groups, to nodemailer alone it makes no difference. */
const connections = 50

export const email: Row = {
  name: 'email',
  title: 'E-mails out over SMTP',
  measure: async (world) => {
    const count = world.quick ? 100 : 3_000
    const rounds = world.quick ? 1 : 4
    return withOpened(async (keep) => {
      const start = (name: string, program: string, words: string[] = []) => {
        const logFile = join(world.directory, 'logs', `${program.replace('/', '-')}.log`)
        const started = startProcess({
          name,
          program: `test/bench/src/${program}-main.ts`,
          words,
          logFile,
        })
        keep({ close: started.kill })
        return started
      }
      const sink = start('smtp sink', 'smtp-sink')
      const { port } = await sink.told<{ port: number }>((told) => 'port' in told)
      const nodemailer = start('nodemailer', 'bare/email', [JSON.stringify({ port, connections })])
      await nodemailer.told<BareProgress>(({ ready }) => ready)
      const wegwijs = keep(
        await openWegwijs(world, {
          campaigns: 10,
          people,
          environment: {
            WEGWIJS_SMTP_URL: `smtp://127.0.0.1:${port}`,
            WEGWIJS_EMAIL_CONCURRENCY: String(connections),
          },
        }),
      )
      await wegwijs.start('scheduler', 'delivery')
      const withSink = { ...world, servers: [...world.servers, sink] }
      const all = await interleave(rounds, {
        wegwijs: () => roundOfSends(withSink, wegwijs, { count, people, channel: 'email' }),
        bare: () => roundOfNodemailer(withSink, nodemailer, count),
      })
      const ours = rateOf('Wegwijs', 'e-mails/s', all.wegwijs)
      const theirs = rateOf('bare nodemailer, pooled', 'e-mails/s', all.bare)
      return {
        figures: [ours, theirs],
        checks: [
          {
            name: 'Wegwijs / bare',
            values: ratios(ours.values, theirs.values),
            target: { atLeast: 0.8 },
          },
        ],
        cpu: [cpuPerThousand('Wegwijs', all.wegwijs), cpuPerThousand('bare', all.bare)],
        memory: [memoryOf('peak', [...wegwijs.processes, nodemailer, sink])],
        notes: [
          `${count} e-mails of 3 kB a round, ${rounds} rounds of each in turn, ${connections} connections each (Wegwijs has 10 by default).`,
        ],
      }
    })
  },
}

async function roundOfNodemailer(world: World, nodemailer: Process, count: number) {
  const goal = (nodemailer.last() as BareProgress).done + count
  return measureRound(world, {
    count,
    workers: [nodemailer],
    prepare: async () => {},
    begin: async () => nodemailer.tell({ send: count }),
    untilDone: async () => {
      await nodemailer.told<BareProgress>(({ done }) => done >= goal)
    },
  })
}
