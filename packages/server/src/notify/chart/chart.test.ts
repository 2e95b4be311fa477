import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, inflateSync } from 'node:zlib'
import { FakeClock } from '../../runtime/clock.ts'
import { silentLog } from '../../runtime/log.ts'
import type { OutMessage } from '../channel.ts'
import { alertOf, notificationOf, START } from '../world.test.ts'
import { drawChart, shortNumber } from './draw.ts'
import { isPublicUrl, Pictures, rangeOf, type SeriesReader } from './pictures.ts'

/** A decoder of what a viewer needs, written apart from the encoder. */
function decode(png: Buffer): { readonly width: number; readonly height: number; readonly colourAt: (x: number, y: number) => number } {
  assert.equal(png.subarray(0, 8).toString('hex'), '89504e470d0a1a0a')
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    assert.equal(png.readUInt32BE(at + 8 + length), crc32(png.subarray(at + 4, at + 8 + length)), type)
    chunks.set(type, png.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
  assert.deepEqual([...chunks.keys()], ['IHDR', 'PLTE', 'IDAT', 'IEND'])
  const head = chunks.get('IHDR') as Buffer
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)]
  const rows = inflateSync(chunks.get('IDAT') as Buffer)
  assert.equal(rows.length, (width + 1) * height)
  const palette = chunks.get('PLTE') as Buffer
  return { width, height, colourAt: (x, y) => palette.readUIntBE((rows[y * (width + 1) + 1 + x] ?? 0) * 3, 3) }
}

const MINUTE = 60_000
const times = Array.from({ length: 61 }, (_, index) => START + index * MINUTE)

test('a chart shows the course, the threshold and the moment it fired', () => {
  const png = drawChart({
    title: 'p95 of board.load is 812 ms',
    series: [{ name: 'p95', times, values: times.map((_, index) => (index < 40 ? 200 : 812)) }],
    range: { start: START, end: START + 60 * MINUTE },
    threshold: 500,
    marks: [{ at: START + 40 * MINUTE, label: 'fired' }],
  })
  const { width, height, colourAt } = decode(png)
  assert.deepEqual([width, height], [800, 320])
  assert.ok(png.length < 8000, String(png.length))
  const seen = (colour: number): (readonly [number, number])[] => {
    const found: (readonly [number, number])[] = []
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) if (colourAt(x, y) === colour) found.push([x, y])
    return found
  }
  const line = seen(0x2e90fa)
  // Low on the left, high on the right.
  const [left, right] = [line.filter(([x]) => x < 400), line.filter(([x]) => x > 700)]
  assert.ok(left.length > 0 && right.length > 0 && Math.min(...left.map(([, y]) => y)) > Math.max(...right.map(([, y]) => y)))
  const alarm = seen(0xd92d20)
  const rows = new Map<number, number>()
  for (const [, y] of alarm) rows.set(y, (rows.get(y) ?? 0) + 1)
  // The threshold lies between both, and the moment at two thirds.
  const [limit] = [...rows].toSorted((a, b) => b[1] - a[1])[0] ?? []
  assert.ok(limit !== undefined && limit < Math.min(...left.map(([, y]) => y)) && limit > Math.max(...right.map(([, y]) => y)))
  assert.ok(alarm.some(([x, y]) => y > 200 && Math.abs(x - (78 + (706 * 40) / 60)) < 3))
})

test('strange values and empty courses are drawn as well as they can be', () => {
  for (const values of [[], times.map(() => null), times.map(() => 0), times.map(() => -5), times.map((_, index) => (index % 2 === 0 ? Number.NaN : 1e300)), [Number.POSITIVE_INFINITY, 1e-12]]) {
    const { width } = decode(drawChart({ title: 'ü 😀 '.repeat(50), series: [{ name: 'x', times, values }], range: { start: START, end: START + 60 * MINUTE }, threshold: undefined, marks: [{ at: START - 1, label: 'fired' }] }))
    assert.equal(width, 800)
  }
  decode(drawChart({ title: '', series: [], range: { start: START, end: START }, threshold: Number.NaN, marks: [] }))
  assert.deepEqual([0, 812, 81_200, 1_500_000, 0.25, 0.0001].map(shortNumber), ['0', '812', '81.2k', '1.5M', '0.25', '1e-4'])
})

function messageOf(more: Partial<ReturnType<typeof alertOf>> = {}): OutMessage {
  return { id: 'n1', notification: notificationOf('n1', [{ ...alertOf('a', 'firing', START), expression: 'x', ...more }], START), unannounced: new Set(), earlier: [], earlierLeftOut: 0, insteadOf: '' }
}

test('a picture is drawn once for a message, of the series of its alert, and can be fetched; a slow one is left out', async () => {
  const asked: string[] = []
  const clock = new FakeClock(START + MINUTE)
  const series: SeriesReader = (expression, { start, end }) => {
    asked.push(`${expression} ${start - START} ${end - START}`)
    return Promise.resolve([{ labels: { instance: 'b' }, times, values: times.map(() => 9) }, { labels: { instance: 'a' }, times, values: times.map(() => 1) }])
  }
  const pictures = new Pictures({ series, clock, log: silentLog, externalUrl: 'https://andon.example.com' })
  const [one, two] = await Promise.all([pictures.of(messageOf()), pictures.of(messageOf())])
  assert.deepEqual(asked, [`x ${-30 * MINUTE} ${5 * MINUTE}`])
  assert.equal(one, two)
  assert.match(one?.url ?? '', /^https:\/\/andon\.example\.com\/api\/charts\/[\da-f]{32}\.png$/)
  assert.equal(pictures.png(/([\da-f]{32})/.exec(one?.url ?? '')?.[1] ?? ''), one?.png)
  assert.equal(pictures.png('0'.repeat(32)), undefined)
  const slow = new Pictures({ series: () => new Promise(() => undefined), clock, log: silentLog, externalUrl: 'http://localhost:4318' }).of(messageOf())
  await clock.advance(3000)
  assert.equal(await slow, undefined)
  assert.equal(await new Pictures({ series: () => Promise.reject(new Error('no')), clock, log: silentLog, externalUrl: '' }).of(messageOf()), undefined)
  assert.equal((await new Pictures({ series, clock, log: silentLog, externalUrl: 'http://10.0.0.1' }).of(messageOf()))?.url, undefined)
  assert.equal(await pictures.of({ ...messageOf({ expression: undefined }), id: 'n2' }), undefined)
})

test('a picture begins before the alert did, and only public addresses are told', () => {
  assert.deepEqual(rangeOf({ startsAt: START, endsAt: START + 8 * 60 * MINUTE }, START + 24 * 60 * MINUTE), { start: START - 8 * 15 * MINUTE - 75_000, end: START + 8 * 60 * MINUTE + 5 * MINUTE })
  const urls = ['https://andon.example.com', 'http://8.8.8.8:4318', 'http://127.0.0.1:4318', 'http://localhost', 'http://andon', 'https://andon.corp', 'http://[::1]', '']
  assert.deepEqual(urls.map(isPublicUrl), [true, true, false, false, false, false, false, false])
})
