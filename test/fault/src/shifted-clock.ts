/**
 * Loaded before a service (`--import …/shifted-clock.ts?ms=3600000`): its wall clock is that much
 * ahead, or behind. Its monotonic clock is right, as that of a machine with a wrong time is.
 */
const shiftMs = Number(new URL(import.meta.url).searchParams.get('ms'))
const RightDate = Date

globalThis.Date = new Proxy(RightDate, {
  apply: () => new RightDate(RightDate.now() + shiftMs).toString(),
  construct: (target, words: [], self) =>
    Reflect.construct(target, words.length === 0 ? [RightDate.now() + shiftMs] : words, self),
  get: (target, name, self) =>
    name === 'now' ? () => RightDate.now() + shiftMs : Reflect.get(target, name, self),
})
