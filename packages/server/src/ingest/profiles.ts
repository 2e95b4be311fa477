// Profiles as pprof: decode, check, bound, write.
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { AndonError, type ProfileRecord, type ProfileType } from '@andon/model'
import { decodePprof } from '@andon/wire'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { beginning, KEY_MAX } from './attributes.ts'
import { Batcher } from './batcher.ts'
import type { IngestContext } from './spans.ts'

/** Who sent a profile; pprof itself has no place for it. */
export interface ProfileSender {
  readonly service: string
  readonly env: string
  readonly version: string
  readonly instance: string
}

/** A profile with its sender, and what each of its values is; undefined for those that are not kept. */
export interface ReceivedProfile extends ProfileSender {
  readonly types: readonly (ProfileType | undefined)[]
  readonly record: ProfileRecord
}

/** What profiles are written to. */
export interface ProfileSink {
  write(profiles: readonly ReceivedProfile[], options?: { readonly batch?: string }): Promise<void>
}

const unpack = promisify(gunzip)
const DAY_NS = 86_400_000_000_000n
/** What lasts longer is said to have lasted so long. */
const DURATION_MAX_NS = 7n * DAY_NS

/** Names of pprof's makers: of Node's samplers, of Go's. */
const TYPES: Readonly<Record<string, ProfileType>> = {
  'cpu/nanoseconds': 'cpu',
  'wall/nanoseconds': 'wall',
  'space/bytes': 'heap_space',
  'inuse_space/bytes': 'heap_space',
  'objects/count': 'heap_objects',
  'inuse_objects/count': 'heap_objects',
  'alloc_space/bytes': 'alloc_space',
  'alloc_objects/count': 'alloc_objects',
}

export class ProfileIngest {
  readonly #context: IngestContext
  readonly #batcher: Batcher<ReceivedProfile>
  readonly #accepted: ReturnType<OwnMetrics['counter']>

  constructor(profiles: ProfileSink, context: IngestContext) {
    this.#context = context
    this.#accepted = context.own.counter('andon_ingest_profiles_total', 'Profiles that were stored.')
    this.#batcher = new Batcher({ signal: 'profiles', ...context, store: (contents, options) => profiles.write(contents, options) })
  }

  /**
   * Takes one profile, gzipped or not; settles when it is stored.
   *
   * @param batch - PROCESS/SEQUENCE of a numbered batch
   * @returns how many samples it held
   * @throws AndonError bad_body, too_large, overloaded, disk_full or unavailable; nothing is then stored
   */
  async accept(body: Uint8Array, sender: ProfileSender, batch?: string): Promise<{ samples: number }> {
    const plain = body[0] === 0x1f && body[1] === 0x8b ? await this.#unpack(body) : body
    const record = this.#bounded(decodePprof(plain))
    const types = record.valueTypes.map(({ type, unit }) => TYPES[`${type}/${unit}`])
    if (types.every((type) => type === undefined)) {
      const given = record.valueTypes.map(({ type, unit }) => `${type}/${unit}`).join(', ')
      throw new AndonError('bad_body', `profile: no sample type is known among "${given.slice(0, 200)}"`, { hint: `Known are ${Object.keys(TYPES).join(', ')}.` })
    }
    if (record.samples.length > 0) await this.#batcher.accept({ ...sender, types, record }, plain.length, batch)
    this.#accepted.add(1)
    return { samples: record.samples.length }
  }

  /** Settles when no request waits any more. */
  async drained(): Promise<void> {
    await this.#batcher.drained()
  }

  async #unpack(body: Uint8Array): Promise<Uint8Array> {
    const { inflatedBytes } = this.#context.limits
    try {
      return await unpack(body, { maxOutputLength: inflatedBytes })
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, 'code') === 'ERR_BUFFER_TOO_LARGE') throw new AndonError('too_large', `The profile is larger than ${inflatedBytes} bytes when unpacked.`)
      throw new AndonError('bad_body', 'The profile begins as gzip and cannot be unpacked.')
    }
  }

  /** A profile without a time is of now; samples carry only the labels that are kept. */
  #bounded(record: ProfileRecord): ProfileRecord {
    const { clock, limits, retentionDays } = this.#context
    const now = BigInt(clock.now()) * 1_000_000n
    const start = record.start === 0n ? now : record.start
    const [earliest, latest] = [now - BigInt(retentionDays) * DAY_NS, now + BigInt(limits.futureMs) * 1_000_000n]
    if (start < earliest || start > latest) throw new AndonError('bad_body', `profile: its time lies in the future or before the retention of ${retentionDays} days`)
    const isIn = (time: bigint): boolean => time >= earliest && time <= latest
    const duration = record.duration < 0n ? 0n : record.duration > DURATION_MAX_NS ? DURATION_MAX_NS : record.duration
    const samples = record.samples.map((sample) => {
      const { labels, time } = sample
      const route = beginning(labels['route'] ?? '', KEY_MAX)
      const isSame = (time === 0n || isIn(time)) && route === (labels['route'] ?? '')
      return isSame ? sample : { ...sample, time: isIn(time) ? time : 0n, labels: { ...labels, route } }
    })
    return { ...record, start, duration, samples }
  }
}
