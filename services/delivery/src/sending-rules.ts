import type { AgeRule } from '@wegwijs/campaign/addressees'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Budget, ClassPolicy, QuietHours } from '@wegwijs/campaign/definition/policies'
import type { CampaignClass } from '@wegwijs/campaign/definition/words'
import { fail } from '@wegwijs/runtime/failure'
import type { Store } from '@wegwijs/store/database'
import { latestBundle } from '@wegwijs/store/definitions'

/** What of the definition in force is needed to send. */
export type SendingRules = {
  revision: number
  classesNeedingConsent: readonly CampaignClass[]
  quietHours: readonly (QuietHours & { class: CampaignClass })[]
  budgets: readonly Budget[]
  ages: readonly AgeRule[]
  channels: DefinitionBundle['channels']
  organisation: DefinitionBundle['policies']['organisation']
  locale: string
  timeZone: string
  /** Right-hand side of every Message-ID. */
  mailDomain: string
}

/**
 * The rules in force, read once per revision. Every claim compares the revision in its own
 * statement, so nothing is sent by rules that have been replaced (P3).
 */
export type CurrentRules = {
  /** @throws WEGWIJS_DEFINITION_MISSING (retryable) while nothing has been applied */
  latest(): Promise<SendingRules>
  /** The next `latest` reads them again. */
  forget(): void
}

export function createCurrentRules(store: Store): CurrentRules {
  let loading: Promise<SendingRules> | null = null
  const load = async (): Promise<SendingRules> => {
    const latest = await latestBundle(store.db)
    if (!latest) throw fail('WEGWIJS_DEFINITION_MISSING')
    return rulesOf(latest.revision, latest.bundle)
  }
  return {
    latest: () => {
      loading ??= load().catch((error: unknown) => {
        loading = null
        throw error
      })
      return loading
    },
    forget: () => {
      loading = null
    },
  }
}

export function rulesOf(
  revision: number,
  { channels, policies }: Pick<DefinitionBundle, 'channels' | 'policies'>,
): SendingRules {
  const classes = Object.entries(policies.classes) as [CampaignClass, ClassPolicy][]
  return {
    revision,
    classesNeedingConsent: classes
      .filter(([, policy]) => policy.consent === 'required')
      .map(([name]) => name),
    quietHours: classes.flatMap(([name, { quietHours }]) =>
      quietHours ? [{ class: name, ...quietHours }] : [],
    ),
    budgets: policies.budgets ?? [],
    ages: policies.ages ?? [],
    channels,
    organisation: policies.organisation,
    locale: policies.locale,
    timeZone: policies.timeZone,
    mailDomain: domainOf(channels.email?.from ?? '') ?? 'wegwijs.invalid',
  }
}

/** `example.org` of `Hospital <post@example.org>`. */
function domainOf(from: string): string | undefined {
  return /@([^\s<>@]+)>?\s*$/.exec(from)?.[1]
}
