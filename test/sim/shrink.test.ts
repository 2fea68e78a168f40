import { expect, test } from 'vitest'
import { shrink } from './src/shrink.ts'
import { storyOf } from './src/stories.ts'
import type { Story } from './src/story.ts'

const long = Array.from({ length: 200 }, (_, index) => storyOf(index + 1)).find(
  ({ happenings, faults }) => happenings.length > 10 && faults.length > 2,
) as Story

test('leaves out everything that a failure does not need', async () => {
  const needed = long.happenings[4]
  const fault = long.faults[1]
  const tried: Story[] = []
  const shortest = await shrink(long, async (story) => {
    tried.push(story)
    return (
      needed !== undefined &&
      story.happenings.includes(needed) &&
      story.faults.includes(fault ?? (story.faults[0] as never))
    )
  })
  expect(shortest.happenings.map(({ id }) => id)).toEqual([needed?.id])
  expect(shortest.faults).toEqual([fault])
  expect(shortest.steps).toEqual([])
  expect(shortest.workers).toEqual({ journey: 1, scheduler: 1, delivery: 1, gateway: 1 })
  expect(tried.length).toBeLessThan(200)
})

test('keeps a story as it is when every part of it is needed, and ends when it is told', async () => {
  expect(await shrink(long, async () => false)).toBe(long)
  expect(
    await shrink(
      long,
      async () => true,
      () => true,
    ),
  ).toBe(long)
})

test('gives the same story for the same seed', () => {
  expect(storyOf(12)).toEqual(storyOf(12))
  expect(storyOf(12)).not.toEqual(storyOf(13))
})
