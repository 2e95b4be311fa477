import { useComputedColorScheme } from '@mantine/core'
import { type JSX, type PointerEvent, useEffect, useRef, useState } from 'react'
import { readColour } from './palette.ts'
import type { TraceExtent, TreeNode } from './trace-tree.ts'

export interface MinimapProps {
  readonly nodes: readonly TreeNode[]
  readonly extent: TraceExtent
  readonly window: TraceExtent
  /** Custom properties by service. */
  readonly colours: ReadonlyMap<string, string>
  /** Which part of the rows is on the screen, shares of all rows. */
  readonly rows: { readonly from: number; readonly to: number }
  readonly onWindow: (window: TraceExtent) => void
}

/** Where a pointer is, as a share of the width. */
function share(event: PointerEvent<HTMLElement>): number {
  const box = event.currentTarget.getBoundingClientRect()
  return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))
}

/** The whole trace as one small picture. Dragging chooses the part of time shown below; a double click shows all of it again. */
export function Minimap(props: MinimapProps): JSX.Element {
  const { nodes, extent, window, colours, rows, onWindow } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const scheme = useComputedColorScheme('light')
  const [width, setWidth] = useState(0)
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null)
  useEffect(() => {
    const element = canvas.current
    if (element === null) return
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    if (canvas.current !== null && width > 0) paint(canvas.current, { nodes, extent, colours, scheme })
  }, [nodes, extent, colours, width, scheme])

  const length = extent.end - extent.start
  const finish = (event: PointerEvent<HTMLElement>): void => {
    const from = drag?.from ?? 0
    const to = share(event)
    setDrag(null)
    if (Math.abs(to - from) < 0.005) return
    onWindow({ start: extent.start + Math.min(from, to) * length, end: extent.start + Math.max(from, to) * length })
  }
  const shown = drag === null ? { from: (window.start - extent.start) / length, to: (window.end - extent.start) / length } : drag
  const [left, right] = [Math.min(shown.from, shown.to), Math.max(shown.from, shown.to)]
  return (
    <div className="wf-map">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`The whole trace: ${nodes.length} spans. Drag to look at a part of its time.`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          setDrag({ from: share(event), to: share(event) })
        }}
        onPointerMove={(event) => {
          if (drag !== null) setDrag({ ...drag, to: share(event) })
        }}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(null)}
        onDoubleClick={() => onWindow(extent)}
      />
      <div className="wf-view" style={{ top: `${rows.from * 100}%`, height: `${Math.max(2, (rows.to - rows.from) * 100)}%` }} />
      {(left > 0.0005 || right < 0.9995) && <div className="wf-window" style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }} />}
    </div>
  )
}

interface Scene extends Pick<MinimapProps, 'nodes' | 'extent' | 'colours'> {
  /** Not read: the colours are; but another scheme is another scene. */
  readonly scheme: string
}

/** Each span one line at its row's height; with more spans than pixels they overlap, failed ones on top. */
function paint(canvas: HTMLCanvasElement, { nodes, extent, colours }: Scene): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const scale = devicePixelRatio
  const [width, height] = [canvas.clientWidth, canvas.clientHeight]
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  context.scale(scale, scale)
  const style = new Map([...colours].map(([service, variable]) => [service, readColour(canvas, variable)]))
  const bad = readColour(canvas, '--bad')
  const row = (height - 6) / Math.max(nodes.length, 1)
  const thick = Math.max(1, Math.min(4, row * 0.8))
  const length = extent.end - extent.start
  const line = (node: TreeNode, at: number, colour: string): void => {
    context.fillStyle = colour
    const x = ((node.span.startOffsetUs - extent.start) / length) * width
    context.fillRect(x, 3 + at * row, Math.max(1, (node.span.durationUs / length) * width), thick)
  }
  for (const [at, node] of nodes.entries()) if (node.span.status !== 'error') line(node, at, style.get(node.span.service) ?? bad)
  for (const [at, node] of nodes.entries()) if (node.span.status === 'error') line(node, at, bad)
}
