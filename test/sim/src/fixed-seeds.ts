/**
 * What `npm test` plays: every situation in its turn, and of the stories of all kinds those in which what
 * seldom goes wrong does.
 */
export const fixedSeeds: readonly number[] = [
  ...Array.from({ length: 58 }, (_, index) => index + 1),
  // Whoever is killed takes the queue along.
  119,
  // Somebody is paused, and somebody told to stop.
  120,
  // What Kafka holds comes once more.
  320,
  // The queue forgets, and is away.
  336,
]
