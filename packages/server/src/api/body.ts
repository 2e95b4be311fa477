// Bodies of telemetry: read, bounded and unpacked.
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import { AndonError, type Bytes } from '@andon/model'
import { unpackSnappy } from '@andon/wire'
import type { FastifyRequest } from 'fastify'

export interface BodyLimits {
  /** Of a body as it is sent. */
  readonly bodyBytes: Bytes
  /** Of a body when it is unpacked. */
  readonly inflatedBytes: Bytes
  /** Of all bodies that are being worked on, unpacked. */
  readonly inFlightBytes: Bytes
}

const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) }

/** @throws AndonError too_large past the limit */
export async function readAll(payload: AsyncIterable<unknown>, limit: Bytes): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of payload) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size > limit) throw new AndonError('too_large', `The body is larger than ${limit} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** @throws AndonError too_large past the limit, bad_body, unsupported_media_type */
export async function unpack(body: Buffer, encoding: string, limit: Bytes): Promise<Uint8Array> {
  if (encoding === '' || encoding === 'identity') return body
  if (encoding === 'snappy') return unpackSnappy(body, limit)
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    throw new AndonError('unsupported_media_type', `Content-Encoding "${encoding.slice(0, 40)}" is not understood.`, { hint: 'Send gzip, deflate, snappy or nothing.' })
  }
  try {
    return await unpackers[encoding](body, { maxOutputLength: limit })
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ERR_BUFFER_TOO_LARGE') {
      throw new AndonError('too_large', `The body is larger than ${limit} bytes when unpacked.`)
    }
    throw new AndonError('bad_body', `The body is not ${encoding}: ${error instanceof Error ? error.message : 'it cannot be unpacked'}.`)
  }
}

/** Bodies are read, bounded and unpacked here, and handed on as bytes. */
export class BodyReader {
  readonly #limits: BodyLimits
  #inFlight: Bytes = 0

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  /** @throws AndonError overloaded while so much is being worked on that no body is read */
  checkRoom(): void {
    if (this.#inFlight >= this.#limits.inFlightBytes) throw new AndonError('overloaded', `Andon is working on ${this.#inFlight} bytes of telemetry and takes no more just now.`)
  }

  /** @param assumed - how the body is packed where the request does not say it */
  async read(request: FastifyRequest, payload: IncomingMessage, assumed = ''): Promise<Uint8Array> {
    const { bodyBytes, inflatedBytes } = this.#limits
    if (Number(request.headers['content-length'] ?? 0) > bodyBytes) throw new AndonError('too_large', `The body is larger than ${bodyBytes} bytes.`)
    this.checkRoom()
    const packed = await readAll(payload, bodyBytes)
    return unpack(packed, (request.headers['content-encoding'] ?? assumed).trim().toLowerCase(), inflatedBytes)
  }

  /** Counts a body as being worked on until `work` has settled. */
  async during<T>(body: Uint8Array, work: () => Promise<T>): Promise<T> {
    this.#inFlight += body.length
    try {
      return await work()
    } finally {
      this.#inFlight -= body.length
    }
  }
}
