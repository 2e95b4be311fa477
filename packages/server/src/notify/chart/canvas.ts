import { CELL, glyphOf } from './font.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

/** Pixels with a colour of a palette each; what lies outside is not drawn. */
export class Canvas {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.pixels = new Uint8Array(width * height)
  }

  dot(x: number, y: number, colour: number): void {
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.pixels[y * this.width + x] = colour
  }

  rectangle({ x, y }: Point, width: number, height: number, colour: number): void {
    for (let row = y; row < y + height; row += 1) for (let column = x; column < x + width; column += 1) this.dot(column, row, colour)
  }

  /** @param dash - drawn and left out by turns, in pixels; 0: a whole line */
  horizontal(from: Point, length: number, colour: number, dash = 0): void {
    for (let step = 0; step < length; step += 1) if (dash === 0 || Math.floor(step / dash) % 2 === 0) this.dot(from.x + step, from.y, colour)
  }

  vertical(from: Point, length: number, colour: number, dash = 0): void {
    for (let step = 0; step < length; step += 1) if (dash === 0 || Math.floor(step / dash) % 2 === 0) this.dot(from.x, from.y + step, colour)
  }

  /** A line two pixels thick, by Bresenham. */
  line(from: Point, to: Point, colour: number): void {
    let [x, y] = [Math.round(from.x), Math.round(from.y)]
    const [endX, endY] = [Math.round(to.x), Math.round(to.y)]
    const [dx, dy] = [Math.abs(endX - x), -Math.abs(endY - y)]
    let error = dx + dy
    for (;;) {
      this.rectangle({ x, y }, 2, 2, colour)
      if (x === endX && y === endY) return
      const twice = 2 * error
      if (twice >= dy) {
        error += dy
        x += Math.sign(endX - x)
      }
      if (twice <= dx) {
        error += dx
        y += Math.sign(endY - y)
      }
    }
  }

  /** @param scale - pixels a dot of the letters has on each side */
  text(at: Point, text: string, colour: number, scale = 1): void {
    for (const [index, letter] of Array.from(text).entries()) {
      for (const [column, bits] of glyphOf(letter).entries()) {
        for (let row = 0; row < CELL.height; row += 1) {
          if ((bits & (1 << row)) !== 0) this.rectangle({ x: at.x + (index * CELL.width + column) * scale, y: at.y + row * scale }, scale, scale, colour)
        }
      }
    }
  }
}

/** In pixels. */
export function textWidth(text: string, scale: number): number {
  return Array.from(text).length * CELL.width * scale
}
