// Values that files of objectives have and no other section.
import { AndonError, isTimeZone, type Labels, type Milliseconds, type Ratio } from '@andon/model'
import { parse, typeOf } from '@andon/promql'
import type { Reading } from '../runtime/reading.ts'

const LABEL = /^[a-zA-Z_]\w*$/

/** Percent as a share, without the last digits that dividing makes: 99.9 is 0.999. */
export function share(percent: number): Ratio {
  return Number((percent / 100).toPrecision(15))
}

/** A number, also one written as a text and with a sign of percent. @throws AndonError bad_config */
export function readNumber(reading: Reading): number {
  const { value: given } = reading
  const value = typeof given === 'string' && /^[\d.]+%?$/.test(given) ? Number.parseFloat(given) : given
  return typeof value === 'number' && Number.isFinite(value) ? value : reading.refuse('must be a number')
}

/** A target in percent as a share. @throws AndonError bad_config */
export function readPercent(reading: Reading): Ratio {
  const value = readNumber(reading)
  if (!(value > 0 && value < 100)) return reading.refuse('must be a number of percent greater than 0 and less than 100, such as 99.9')
  return share(value)
}

/** The name of a time zone; UTC where nothing is written. @throws AndonError bad_config */
export function readTimeZone(reading: Reading): string {
  const name = reading.name('UTC')
  return isTimeZone(name) ? name : reading.refuse(`"${name}" is not a time zone such as Europe/Berlin`)
}

/** A moment. @throws AndonError bad_config */
export function readTime(reading: Reading): Milliseconds {
  const { value } = reading
  const time = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isFinite(time) ? time : reading.refuse('must be a time such as 2026-11-28T22:00:00Z')
}

/** Labels with their texts; none where nothing is written. @throws AndonError bad_config */
export function readLabels(reading: Reading): Labels {
  const given = reading.orEmpty()
  return Object.fromEntries(
    given.keys().map((name) => {
      if (!LABEL.test(name)) given.at(name).refuse('is not a name for a label')
      return [name, given.at(name).name('')]
    }),
  )
}

/** An expression of PromQL, checked with its windows filled in. @throws AndonError bad_config */
export function readExpression(reading: Reading): string {
  const text = reading.name()
  try {
    const type = typeOf(parse(text.replaceAll(/\{\{-?\s*\.window\s*-?\}\}|\$window\b/g, '5m'), { step: 0, range: 0 }))
    if (type !== 'instant vector' && type !== 'scalar') return reading.refuse(`must be an instant vector or a scalar, not a ${type}`)
  } catch (error) {
    if (error instanceof AndonError && error.code === 'bad_config') throw error
    return reading.refuse(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return text
}
