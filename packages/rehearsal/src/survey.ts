import { type Diary, dayMs, hourMs, publishers } from './diary.ts'

/** One in three answers the questionnaire. Returns when the journey's last event happened. */
export function answerSurvey(diary: Diary, homeMs: number): number {
  const { random, visitor } = diary
  if (!random.chance(0.35)) return homeMs
  const atMs = homeMs + random.between(2, 12) * dayMs + random.between(0, 23) * hourMs
  diary.write(
    atMs,
    'care.survey.answered.v1',
    { recommends: random.between(4, 10) },
    visitor === null ? {} : { source: publishers.website, subject: visitor },
  )
  return atMs
}
