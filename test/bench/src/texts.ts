/** Some 1,500 characters of a letter that both sides send. */
export function paragraphs(before: string, after: string): string {
  const sentence =
    'Neem de eerste dagen rust, drink voldoende en bel ons als u koorts krijgt of als de pijn niet minder wordt. '
  return `${before}${sentence.repeat(3).trim()}${after}`.repeat(5)
}
