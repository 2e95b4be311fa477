// PNG of a picture with a palette.
// @see https://www.w3.org/TR/png-3/
import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Eight bits a pixel, by palette; no interlace. */
const FORM = [8, 3, 0, 0, 0] as const

/** length · type · data · CRC of type and data */
function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, check])
}

/**
 * @param pixels - one index of the palette each, row by row from the top; `width` times `height` of them
 * @param palette - at most 256 colours, each 0xRRGGBB
 */
export function encodePng({ width, height, pixels }: { readonly width: number; readonly height: number; readonly pixels: Uint8Array }, palette: readonly number[]): Buffer {
  if (pixels.length !== width * height) throw new RangeError(`${pixels.length} pixels are not ${width} × ${height}`)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  // Each row begins with the filter it is packed by: none.
  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y += 1) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1)
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))
  return Buffer.concat([SIGNATURE, chunk('IHDR', Buffer.concat([head, Buffer.from(FORM)])), chunk('PLTE', colours), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}
