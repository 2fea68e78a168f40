/**
 * What somebody wrote, as far as it counts: letters and digits, in small letters, without accents, so
 * that "Ja!" is "ja" and "één" is "een".
 */
export function wordOf(text: string): string {
  const letters = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  return letters.replace(/[^\p{L}\p{N}]+/gu, ' ').trim()
}
