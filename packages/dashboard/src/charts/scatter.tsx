import { useComputedColorScheme } from '@mantine/core'
import { type JSX, type PointerEvent, type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { quantityText } from '../ui/format.ts'
import type { Zone } from '../ui/time-range.ts'
import { timeText } from '../ui/time-text.ts'
import { timeLabels } from './chart-options.ts'
import { readColour } from './palette.ts'
import { decades, durationDecades, nearest, place, type ScatterFrame, type ScatterPoint, timeMarks, valueAt } from './scatter-scale.ts'
import './charts.css'

/** A dragged box: milliseconds and seconds. */
export interface ScatterBox {
  readonly start: number
  readonly end: number
  readonly shortest: number
  readonly longest: number
}

export interface ScatterProps {
  readonly points: readonly ScatterPoint[]
  readonly range: { readonly start: number; readonly end: number }
  readonly zone: Zone
  /** CSS pixels. */
  readonly height?: number
  readonly onOpen: (id: string) => void
  readonly onBox: (box: ScatterBox) => void
  readonly onZoomOut: () => void
}

interface Drag {
  readonly x: number
  readonly y: number
  readonly toX: number
  readonly toY: number
}

/** Where a pointer is, CSS pixels from the corner of the canvas. */
function pointerAt(event: PointerEvent<HTMLCanvasElement>): { readonly x: number; readonly y: number } {
  const box = event.currentTarget.getBoundingClientRect()
  return { x: event.clientX - box.left, y: event.clientY - box.top }
}

/** Durations over time, one dot a trace. A click opens the nearest, dragging a box narrows time and duration. Fetches nothing. */
export function Scatter(props: ScatterProps): JSX.Element {
  const { points, range, zone, height = 200 } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const width = useWidth(canvas)
  const scheme = useComputedColorScheme('light')
  const [hover, setHover] = useState<ScatterPoint | null>(null)
  const [drag, setDrag] = useState<Drag | null>(null)
  const frame = useMemo<ScatterFrame>(
    () => ({ left: 62, top: 8, width: Math.max(width - 74, 10), height: height - 34, start: range.start, end: range.end, ...durationDecades(points) }),
    [points, range.start, range.end, width, height],
  )
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, { frame, points, zone, hover, drag, scheme })
  }, [frame, points, zone, hover, drag, scheme])

  const down = (event: PointerEvent<HTMLCanvasElement>): void => {
    if (event.button !== 0 || event.pointerType === 'touch') return
    event.currentTarget.setPointerCapture(event.pointerId)
    const { x, y } = pointerAt(event)
    setDrag({ x, y, toX: x, toY: y })
  }
  const move = (event: PointerEvent<HTMLCanvasElement>): void => {
    const { x, y } = pointerAt(event)
    if (drag !== null) setDrag({ ...drag, toX: x, toY: y })
    else setHover(nearest(frame, points, x, y, 14))
  }
  const up = (event: PointerEvent<HTMLCanvasElement>): void => {
    const { x, y } = pointerAt(event)
    setDrag(null)
    if (drag !== null && Math.abs(x - drag.x) > 5) {
      const [one, two] = [valueAt(frame, drag.x, drag.y), valueAt(frame, x, y)]
      const flat = Math.abs(y - drag.y) < 12
      props.onBox({
        start: Math.min(one.time, two.time),
        end: Math.max(one.time, two.time),
        shortest: flat ? 0 : Math.min(one.seconds, two.seconds),
        longest: flat ? Infinity : Math.max(one.seconds, two.seconds),
      })
      return
    }
    const found = nearest(frame, points, x, y, event.pointerType === 'touch' ? 24 : 14)
    if (found !== null) props.onOpen(found.id)
  }
  return (
    <div className="scatter">
      <canvas
        ref={canvas}
        style={{ height, cursor: hover === null ? 'crosshair' : 'pointer' }}
        role="img"
        aria-label={`Durations of ${points.length} traces over time; the same traces stand in the table below.`}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={() => setDrag(null)}
        onPointerLeave={() => setHover(null)}
        onDoubleClick={props.onZoomOut}
      />
      {hover !== null && drag === null && <Tip point={hover} frame={frame} zone={zone} />}
    </div>
  )
}

