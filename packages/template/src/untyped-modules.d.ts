declare module 'mjml' {
  type MjmlFault = { line: number; message: string; tagName: string }
  /** Rejects with `errors` under `validationLevel: 'strict'` when the source breaks MJML's rules. */
  function mjml2html(
    source: string,
    options: {
      validationLevel: 'strict'
      fonts: Record<string, string>
      keepComments: boolean
      ignoreIncludes: boolean
    },
  ): Promise<{ html: string; errors: MjmlFault[] }>
  export = mjml2html
}

declare module 'html-to-text' {
  type Element = { attribs: Record<string, string> }
  type Builder = { addInline(text: string): void }
  type Selector = { selector: string; format?: string; options?: Record<string, unknown> }
  export function convert(
    html: string,
    options: {
      wordwrap: number | false
      selectors: Selector[]
      formatters: Record<string, (element: Element, walk: unknown, builder: Builder) => void>
    },
  ): string
}
