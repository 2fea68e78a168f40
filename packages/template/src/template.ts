export type ChannelName = 'email' | 'sms' | 'app'

/** How telling a content may be on its channel; `health` names a department, diagnosis or treatment. */
export type Sensitivity = 'neutral' | 'personal' | 'health'

/**
 * A variable that a content asks for, such as `person.givenName`; `appointment.steps[].title` is a
 * field of each item of a list. `optional`: every use of it is guarded by an `if` that tests it.
 */
export type TemplateVariable = { path: string; optional: boolean }

export type SmsSize = { segments: number; encoding: 'GSM-7' | 'UCS-2' }

/** Handlebars sources (after MJML), checked against the allow-list. */
export type CompiledEmail = {
  kind: 'email'
  subject: string
  html: string
  text: string
  variables: TemplateVariable[]
}
/** `size` counts the static text only: the least that a rendered message takes. */
export type CompiledSms = {
  kind: 'sms'
  text: string
  size: SmsSize
  variables: TemplateVariable[]
}
export type CompiledApp = {
  kind: 'app'
  title: string
  body: string
  url?: string
  variables: TemplateVariable[]
}

export type CompiledContents = { email?: CompiledEmail; sms?: CompiledSms; app?: CompiledApp }

/** JSON all through: it is stored with the definition when that is applied. */
export type CompiledTemplate = {
  name: string
  defaultLocale: string
  sensitivity: Partial<Record<ChannelName, Sensitivity>>
  /** By locale, such as `nl`. */
  locales: Record<string, CompiledContents>
}

/** Where in which file; lines and columns count from 1. */
export type TemplateFault = { file: string; line: number; column: number; message: string }

/**
 * One template folder. This package reads no YAML: the caller gives the parsed values and, if it
 * knows them, the positions inside.
 */
export type TemplateSources = {
  /** The folder's name, to which campaigns refer. */
  name: string
  /** Language of the organisation: used for a person whose own language a template has not. */
  defaultLocale: string
  /** The text of `email.nl.mjml`, `email.nl.txt`, `sms.nl.hbs`, … by file name. */
  files: Readonly<Record<string, string>>
  /** Parsed value of `template.yaml` (key `template.yaml`) and of each `app.*.yaml`, by file name. */
  values: Readonly<Record<string, unknown>>
  /** Where a value stands in a YAML file: line and column from 1. */
  positionOf?: (
    file: string,
    path: readonly (string | number)[],
  ) => { line: number; column: number } | undefined
}

/** `compiled` is there exactly if there are no faults; warnings do not stop it. */
export type CompileResult = {
  compiled?: CompiledTemplate
  faults: TemplateFault[]
  warnings: TemplateFault[]
}

export type RenderRequest = {
  channel: ChannelName
  /** The person's language; falls back to the template's `defaultLocale`. */
  locale: string
  /** IANA zone in which dates and times are written, such as `Europe/Amsterdam`. */
  timeZone: string
  data: Readonly<Record<string, unknown>>
}

export type RenderedEmail = { kind: 'email'; subject: string; html: string; text: string }
export type RenderedSms = { kind: 'sms'; text: string; size: SmsSize }
export type RenderedApp = { kind: 'app'; title: string; body: string; url?: string }
/** `locale` is the language that was used. */
export type Rendered = { locale: string; content: RenderedEmail | RenderedSms | RenderedApp }

export type Renderer = {
  /**
   * Throws WEGWIJS_TEMPLATE_VARIABLE_MISSING (a variable without value), _CONTENT_MISSING (neither
   * the locale nor the default has this channel) or _OUTPUT_REFUSED (too large, a line break in a
   * subject, a date that is none, a link that is none).
   */
  render(template: CompiledTemplate, request: RenderRequest): Rendered
}
