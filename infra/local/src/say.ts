/** Where the stack tells a person what it is doing, one line at a time. */
export type Say = (line: string) => void

/** For callers that nobody watches. */
export const silent: Say = () => undefined
