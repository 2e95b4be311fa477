// `node --import @andon/agent/register app.js`, or `--require` of the same: starts the agent before the application's
// first module. No `await` here or in what it imports: `require` can load only such modules.
import { start } from './start.ts'

start()
