import { createRequire } from 'node:module'

const say: () => void = createRequire(import.meta.url)('./say.cjs')

say()
