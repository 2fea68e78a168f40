export const channelNames = ['app', 'email', 'sms'] as const
export type ChannelName = (typeof channelNames)[number]

/** How telling a content may be on its channel; `health` names a department, diagnosis or treatment. */
export const sensitivities = ['neutral', 'personal', 'health'] as const
export type Sensitivity = (typeof sensitivities)[number]

/**
 * A variable that a content asks for, such as `person.givenName`; `appointment.steps[].title` is a
 * field of each item of a list. `optional`: every use of it is guarded by an `if` that tests it.
 */
export type TemplateVariable = { path: string; optional: boolean }

/**
 * The sources of one content by part, checked against the allow-list, after MJML:
 * `subject`, `html`, `text` of an e-mail; `text` of an SMS; `title`, `body`, `url` of an app message.
 */
export type ContentSources = Readonly<Record<string, string>>

export type CompiledChannel = {
  sensitivity: Sensitivity
  /** Over all its languages. */
  variables: TemplateVariable[]
  /** By locale, such as `nl`. */
  content: { readonly [locale: string]: ContentSources | undefined }
}

/** JSON all through: it is stored with the definition when that is applied. */
export type CompiledTemplate = {
  /** The folder's name, to which campaigns refer. */
  id: string
  /** Names exactly these texts, for ever: SHA-256 of `channels`, in hex. */
  hash: string
  channels: { app?: CompiledChannel; email?: CompiledChannel; sms?: CompiledChannel }
}

/** Where in which file; lines and columns count from 1. */
export type TemplateFault = { file: string; line: number; column: number; message: string }

/** One place where a content asks for a variable, so that an unknown one can be pointed at. */
export type VariableUse = TemplateVariable & {
  channel: ChannelName
  locale: string
  file: string
  line: number
  column: number
}

/** A name between single braces, with the `text` as it stands: `{organisation.phone}`, `{date entity.startsAt}`. */
export type SingleBraces = { path: string; text: string; line: number; column: number }

export type SmsSize = { segments: number; encoding: 'GSM-7' | 'UCS-2' }

export type Position = { line: number; column: number }

/**
 * One template folder. This package reads no YAML: the caller gives the parsed values and, if it
 * knows them, the positions inside.
 */
export type TemplateSources = {
  /** The folder's name. */
  id: string
  /** The organisation's languages, such as `['nl', 'en']`. */
  locales: readonly string[]
  /** Used for a person whose own language a template has not; each channel must have it. */
  defaultLocale: string
  /** The text of `email.nl.mjml`, `email.nl.txt`, `sms.nl.hbs`, … by file name. */
  files: Readonly<Record<string, string>>
  /** Parsed value of `template.yaml` and of each `app.*.yaml`, by file name. */
  values: Readonly<Record<string, unknown>>
  /** What every message shows that asks for it, by path, such as `organisation.name`. */
  known?: Readonly<Record<string, string>>
  /** Where the value at a path stands in a YAML file; without it faults point at line 1. */
  positionOf?: (file: string, path: readonly (string | number)[]) => Position | undefined
}

/** `compiled` is there exactly if there are no faults; warnings do not stop it. */
export type CompileResult = {
  compiled?: CompiledTemplate
  faults: TemplateFault[]
  warnings: TemplateFault[]
  /** Every variable at every place, in the order of the files: for the check against the catalogue. */
  uses: VariableUse[]
  /** What goes out as it stands, and has two braces too few where it is the name of a variable. */
  singleBraces: (SingleBraces & { file: string })[]
  /** By locale: what the static text and the values that are known take, its longer branches chosen. */
  smsSizes: Record<string, SmsSize>
}

export type RenderRequest = {
  channel: ChannelName
  /** The person's language: that one, else its base (`nl` of `nl-BE`), else `defaultLocale`. */
  locale: string
  defaultLocale: string
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
   * Throws WEGWIJS_TEMPLATE_VARIABLE_MISSING (a variable without a value),
   * WEGWIJS_TEMPLATE_CONTENT_MISSING (no language has this channel) or
   * WEGWIJS_TEMPLATE_OUTPUT_REFUSED (too large, a line break in a subject, a date that is none, a
   * link that is none). No error holds a value of `data` (P7).
   */
  render(template: Pick<CompiledTemplate, 'id' | 'channels'>, request: RenderRequest): Rendered
}
