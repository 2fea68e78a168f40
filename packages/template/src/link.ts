/**
 * Where a link of an e-mail may lead. A relative one leads nowhere, `javascript:` to harm; to the reader's
 * own machine it leads where Wegwijs is tried out.
 */
const allowedInEmail = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/]|mailto:|tel:|#)/i
const withVariableFirst = /^\{\{/

const linkAttribute = /\s(?:href|src|action|background)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi

/** The links of rendered or compiled HTML that lead where they must not; `{{…}}` waits for its value. */
export function badLinks(html: string): string[] {
  const links = [...html.matchAll(linkAttribute)].map(([, double, single, bare]) =>
    (double ?? single ?? bare ?? '').trim(),
  )
  return links.filter((link) => !allowedInEmail.test(link) && !withVariableFirst.test(link))
}

/** An app message may lead to a web page or to a page within the app (`/appointments`). */
export function isAppLink(link: string): boolean {
  if (/^\/(?!\/)[^\s\\]*$/.test(link)) return true
  const leadsOut = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/])/i
  return leadsOut.test(link) && URL.canParse(link) && !/[\s\\]/.test(link)
}
