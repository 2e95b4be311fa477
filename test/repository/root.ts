import { resolve } from 'node:path'

/** The root of the repository; this file runs from test/dist/repository. */
export const root: string = resolve(import.meta.dirname, '../../..')
