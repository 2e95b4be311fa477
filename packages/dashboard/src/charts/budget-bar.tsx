import type { Ratio } from '@andon/model'
import type { JSX } from 'react'
import { type Tone, toneVariable } from './palette.ts'
import './charts.css'

/** How much of a budget is left; below none it is overspent. */
export function budgetTone(left: Ratio | null): Tone {
  if (left === null) return 'limit'
  return left <= 0 ? 'bad' : left < 0.25 ? 'warn' : 'good'
}

/** What is left of a budget as a bar with its number. */
export function BudgetBar({ left, text }: { readonly left: Ratio | null; readonly text: string }): JSX.Element {
  const share = Math.min(1, Math.max(0, left ?? 0))
  return (
    <span className="budget">
      <i className="budget-bar" style={{ '--share': `${share * 100}%`, '--swatch': `var(${toneVariable(budgetTone(left))})` }} />
      <span className={left !== null && left <= 0 ? 'num bad-text' : 'num'}>{text}</span>
    </span>
  )
}
