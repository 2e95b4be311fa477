import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

const compress = promisify<string, Buffer>(gzip)
/** Shorter answers, in characters, gain nothing. */
const LEAST = 1024

/**
 * Answers of GET are packed for those who take gzip, on another thread.
 *
 * @param skips - asked at each long answer: whether this one is sent as it is
 */
export function registerCompression(app: FastifyInstance, skips: () => boolean = () => false): void {
  app.addHook('onSend', async ({ method, headers }, reply, payload) => {
    if (typeof payload !== 'string' || payload.length < LEAST || method !== 'GET') return payload
    void reply.header('vary', 'accept-encoding')
    const accepts = headers['accept-encoding'] ?? ''
    if (!/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(accepts) || skips()) return payload
    const packed = await compress(payload)
    void reply.header('content-encoding', 'gzip').header('content-length', packed.length)
    return packed
  })
}
