import { Worker } from 'node:worker_threads'
import { limits } from './limits.ts'
import type { SyntaxFault } from './syntax-fault.ts'

export type MjmlQuestion = { source: string; locale: string }
/** `html` and `text` are there exactly if there are no faults. */
export type MjmlAnswer = { html?: string; text?: string; faults: SyntaxFault[] }

/**
 * One thread for the process, started at the first question (loading MJML takes most of a second)
 * and held by nothing in between. It is asked one question at a time, so that the time limit is
 * each question's own.
 */
let worker: { thread: Worker; ready: Promise<unknown> } | undefined
let last: Promise<unknown> = Promise.resolve()

/** HTML and text part of an MJML source in which placeholders stand; a fault after `timeoutMs`. */
export function compileMjml(
  question: MjmlQuestion,
  timeoutMs: number = limits.compileMs,
): Promise<MjmlAnswer> {
  const turn = last.then(() => ask(question, timeoutMs))
  last = turn
  return turn
}

async function ask(question: MjmlQuestion, timeoutMs: number): Promise<MjmlAnswer> {
  const { thread, ready } = worker ?? startWorker()
  thread.ref()
  await ready
  return new Promise((resolve) => {
    const settle = (answer: MjmlAnswer) => {
      clearTimeout(timer)
      thread.off('message', settle).off('error', failed).off('exit', failed)
      thread.unref()
      resolve(answer)
    }
    const giveUp = (message: string) => settle({ faults: [{ line: 1, column: 1, message }] })
    const failed = () => giveUp('MJML failed on this, for want of memory or by a defect')
    const timer = setTimeout(() => {
      // It may be in an endless loop: the thread is given up, the next question starts another.
      worker = undefined
      thread.terminate().catch(() => undefined)
      giveUp(`MJML takes longer than ${timeoutMs} ms on this`)
    }, timeoutMs)
    thread.once('message', settle).once('error', failed).once('exit', failed)
    thread.postMessage(question)
  })
}

/** It says one word when it has loaded: a slow machine's loading is not the question's time. */
function startWorker(): { thread: Worker; ready: Promise<unknown> } {
  const thread = new Worker(new URL('./mjml-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
  const ready = new Promise((resolve) => {
    thread.once('message', resolve).once('error', resolve).once('exit', resolve)
  })
  const forget = () => {
    if (worker?.thread === thread) worker = undefined
  }
  // Without a listener of its own an error between two questions would end the process.
  thread.on('error', forget).on('exit', forget)
  worker = { thread, ready }
  return worker
}
