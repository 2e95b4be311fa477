import type { JSX } from 'react'
import type { DashboardData, Gauge, Overview } from '../api/client.ts'
import type { Tone } from '../charts/palette.ts'
import { Sparkline } from '../charts/sparkline.tsx'
import type { Unit } from '../ui/format.ts'
import { Num } from '../ui/number.tsx'
import './overview.css'

interface TileProps {
  readonly label: string
  readonly note?: string
  readonly value: number | null
  readonly unit: Unit
  readonly values: readonly (number | null)[]
  readonly tone?: Tone
  readonly absent?: string
}

function Tile({ label, note, value, unit, values, tone = 'accent', absent }: TileProps): JSX.Element {
  return (
    <div className="tile">
      <div className="tile-label">
        <span>{label}</span>
        {note !== undefined && <span>{note}</span>}
      </div>
      <div className="tile-value">
        <Num value={value} unit={unit} {...(absent === undefined ? {} : { absent })} />
      </div>
      <div className="tile-spark">
        <Sparkline values={values} tone={tone} width={240} height={34} />
      </div>
    </div>
  )
}

/** What the kanban's users feel. Nothing is shown where no kanban has sent these metrics. */
export function BusinessTiles({ data, faded }: { readonly data: Overview; readonly faded: boolean }): JSX.Element | null {
  const { business } = data
  if (business === null) return null
  const spark = (key: string): readonly (number | null)[] => business.spark?.[key] ?? []
  return (
    <section className={faded ? 'tiles faded' : 'tiles'} aria-label="Kanban">
      <Tile label="Task creation" note="p95" value={business.taskCreationP95Ms} unit="milliseconds" values={spark('taskCreationP95Ms')} absent="No task was created in this range" />
      <Tile label="Board load" note="p95" value={business.boardLoadP95Ms} unit="milliseconds" values={spark('boardLoadP95Ms')} absent="No board was loaded in this range" />
      <Tile label="Cache hits" note="of reads" value={business.cacheHitRatio} unit="ratio" values={spark('cacheHitRatio')} tone="good" absent="The cache was not read in this range" />
      <Tile label="Operations" value={business.operationsPerSecond} unit="operationsPerSecond" values={spark('operationsPerSecond')} tone="series-4" />
    </section>
  )
}

const HOST: readonly { readonly key: string; readonly label: string; readonly tone: Tone }[] = [
  { key: 'cpuUsage', label: 'CPU of the host', tone: 'series-1' },
  { key: 'memoryUsage', label: 'Memory of the host', tone: 'series-4' },
  { key: 'diskUsage', label: 'Disk', tone: 'series-3' },
  { key: 'networkIO', label: 'Network', tone: 'series-2' },
]

/** The machine that the services run on. */
export function HostTiles({ data, faded }: { readonly data: DashboardData; readonly faded: boolean }): JSX.Element | null {
  const shown = HOST.flatMap(({ key, label, tone }) => {
    const gauge: Gauge | undefined = data.systemMetrics[key]
    return gauge === undefined ? [] : [{ key, label, tone, gauge }]
  })
  if (shown.every(({ gauge }) => gauge.value === null && gauge.series.length === 0)) return null
  return (
    <section className={faded ? 'tiles faded' : 'tiles'} aria-label="Host">
      {shown.map(({ key, label, tone, gauge }) => (
        <Tile
          key={key}
          label={label}
          tone={tone}
          unit={gauge.unit}
          value={gauge.value}
          values={gauge.series.map(([, value]) => value)}
          absent="The agent has sent nothing of the host in this range"
        />
      ))}
    </section>
  )
}
