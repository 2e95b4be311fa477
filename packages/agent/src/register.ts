// `node --import @andon/agent/register app.js`, or `--require` of the same: starts the agent before the application's
// first module. No `await` here or in what it imports: `require` can load only such modules.
import { createRequire } from 'node:module'
import type * as Threads from 'node:worker_threads'
import type * as Agent from './index.ts'

const load: NodeJS.Require = createRequire(import.meta.url)
const threads: typeof Threads = load('node:worker_threads')

/** Node runs what is preloaded in the thread of its loader too, where nothing of the application ever runs. */
function isOfLoader(): boolean {
  const isInternal: unknown = Reflect.get(threads, 'isInternalThread')
  // Before Node 22.14: nobody can send a message to it, as one can to every thread of an application.
  return isInternal === true || (isInternal === undefined && !threads.isMainThread && threads.parentPort === null)
}

if (!isOfLoader()) {
  // By its name: read only where it is wanted, and the same copy that the application gets.
  const { start }: typeof Agent = load('@andon/agent')
  start()
}
