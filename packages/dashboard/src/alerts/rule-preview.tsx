import { useDebouncedValue } from '@mantine/hooks'
import { type JSX, useMemo } from 'react'
import { unitOfExpression } from '../api/promql.ts'
import { useExpression } from '../api/use-expression.ts'
import type { ChartSeries } from '../charts/chart-options.ts'
import { asLines } from '../charts/lines.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { Panel } from '../ui/panel.tsx'
import { resolveRange } from '../ui/time-range.ts'
import { useNow, useShell } from '../ui/use-shell.ts'
import { previewOf, type Preview } from './rule-measure.ts'
import type { RuleForm } from './rule-definition.ts'

const LINES = 5

/** What the rule watches, in the chosen time, with its thresholds as lines. */
export function RulePreview({ form }: { readonly form: RuleForm }): JSX.Element {
  const preview = useMemo(() => previewOf(form), [form])
  const [settled] = useDebouncedValue(preview, 500)
  return (
    <Panel title="What it looks like" aside={<span>In the time chosen at the top</span>}>
      {settled === null ? <p className="dim">{form.kind === 'simple' ? 'Choose a metric, and it is drawn here.' : 'Write an expression, and what it watches is drawn here.'}</p> : <Drawn preview={settled} />}
    </Panel>
  )
}

function Drawn({ preview }: { readonly preview: Preview }): JSX.Element {
  const shell = useShell()
  const now = useNow(15_000)
  const range = resolveRange(shell.selection, now)
  const { drawn, error, pending } = useExpression(preview.expression, range, LINES)
  if (error !== null && drawn === undefined) return <p className="warn-text">It cannot be drawn: {error.message}</p>
  const t = drawn?.t ?? []
  // A line over the whole range, also where nothing was measured.
  const times = t.length > 0 ? t : [range.start, range.end]
  const limits = preview.thresholds.map(({ value, label, tone }): ChartSeries => ({ label, values: times.map(() => value), tone, dashed: true }))
  const lines = asLines(drawn?.series ?? [])
  return (
    <>
      <TimeSeries
        title={pending ? 'Asking …' : lines.length === 0 ? 'Nothing was measured in this time' : 'What it watches'}
        t={times}
        series={[...lines, ...limits]}
        unit={unitOfExpression(preview.expression)}
        range={range}
        zone={shell.zone}
        height={190}
        syncKey="rule"
        onSelect={shell.selectRange}
        onZoomOut={shell.zoomOut}
      />
      {drawn !== undefined && drawn.more > 0 && <p className="dim">The {LINES} largest series; {drawn.more} more are left out.</p>}
    </>
  )
}
