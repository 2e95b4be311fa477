/** How a measured value is held against a threshold. */
export type ThresholdOperator = 'gt' | 'gte' | 'lt' | 'lte' | 'eq'

/**
 * Whether `value operator threshold` holds. The only place where these operators are decided.
 *
 * @param operator - gt >, gte >=, lt <, lte <=, eq ===
 * @param value - in the unit of `threshold`; NaN satisfies nothing
 * @param threshold - in the unit of `value`
 * @example compare('gte', 500, 500) // true
 */
export function compare(operator: ThresholdOperator, value: number, threshold: number): boolean {
  switch (operator) {
    case 'gt':
      return value > threshold
    case 'gte':
      return value >= threshold
    case 'lt':
      return value < threshold
    case 'lte':
      return value <= threshold
    case 'eq':
      return value === threshold
  }
}
