import { type Diary, dayMs, hourMs, publishers } from './diary.ts'

/** One in three answers the questionnaire; who is most satisfied recommends us, or thinks along with us. Returns when the journey's last event happened. */
export function answerSurvey(diary: Diary, homeMs: number): number {
  const { random, visitor } = diary
  if (!random.chance(0.35)) return homeMs
  const atMs = homeMs + random.between(2, 12) * dayMs + random.between(0, 23) * hourMs
  const recommends = random.between(4, 10)
  const by = visitor === null ? {} : { source: publishers.website, subject: visitor }
  diary.write(atMs, 'care.survey.answered.v1', answersOf(recommends), by)
  if (recommends < 9) return atMs
  const doneMs = atMs + (recommends === 10 ? 4 : 16) * dayMs
  const done = recommends === 10 ? 'care.recommendation.written.v1' : 'care.panel.joined.v1'
  diary.write(doneMs, done, {}, by)
  return doneMs
}

/** The marks from 1 to 7 follow the one from 4 to 10; whoever gives the lowest has a complaint. */
function answersOf(recommends: number) {
  const mark = recommends - 3
  return {
    recommends,
    tangibles: Math.min(mark + 1, 7),
    reliability: mark,
    responsiveness: mark,
    assurance: mark,
    empathy: Math.max(mark - 1, 1),
    complaint: recommends === 4,
  }
}
