import { type CollisionDetection, MouseSensor, type SensorDescriptor, type SensorOptions, TouchSensor, useSensor, useSensors } from '@dnd-kit/core'
import { useRef, useState } from 'react'
import type { Target } from './placement.ts'

// The same objects at every render: the library renders every card anew when they change.
const MOUSE = { activationConstraint: { distance: 6 } }
const TOUCH = { activationConstraint: { delay: 220, tolerance: 8 } }

interface Point {
  readonly x: number
  readonly y: number
}

interface Drag {
  readonly id: string | null
  /** Where the card would land; null over no column. */
  readonly target: Target | null
  readonly sensors: SensorDescriptor<SensorOptions>[]
  readonly collision: CollisionDetection
  readonly start: (id: string) => void
  readonly move: (columnId: string | null) => void
  /** @returns where it landed */
  readonly end: () => Target | null
}

/** The first card of a column whose middle is below the pointer: the dragged one goes before it. */
function cardBelow(columnId: string, y: number, dragged: string): string | null {
  const slots = document.querySelectorAll<HTMLElement>(`[data-column="${CSS.escape(columnId)}"] [data-slot]`)
  for (const slot of slots) {
    if (slot.dataset['slot'] === dragged) continue
    const { top, height } = slot.getBoundingClientRect()
    if (y < top + height / 2) return slot.dataset['slot'] ?? null
  }
  return null
}

/** Dragging by mouse or long touch. Only columns are measured as targets, so a board of a thousand cards drags as well as one of ten. */
export function useDrag(): Drag {
  const [id, setId] = useState<string | null>(null)
  const [target, setTarget] = useState<Target | null>(null)
  const pointer = useRef<Point | null>(null)
  const sensors = useSensors(useSensor(MouseSensor, MOUSE), useSensor(TouchSensor, TOUCH))
  const collision: CollisionDetection = ({ droppableContainers, droppableRects, pointerCoordinates }) => {
    pointer.current = pointerCoordinates
    if (pointerCoordinates === null) return []
    const { x } = pointerCoordinates
    // The space below a short column belongs to it.
    return droppableContainers
      .filter((one) => {
        const rect = droppableRects.get(one.id)
        return rect !== undefined && x >= rect.left && x <= rect.right
      })
      .map((one) => ({ id: one.id }))
  }
  return {
    id,
    target,
    sensors,
    collision,
    start: (started) => {
      setId(started)
      setTarget(null)
    },
    move: (columnId) => {
      if (columnId === null || pointer.current === null || id === null) return setTarget(null)
      const before = cardBelow(columnId, pointer.current.y, id)
      setTarget((old) => (old !== null && old.columnId === columnId && old.before === before ? old : { columnId, before }))
    },
    end: () => {
      setId(null)
      setTarget(null)
      return target
    },
  }
}
