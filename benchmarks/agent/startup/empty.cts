const say: () => void = require('./say.cjs')

say()
