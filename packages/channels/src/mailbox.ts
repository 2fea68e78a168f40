/** A mailbox with the name shown beside it, never read from text again once it is here. */
export type Mailbox = { name: string; address: string }

const localPart = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const domain =
  /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}][\p{L}\p{N}-]{0,61}[\p{L}\p{N}]$/u
const named = /^(?:"([^"\\]*)"|([^"<>\\]*?))\s*<([^<>\s]+)>$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const control = /[\u0000-\u001f\u007f\u2028\u2029]/

/**
 * One address as people write it: no quoted local part, no comment, no list, no address literal.
 * What is rarer is refused, because every parser on the way to the mailbox would read it in a way
 * of its own, and a message to somebody else is worse than one that is not sent. Undefined if it
 * is no such address.
 */
export function parseAddress(text: string): string | undefined {
  const at = text.lastIndexOf('@')
  const [local, host] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || local.length > 64 || text.length > 254) return undefined
  return localPart.test(local) && domain.test(host) ? text : undefined
}

/** `Name <mailbox>`, `"Name" <mailbox>` or a bare mailbox. Undefined if it is none of these. */
export function parseMailbox(text: string): Mailbox | undefined {
  if (control.test(text)) return undefined
  const [, quoted, bare, address = text] = named.exec(text.trim()) ?? []
  const parsed = parseAddress(address.trim())
  return parsed === undefined ? undefined : { name: quoted ?? bare ?? '', address: parsed }
}

export function hasControl(text: string): boolean {
  return control.test(text)
}
