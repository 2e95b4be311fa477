// One request and its answer, however the other side behaves: within a time, a size, and never with an error for the host.
import type http from 'node:http'
import type { Bytes, Milliseconds } from '@andon/model'

/** The longest time a timer of Node can wait. */
const TIMER_MAX: Milliseconds = 2 ** 31 - 1

export interface Limits {
  /** Of the answer's content; a longer one is not read on. */
  readonly maxBytes: Bytes
  /** Until the whole answer is there. */
  readonly withinMs: Milliseconds
}

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Undefined where it did not come as a whole, or was longer than it may be. */
  readonly text: string | undefined
}

/**
 * Sends a request and waits for its answer. What the server decided stands in the head: where the content after it does not
 * come, the head is given all the same. The connection is let go unless the whole answer was read.
 *
 * @throws Error when there is no head within the time
 */
export async function exchange(request: http.ClientRequest, body: Uint8Array | undefined, { maxBytes, withinMs }: Limits): Promise<Reply> {
  return await new Promise((resolve, reject) => {
    let head: http.IncomingMessage | undefined
    let isOver = false
    const end = (text: string | undefined, error?: Error): void => {
      if (isOver) return
      isOver = true
      clearTimeout(deadline)
      if (text === undefined) request.destroy()
      if (head === undefined) reject(error ?? new Error('the connection was closed without an answer'))
      else resolve({ status: head.statusCode ?? 0, headers: head.headers, text })
    }
    // Of the whole: a server that sends a byte now and then is never idle.
    const deadline = setTimeout(() => end(undefined, new Error(`no answer within ${withinMs} ms`)), Math.min(withinMs, TIMER_MAX)).unref()
    // For good: an error that comes after the end, such as that of the destroyed connection, is nobody's any more.
    request.on('error', (error) => end(undefined, error))
    request.once('close', () => end(undefined))
    // An idle connection must not keep the host alive.
    request.once('socket', (socket) => socket.unref())
    request.once('response', (response) => {
      head = response
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > maxBytes) end(undefined)
        else chunks.push(chunk)
      })
      response.on('error', () => end(undefined))
      response.once('end', () => end(Buffer.concat(chunks).toString('utf8')))
    })
    request.end(body)
  })
}
