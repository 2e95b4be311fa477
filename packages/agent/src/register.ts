// `node --import @andon/agent/register app.js`: starts the agent before the application's first import.
import { register } from 'node:module'
import { diag } from '@opentelemetry/api'
import * as sync from 'import-in-the-middle/register-hooks.mjs'
import { INSTRUMENTED_MODULES } from './instrument/index.ts'
import { start } from './start.ts'

/** ECMAScript modules cannot be patched once loaded, so their loading is watched. */
function watchImports(): void {
  const include = [...INSTRUMENTED_MODULES]
  if (sync.supportsSyncHooks()) sync.register({ include })
  else register('import-in-the-middle/hook.mjs', import.meta.url, { data: { include } })
}

try {
  watchImports()
} catch (error) {
  diag.error('andon: ECMAScript modules will not be instrumented', error)
}
start()
