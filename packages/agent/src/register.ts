// `node --import @andon/agent/register app.js`, or `--require` of the same: starts the agent before the application's
// first module. No `await` here or in what it imports: `require` can load only such modules.
import threads from 'node:worker_threads'
import { start } from './start.ts'

/** Node runs what is preloaded in the thread of its loader too, where nothing of the application ever runs. */
function isOfLoader(): boolean {
  const isInternal: unknown = Reflect.get(threads, 'isInternalThread')
  // Before Node 22.14: nobody can send a message to it, as one can to every thread of an application.
  return isInternal === true || (isInternal === undefined && !threads.isMainThread && threads.parentPort === null)
}

if (!isOfLoader()) start()
