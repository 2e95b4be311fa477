// Colours of charts. They stand as custom properties in theme.css, for light and dark; canvases read them here.

declare module 'react' {
  interface CSSProperties {
    /** Custom properties, such as the `--swatch` of a chart's legend. */
    [variable: `--${string}`]: string | number | undefined
  }
}

/** What a line or area stands for; its colour follows from that. */
export type Tone = 'accent' | 'p50' | 'p95' | 'p99' | 'good' | 'warn' | 'bad' | 'limit' | 'series-1' | 'series-2' | 'series-3' | 'series-4'

/** A service's own colour. */
export type ServiceTone = 'service-1' | 'service-2' | 'service-3' | 'service-4' | 'service-5' | 'service-6' | 'service-7' | 'service-8'

/** How many colours there are for services; later ones share. */
export const SERVICE_COLOURS = 8

/** The custom property of a tone. */
export const toneVariable = (tone: Tone | ServiceTone): string => (tone.startsWith('service-') ? `--${tone}` : `--chart-${tone}`)

/**
 * The custom property for each service's colour, by order of first appearance, so that neighbours in a trace differ.
 *
 * @param names - may hold a name more than once
 */
export function serviceColours(names: Iterable<string>): ReadonlyMap<string, string> {
  const colours = new Map<string, string>()
  for (const name of names) if (!colours.has(name)) colours.set(name, `--service-${(colours.size % SERVICE_COLOURS) + 1}`)
  return colours
}

/** The value of a custom property where an element stands, for a canvas. */
export function readColour(element: Element, variable: string): string {
  return getComputedStyle(element).getPropertyValue(variable).trim()
}
