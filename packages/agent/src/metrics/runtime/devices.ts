// Disks and networks of the machine, from /proc; nothing on systems without it.
import { readdir } from 'node:fs/promises'
import type { Meter } from '@opentelemetry/api'
import { Reading, textOf } from './reading.ts'
import { SinceStart } from './since-start.ts'

const SECTOR_BYTES = 512
/** Devices of each kind that are told; a machine of containers has hundreds of virtual ones. */
const MAX_DEVICES = 32

interface Disk {
  readonly name: string
  readonly reads: number
  readonly readBytes: number
  readonly writes: number
  readonly writtenBytes: number
  readonly busySeconds: number
}

/** The whole disks of /proc/diskstats that were ever used. @param isWhole - no partition */
export function parseDisks(text: string, isWhole: (name: string) => boolean): readonly Disk[] {
  return text
    .split('\n')
    .map((line): Disk => {
      const [, , name = '', reads, , readSectors, , writes, , writtenSectors, , , busyMs] = line.trim().split(/\s+/)
      return { name, reads: Number(reads), readBytes: Number(readSectors) * SECTOR_BYTES, writes: Number(writes), writtenBytes: Number(writtenSectors) * SECTOR_BYTES, busySeconds: Number(busyMs) / 1000 }
    })
    .filter(({ name, reads, writes }) => reads + writes > 0 && !/^(?:loop|ram|zram)\d/.test(name) && isWhole(name))
    .slice(0, MAX_DEVICES)
}

async function disks(): Promise<readonly Disk[]> {
  const [text = '', whole] = await Promise.all([textOf('/proc/diskstats'), readdir('/sys/block').catch(() => undefined)])
  const names = new Set(whole)
  return parseDisks(text, (name) => whole === undefined || names.has(name))
}

interface Direction {
  readonly bytes: number
  readonly packets: number
  readonly errors: number
  readonly dropped: number
}

interface Network {
  readonly name: string
  readonly receive: Direction
  readonly transmit: Direction
}

/** The interfaces of /proc/net/dev but the loopback and the ends of containers' pairs. */
export function parseNetworks(text: string): readonly Network[] {
  const found: Network[] = []
  for (const line of text.split('\n').slice(2)) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).trim()
    if (at < 1 || name === 'lo' || name.startsWith('veth')) continue
    const numbers = line.slice(at + 1).trim().split(/\s+/).map(Number)
    const direction = (from: number): Direction => ({ bytes: numbers[from] ?? 0, packets: numbers[from + 1] ?? 0, errors: numbers[from + 2] ?? 0, dropped: numbers[from + 3] ?? 0 })
    found.push({ name, receive: direction(0), transmit: direction(8) })
  }
  return found.slice(0, MAX_DEVICES)
}

function observeDisks(meter: Meter): () => Promise<void> {
  const io = meter.createObservableCounter('system.disk.io', { unit: 'By', description: 'Bytes from and to the disks of the machine.' })
  const operations = meter.createObservableCounter('system.disk.operations', { unit: '{operation}', description: 'Reads and writes of the disks of the machine.' })
  const busy = meter.createObservableCounter('system.disk.io_time', { unit: 's', description: 'How long the disks of the machine were at work.' })
  const reading = new Reading(disks)
  const since = new SinceStart()
  meter.addBatchObservableCallback(
    (result) => {
      for (const { name, reads, readBytes, writes, writtenBytes, busySeconds } of reading.latest ?? []) {
        const device = { 'system.device': name }
        const read = { ...device, 'disk.io.direction': 'read' }
        const write = { ...device, 'disk.io.direction': 'write' }
        since.observe(result, io, readBytes, read)
        since.observe(result, io, writtenBytes, write)
        since.observe(result, operations, reads, read)
        since.observe(result, operations, writes, write)
        since.observe(result, busy, busySeconds, device)
      }
    },
    [io, operations, busy],
  )
  return () => reading.look()
}

function observeNetworks(meter: Meter): () => Promise<void> {
  const io = meter.createObservableCounter('system.network.io', { unit: 'By', description: 'Bytes over the network, loopback left out.' })
  const packets = meter.createObservableCounter('system.network.packet.count', { unit: '{packet}', description: 'Packets over the network, loopback left out.' })
  const errors = meter.createObservableCounter('system.network.errors', { unit: '{error}', description: 'Packets that were damaged.' })
  const dropped = meter.createObservableCounter('system.network.packet.dropped', { unit: '{packet}', description: 'Packets that were dropped.' })
  const reading = new Reading(async () => parseNetworks((await textOf('/proc/net/dev')) ?? ''))
  const since = new SinceStart()
  meter.addBatchObservableCallback(
    (result) => {
      for (const network of reading.latest ?? []) {
        for (const direction of ['receive', 'transmit'] as const) {
          const attributes = { 'network.interface.name': network.name, 'network.io.direction': direction }
          since.observe(result, io, network[direction].bytes, attributes)
          since.observe(result, packets, network[direction].packets, attributes)
          since.observe(result, errors, network[direction].errors, attributes)
          since.observe(result, dropped, network[direction].dropped, attributes)
        }
      }
    },
    [io, packets, errors, dropped],
  )
  return () => reading.look()
}

/** @returns what reads the kernel's files anew */
export function observeDevices(meter: Meter): () => Promise<unknown> {
  const looks = [observeDisks(meter), observeNetworks(meter)]
  return () => Promise.all(looks.map((look) => look()))
}
