export { App } from './app.ts'
export { checkConfig, type Options, readOptions, type Sources } from './config.ts'
export { runServer } from './run.ts'
export { createLog } from './runtime/log.ts'
