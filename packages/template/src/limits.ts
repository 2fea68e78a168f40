/**
 * Bounds on what a template may cost, so that no template and no data can stall a worker. They are
 * far above what a message to a patient needs.
 */
export const limits = {
  /** Characters of one source file. */
  sourceLength: 64 * 1024,
  /** Characters of HTML that MJML may make of it. */
  compiledLength: 512 * 1024,
  /** Blocks within blocks; each `else if` of a chain is one within the last. */
  nesting: 12,
  /** In one source. */
  placeholders: 1_000,
  /** Milliseconds for MJML and the text part of one file. */
  compileMs: 10_000,
  /** Tree nodes visited in one rendering: `each` over a long list within a long list ends here. */
  steps: 50_000,
  /** Characters that one part may have when it is rendered. */
  outputLength: 1024 * 1024,
  /** Characters of a subject or a title. */
  headlineLength: 250,
  /** Parts of one SMS; more is refused by most providers. */
  smsSegments: 10,
  /** Above this many bytes Gmail cuts a message off. */
  clippedBytes: 102 * 1024,
} as const
