import type { Logger } from '@wegwijs/runtime/log'
import type { Store } from '@wegwijs/store/database'
import { loadTemplates, type TemplateReference } from '@wegwijs/store/templates'
import type { CompiledTemplate } from '@wegwijs/template/template'

export type Template = Pick<CompiledTemplate, 'id' | 'channels'>

/** A text as it is sent, or that there is one which nobody can read; null where there is none. */
export type ShelvedText = Template | 'unreadable' | null

/** Some hundred campaigns with a few versions in flight fit; what was used longest ago goes first. */
const mostTemplates = 500

/** Texts of templates by what names them for ever; what is not here is loaded, all in one statement. */
export type TemplateShelf = {
  /** @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable) */
  take(references: readonly TemplateReference[]): Promise<ShelvedText[]>
}

/** Logs each text that cannot be read, whenever it is wanted: whoever mends it need not start anything anew. */
export function createTemplateShelf(store: Store, log: Logger): TemplateShelf {
  const shelf = new Map<string, Template>()
  const put = (key: string, template: Template) => {
    shelf.delete(key)
    shelf.set(key, template)
    const [oldest] = shelf.keys()
    if (shelf.size > mostTemplates && oldest !== undefined) shelf.delete(oldest)
  }
  return {
    take: async (references) => {
      const wanted = new Map(references.map((reference) => [keyOf(reference), reference]))
      const missing = [...wanted].filter(([key]) => !shelf.has(key)).map(([, each]) => each)
      const loaded = missing.length > 0 ? await loadTemplates(store.db, missing) : []
      const fresh = new Map(
        loaded.map(({ templateId, hash, channels }): [string, Template | 'unreadable'] => {
          const key = keyOf({ templateId, hash })
          if (!(channels instanceof Error)) return [key, { id: templateId, channels }]
          log.error('a template cannot be read', { template: templateId, error: channels })
          return [key, 'unreadable']
        }),
      )
      const taken = references.map(
        (each) => fresh.get(keyOf(each)) ?? shelf.get(keyOf(each)) ?? null,
      )
      for (const key of wanted.keys()) {
        const template = fresh.get(key) ?? shelf.get(key)
        if (template && template !== 'unreadable') put(key, template)
      }
      return taken
    },
  }
}

function keyOf({ templateId, hash }: TemplateReference): string {
  return `${templateId} ${hash}`
}
