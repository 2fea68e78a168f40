import { type Markup, markup } from './markup.ts'

export type IconName = 'email' | 'sms' | 'app' | 'sign' | 'back'

/** Drawn in strokes of the colour of the text around them; decoration, so hidden from readers. */
export function icon(name: IconName): Markup {
  return markup`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shapes[name]}</svg>`
}

const shapes: Record<IconName, Markup> = {
  email: markup`<rect x="3" y="5.5" width="18" height="13" rx="2.5"/><path d="m4 7.5 8 6 8-6"/>`,
  sms: markup`<path d="M5 4.5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-4.5 3.5v-3.5H5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2Z"/><path d="M8 9.5h8M8 12.5h5"/>`,
  app: markup`<rect x="7" y="2.5" width="10" height="19" rx="2.5"/><path d="M10.5 18.5h3"/>`,
  sign: markup`<path d="M12 2.5v19M9 21.5h6M12 5h6.5L21 7.5 18.5 10H12M12 11.5H5.5L3 14l2.5 2.5H12"/>`,
  back: markup`<path d="m14.5 5.5-6.5 6.5 6.5 6.5"/>`,
}
