// Bodies of telemetry: read, bounded and unpacked.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { AndonError, type Bytes } from '@andon/model'
import { unpackSnappy } from '@andon/wire'
import type { FastifyRequest } from 'fastify'

interface BodyLimits {
  /** Of a body as it is sent. */
  readonly bodyBytes: Bytes
  /** Of a body when it is unpacked. */
  readonly inflatedBytes: Bytes
  /** Of all bodies that are being read, unpacked or worked on. */
  readonly inFlightBytes: Bytes
}

const UNPACKERS = { gzip: createGunzip, deflate: createInflate } as const
/** How much of what is refused is still read: a sender that reads only when all is sent then hears why. */
const DISCARDED_MAX: Bytes = 64 * 1024 * 1024

/** As a parser of Fastify: hands the body on unread, to be read where it is used. */
export function unread(_request: FastifyRequest, payload: IncomingMessage, done: (error: Error | null, body: unknown) => void): void {
  done(null, payload)
}

/** What one request holds of the memory for bodies. */
export class BodyShare {
  readonly #limits: BodyLimits
  readonly #claim: (bytes: Bytes) => AndonError | undefined

  /** @param claim - takes note of bytes, or of less than nothing when they are given back; says so when there is no room */
  constructor(limits: BodyLimits, claim: (bytes: Bytes) => AndonError | undefined) {
    this.#limits = limits
    this.#claim = claim
  }

  /**
   * A whole body as it was sent.
   *
   * @param head - bytes that it may have besides, which are no part of what is limited
   * @throws AndonError too_large past the limit, overloaded when all bodies together hold too much
   */
  async read(stream: Readable, head: Bytes = 0): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    let refusal: AndonError | undefined
    // A stream that is too long must live on to be told so.
    const arriving: AsyncIterable<unknown> = stream.iterator({ destroyOnReturn: false })
    for await (const chunk of arriving) {
      if (!Buffer.isBuffer(chunk)) continue
      size += chunk.length
      const isTooLarge = size > this.#limits.bodyBytes + head
      if (isTooLarge) refusal = new AndonError('too_large', `The body is larger than ${this.#limits.bodyBytes} bytes.`)
      if (isTooLarge && size > DISCARDED_MAX) break
      refusal ??= this.#claim(chunk.length)
      if (refusal === undefined) chunks.push(chunk)
      else chunks.length = 0
    }
    if (refusal !== undefined) throw refusal
    return Buffer.concat(chunks, size)
  }

  /** @throws AndonError too_large past the limit, overloaded, bad_body, unsupported_media_type */
  async unpack(body: Buffer, encoding: string): Promise<Uint8Array> {
    if (encoding === '' || encoding === 'identity') return body
    if (encoding === 'snappy') {
      const plain = unpackSnappy(body, this.#limits.inflatedBytes)
      const refusal = this.#claim(plain.length - body.length)
      if (refusal !== undefined) throw refusal
      return plain
    }
    if (encoding !== 'gzip' && encoding !== 'deflate') {
      throw new AndonError('unsupported_media_type', `Content-Encoding "${encoding.slice(0, 40)}" is not understood.`, { hint: 'Send gzip, deflate, snappy or nothing.' })
    }
    const plain = await this.#inflated(body, encoding)
    this.#claim(-body.length)
    return plain
  }

  async #inflated(body: Buffer, encoding: keyof typeof UNPACKERS): Promise<Uint8Array> {
    const stream = UNPACKERS[encoding]()
    const chunks: Buffer[] = []
    let size = 0
    try {
      stream.end(body)
      const arriving: AsyncIterable<unknown> = stream
      for await (const chunk of arriving) {
        if (!Buffer.isBuffer(chunk)) continue
        size += chunk.length
        if (size > this.#limits.inflatedBytes) throw new AndonError('too_large', `The body is larger than ${this.#limits.inflatedBytes} bytes when unpacked.`)
        const refusal = this.#claim(chunk.length)
        if (refusal !== undefined) throw refusal
        chunks.push(chunk)
      }
    } catch (error) {
      if (error instanceof AndonError) throw error
      throw new AndonError('bad_body', `The body is not ${encoding}: ${error instanceof Error ? error.message : 'it cannot be unpacked'}.`)
    }
    return Buffer.concat(chunks, size)
  }
}

/**
 * Reads, bounds and unpacks bodies, and knows how much all of them hold from their first byte until their content is stored:
 * packed, unpacked, of every way in that shares this reader.
 */
export class BodyReader {
  readonly #limits: BodyLimits
  #inFlight: Bytes = 0
  #requests = 0

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  /** What all bodies hold just now. */
  get inFlightBytes(): Bytes {
    return this.#inFlight
  }

  /**
   * Does the work of one request, which reads its body through the share that it is given.
   *
   * @throws AndonError overloaded while so much is being worked on that no body is read; what `work` throws
   */
  async during<T>(work: (share: BodyShare) => Promise<T>): Promise<T> {
    if (this.#inFlight >= this.#limits.inFlightBytes) throw this.#overloaded()
    let held = 0
    const share = new BodyShare(this.#limits, (bytes) => {
      // One that is alone is let through: it is bounded by the other limits, and waiting would not help it.
      if (bytes > 0 && this.#requests > 1 && this.#inFlight + bytes > this.#limits.inFlightBytes) return this.#overloaded()
      held += bytes
      this.#inFlight += bytes
      return undefined
    })
    this.#requests += 1
    try {
      return await work(share)
    } finally {
      this.#requests -= 1
      this.#inFlight -= held
    }
  }

  #overloaded(): AndonError {
    return new AndonError('overloaded', `Andon is working on ${this.#inFlight} bytes of telemetry and takes no more just now.`)
  }

  /**
   * Reads and unpacks the body of a request that was handed on by `unread`, and works on it.
   *
   * @param assumed - how the body is packed where the request does not say it
   * @throws AndonError too_large, overloaded, bad_body, unsupported_media_type; what `work` throws
   */
  async use<T>(request: FastifyRequest, work: (body: Uint8Array) => Promise<T>, assumed = ''): Promise<T> {
    return await this.during(async (share) => {
      const { body } = request
      const packed = body instanceof Readable ? await share.read(body) : Buffer.alloc(0)
      return await work(await share.unpack(packed, (request.headers['content-encoding'] ?? assumed).trim().toLowerCase()))
    })
  }
}
