import type { AgreementReport } from '@andon/model'
import type { JSX } from 'react'
import { quantityText } from '../ui/format.ts'
import { shareText } from '../ui/percent.ts'

/** One field per day: kept, broken, or nothing counted; the number stands in it. */
export function AgreementDays({ days, target }: { readonly days: AgreementReport['days']; readonly target: number }): JSX.Element {
  return (
    <ol className="days">
      {days.map(({ day, attainment, bad, total }) => {
        const tone = attainment === null ? 'none' : attainment >= target ? (bad === 0 ? 'whole' : 'kept') : 'broken'
        const words = attainment === null ? 'nothing was counted' : `${shareText(attainment)}, ${quantityText(bad, 'count')} of ${quantityText(total, 'count')} bad`
        return (
          <li key={day} className={tone} title={`${day}: ${words}`}>
            <span>{day.slice(8)}</span>
            <b className="num">{attainment === null ? '–' : shareText(attainment, 3).replace(' %', '')}</b>
            <span className="sr">{words}</span>
          </li>
        )
      })}
    </ol>
  )
}
