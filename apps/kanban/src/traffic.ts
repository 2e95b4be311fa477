// `node traffic.js --url http://127.0.0.1:3000 --rate 5`: a team at work on the kanban, until it is stopped.
import { setTimeout as wait } from 'node:timers/promises'
import { readFlags } from './flags.ts'
import { Report, seeded, Worker } from './team.ts'

const USAGE = `node traffic.js [options]
  --url U        the kanban                         (http://127.0.0.1:3000)
  --rate N       requests per second on average     (5)
  --seed N       the same seed, the same team       (1)
  --day N        minutes in which its pace goes up and down once, by a third  (10)
  --duration N   seconds after which the team ends  (never)
`

const PEOPLE = 6
const MAX_UNDER_WAY = 50

function number(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (Number.isFinite(value) && value > 0) return value
  process.stderr.write(`traffic: --${name} must be a number greater than 0, not "${String(text)}"\n`)
  return process.exit(2)
}

const values = readFlags({ name: 'traffic', usage: USAGE, flags: ['url', 'rate', 'seed', 'day', 'duration'] })
const url = values.url ?? 'http://127.0.0.1:3000'
const rate = number('rate', values.rate, 5)
const random = seeded(number('seed', values.seed, 1))
const day = number('day', values.day, 10) * 60_000
const until = performance.now() + number('duration', values.duration, 1e9) * 1000

const report = new Report()
const stopped = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopped.abort())

/** The pace of a team changes slowly around its rate: between two thirds and four thirds of it in a day. */
function pace(): number {
  return rate * (1 + Math.sin((performance.now() / day) * 2 * Math.PI) / 3)
}

const workers = Array.from({ length: PEOPLE }, (_, index) => new Worker(url, report, random, index))
let underWay = 0
let backOff = 0

function act(worker: Worker): void {
  underWay += 1
  worker
    .act()
    .then(() => (backOff = 0))
    // The kanban is away or starts anew: the team waits, longer each time.
    .catch(() => (backOff = Math.min(10_000, Math.max(500, backOff * 2))))
    .finally(() => (underWay -= 1))
}

for (let turn = 0; performance.now() < until && !stopped.signal.aborted; turn += 1) {
  const think = (-Math.log(1 - random()) * 1000) / pace()
  await wait(Math.min(think + backOff, 15_000), undefined, { signal: stopped.signal }).catch(() => undefined)
  const worker = workers[turn % workers.length]
  if (worker !== undefined && underWay < MAX_UNDER_WAY) act(worker)
}
process.stderr.write(`traffic: ${report.toString()}\n`)
process.exit(0)
