import { type Diary, dayMs, hourMs, minuteMs } from './diary.ts'
import { answerSurvey } from './survey.ts'

const destinations = {
  home: 70,
  'home-with-care': 16,
  rehabilitation: 6,
  'nursing-home': 6,
  'other-hospital': 2,
}

/**
 * An unplanned stay: the emergency room, the ward, home again, and for some the emergency room once
 * more. Returns when the last of it happened.
 */
export function liveHospitalStay(diary: Diary, arrivalMs: number): number {
  diary.write(arrivalMs, 'care.emergency.registered.v1', { desk: 'SEH' })
  const homeMs = liveEpisode(diary, arrivalMs)
  if (!diary.random.chance(0.18)) return answerSurvey(diary, homeMs)
  const returnMs = homeMs + diary.random.between(8, 24 * 20) * hourMs
  diary.write(returnMs, 'care.emergency.returned.v1')
  return answerSurvey(diary, liveEpisode(diary, returnMs))
}

function liveEpisode(diary: Diary, arrivalMs: number): number {
  const { random } = diary
  const triagedMs = arrivalMs + random.between(3, 25) * minuteMs
  diary.write(triagedMs, 'care.emergency.triaged.v1', { desk: 'SEH' })
  const assessedMs = triagedMs + random.between(5, 40) * minuteMs
  diary.write(assessedMs, 'care.emergency.assessed.v1', { desk: 'SEH' })
  if (random.chance(0.7)) diary.write(assessedMs + 5 * minuteMs, 'care.infusion.started.v1')
  if (random.chance(0.6)) diary.write(assessedMs + 9 * minuteMs, 'care.medication.started.v1')
  writeLabResults(diary, assessedMs + 20 * minuteMs)
  const admittedMs = assessedMs + random.between(1, 5) * hourMs
  diary.write(admittedMs, 'care.admission.started.v1', {
    department: random.pick(['Interne geneeskunde', 'Longgeneeskunde', 'Cardiologie']),
  })
  const days = liveOnTheWard(diary, admittedMs)
  const dischargedMs = admittedMs + days * dayMs + random.between(-4, 4) * hourMs
  diary.write(dischargedMs, 'care.discharge.completed.v1', {
    destination: random.weighted(destinations),
  })
  return dischargedMs
}

function liveOnTheWard(diary: Diary, admittedMs: number): number {
  const days = diary.random.between(1, 8)
  if (diary.random.chance(0.1)) {
    const movedMs = admittedMs + diary.random.between(2, 20) * hourMs
    diary.write(movedMs, 'care.intensive-care.started.v1', { department: 'Intensive care' })
  }
  for (let day = 1; day < days; day++) {
    if (diary.random.chance(0.6)) writeLabResults(diary, admittedMs + day * dayMs)
  }
  return days
}

function writeLabResults(diary: Diary, atMs: number): void {
  const tests = ['crp', 'leucocytes', 'lactic-acid']
  // One report, one second: the order of the log is all there is to tell them apart.
  for (const test of tests.slice(0, diary.random.between(1, 3))) {
    diary.write(atMs, 'care.lab-result.available.v1', { test })
  }
}