function Tip({ point, frame, zone }: { readonly point: ScatterPoint; readonly frame: ScatterFrame; readonly zone: Zone }): JSX.Element {
  const at = place(frame, point.time, point.seconds)
  const right = at.x > frame.left + frame.width / 2
  return (
    <div className="scatter-tip" style={{ top: Math.max(0, at.y - 16), ...(right ? { right: `calc(100% - ${at.x - 14}px)` } : { left: at.x + 14 }) }}>
      <b>
        {quantityText(point.seconds, 'seconds')}
        {point.failed ? ' · failed' : ''}
      </b>
      {point.label}
      <br />
      {timeText(point.time, zone)}
    </div>
  )
}

function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(600)
  useEffect(() => {
    const target = element.current
    if (target === null) return
    const observer = new ResizeObserver(() => setWidth(target.clientWidth))
    observer.observe(target)
    return () => observer.disconnect()
  }, [element])
  return width
}

interface Scene {
  /** Not read: the colours are; but another scheme is another scene. */
  readonly scheme: string
  readonly frame: ScatterFrame
  readonly points: readonly ScatterPoint[]
  readonly zone: Zone
  readonly hover: ScatterPoint | null
  readonly drag: Drag | null
}

function draw(canvas: HTMLCanvasElement, scene: Scene): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const scale = devicePixelRatio
  canvas.width = Math.round(canvas.clientWidth * scale)
  canvas.height = Math.round(canvas.clientHeight * scale)
  context.scale(scale, scale)
  drawAxes(context, canvas, scene)
  const [plain, failed] = [readColour(canvas, '--chart-accent'), readColour(canvas, '--chart-bad')]
  for (const kind of [false, true]) {
    context.fillStyle = kind ? failed : plain
    context.globalAlpha = kind ? 0.9 : 0.6
    for (const point of scene.points) {
      if (point.failed !== kind) continue
      const at = place(scene.frame, point.time, point.seconds)
      context.beginPath()
      context.arc(at.x, at.y, kind ? 4 : 3.5, 0, 7)
      context.fill()
    }
  }
  context.globalAlpha = 1
  if (scene.hover !== null) {
    const at = place(scene.frame, scene.hover.time, scene.hover.seconds)
    context.strokeStyle = readColour(canvas, '--text')
    context.lineWidth = 2
    context.beginPath()
    context.arc(at.x, at.y, 6, 0, 7)
    context.stroke()
  }
  if (scene.drag !== null) drawBox(context, canvas, scene.frame, scene.drag)
}

function drawAxes(context: CanvasRenderingContext2D, canvas: HTMLCanvasElement, { frame, zone }: Scene): void {
  context.font = `11px ${getComputedStyle(canvas).fontFamily}`
  context.fillStyle = readColour(canvas, '--chart-text')
  context.strokeStyle = readColour(canvas, '--chart-grid')
  context.lineWidth = 1
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  for (const mark of decades(frame)) {
    const y = Math.round(place(frame, frame.start, mark).y) + 0.5
    context.beginPath()
    context.moveTo(frame.left, y)
    context.lineTo(frame.left + frame.width, y)
    context.stroke()
    context.fillText(quantityText(mark, 'seconds'), frame.left - 8, y)
  }
  const { marks, step } = timeMarks(frame.start, frame.end, Math.max(2, Math.floor(frame.width / 90)))
  context.textAlign = 'center'
  for (const [index, label] of timeLabels(marks, step, zone).entries()) {
    context.fillText(label, place(frame, marks[index] ?? 0, frame.lowest).x, frame.top + frame.height + 16)
  }
}

function drawBox(context: CanvasRenderingContext2D, canvas: HTMLCanvasElement, frame: ScatterFrame, drag: Drag): void {
  const flat = Math.abs(drag.toY - drag.y) < 12
  const [top, height] = flat ? [frame.top, frame.height] : [Math.min(drag.y, drag.toY), Math.abs(drag.toY - drag.y)]
  context.fillStyle = readColour(canvas, '--brush')
  context.strokeStyle = readColour(canvas, '--accent')
  context.fillRect(Math.min(drag.x, drag.toX), top, Math.abs(drag.toX - drag.x), height)
  context.strokeRect(Math.min(drag.x, drag.toX), top, Math.abs(drag.toX - drag.x), height)
}
