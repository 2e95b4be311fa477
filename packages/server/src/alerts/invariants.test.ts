// What holds whatever happens: random courses of alerts, silences, inhibition, flapping, restarts and crashes, each from a seed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Labels, type Notification, seeded } from '@andon/model'
import { HOUR, messageText, MINUTE, World } from './fixture.test.ts'

const CONFIG = `
route:
  receiver: root
  group_by: [service_name]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
  routes:
    - {matchers: [severity="critical"], receiver: pager, group_wait: 0s, page_wait: 0s, continue: true}
    - {matchers: [severity=~"critical|info"], receiver: mail, group_by: ['...'], group_interval: 1m}
    - {matchers: [team="night"], receiver: calm, mute_time_intervals: [quarter]}
receivers: [{name: root}, {name: pager}, {name: mail}, {name: calm}]
inhibit_rules:
  - {source_matchers: [alertname="root"], target_matchers: [alertname!="root"], equal: [service_name]}
time_intervals:
  - {name: quarter, time_intervals: [{times: [{start_time: '12:15', end_time: '12:40'}, {start_time: '14:00', end_time: '15:00'}]}]}
`
const ALERTS: readonly Labels[] = [
  { alertname: 'root', service_name: 'shop', severity: 'critical' },
  { alertname: 'slow', service_name: 'shop', severity: 'warning' },
  { alertname: 'errors', service_name: 'shop', severity: 'critical' },
  { alertname: 'leak', service_name: 'bank', severity: 'info' },
  { alertname: 'disk', service_name: 'bank', severity: 'critical' },
  { alertname: 'job', service_name: 'bank', severity: 'warning', team: 'night' },
  { alertname: 'sync', service_name: 'mail', severity: 'warning' },
]

type Step = (world: World) => Promise<void>

const pick = <T>(list: readonly T[], next: () => number): T => {
  const found = list[Math.floor(next() * list.length)]
  assert.ok(found !== undefined)
  return found
}

/** What a source does: it hands in an alert, whatever becomes of it. */
async function handIn(world: World, labels: Labels, isFiring: boolean): Promise<void> {
  const done = isFiring ? world.fire(labels) : world.resolve(labels)
  await done.catch(async (error: unknown) => {
    assert.match(String(error), /the process/)
    // A source tells it again: to whoever lives then.
    await world.restart()
    await (isFiring ? world.fire(labels) : world.resolve(labels))
  })
}

function stepOf(next: () => number): Step {
  const kind = next()
  const labels = pick(ALERTS, next)
  if (kind < 0.3) return (world) => handIn(world, labels, true)
  if (kind < 0.5) return (world) => handIn(world, labels, false)
  const minutes = pick([0.25, 0.5, 1, 2, 5, 7, 20], next)
  if (kind < 0.85) return (world) => world.advance(minutes * MINUTE)
  if (kind < 0.93) {
    const name = pick(['alertname', 'service_name'], next)
    const [startsIn, lasts] = [pick([0, 3, 10], next) * MINUTE, pick([2, 10, 45], next) * MINUTE]
    return async (world) => {
      const now = world.clock.now()
      await world.manager.silences
        .set({ id: '', matchers: [{ name, operator: '=', value: labels[name] ?? '' }], startsAt: now + startsIn, endsAt: now + startsIn + lasts, createdBy: 'me', comment: 'x' })
        .catch(() => world.restart())
    }
  }
  return async (world) => {
    const [silence] = world.manager.silences.list()
    if (silence !== undefined) await world.manager.silences.expire(silence.id, 'me').catch(() => world.restart())
  }
}

function courseOf(seed: number, length: number): Step[] {
  const next = seeded(seed)
  return Array.from({ length }, () => stepOf(next))
}

interface Told {
  readonly message: Notification
  /** Told as firing and not known as that. */
  readonly news: number
  /** Whether anything was known to fire. */
  readonly wasTold: boolean
  readonly left: number
  readonly resolved: number
  readonly firing: number
  readonly since: number
}

/** What must be true of a message that gives this reason. */
const REASONS: Readonly<Record<string, (told: Told) => boolean>> = {
  first: ({ news, wasTold }) => news > 0 && !wasTold,
  'new-alerts': ({ news, wasTold }) => news > 0 && wasTold,
  'all-resolved': ({ left, firing, resolved, message }) => left === 0 && firing === 0 && resolved > 0 && message.status === 'resolved',
  'some-resolved': ({ left, resolved, message }) => left > 0 && resolved > 0 && message.status === 'firing',
  repeat: ({ since, news, resolved }) => since >= HOUR && news === 0 && resolved === 0,
  flapping: ({ firing }) => firing > 0,
}

/** Holds each message against those before it of the same group and receiver. @returns what was told as firing and not as resolved */
function checkTold(told: readonly Notification[], seed: number): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>()
  const lastAt = new Map<string, number>()
  const ids = new Set<string>()
  for (const message of told) {
    const where = `seed ${seed}: ${messageText(message)} at ${new Date(message.decidedAt).toISOString()}`
    assert.ok(!ids.has(message.id), `${where}: its id is new`)
    ids.add(message.id)
    const key = `${message.receiver}\n${message.groupKey}`
    const firing = known.get(key) ?? new Set()
    known.set(key, firing)
    const names = (status: string): string[] => message.alerts.filter((one) => one.status === status).map(({ fingerprint }) => fingerprint)
    assert.ok(message.alerts.length > 0, `${where}: it tells something`)
    for (const one of names('resolved')) assert.ok(firing.has(one), `${where}: none is resolved that was not told as firing`)
    const news = names('firing').filter((one) => !firing.has(one))
    const wasTold = firing.size > 0
    for (const one of names('resolved')) firing.delete(one)
    for (const one of names('firing')) firing.add(one)
    const holds = REASONS[message.reason]?.({ message, news: news.length, wasTold, left: firing.size, resolved: names('resolved').length, firing: names('firing').length, since: message.decidedAt - (lastAt.get(key) ?? Infinity) })
    assert.equal(holds, true, `${where}: the reason holds`)
    lastAt.set(key, message.decidedAt)
  }
  return known
}

/** Everything ends, and there is time enough to calm down, and for the calendar. */
async function end(world: World): Promise<void> {
  for (const labels of ALERTS) await handIn(world, labels, false)
  await world.advance(4 * HOUR)
}

/** For a longer search: more courses, or others. */
const SEED = Number(process.env['ANDON_SEED'] ?? 1)
const COURSES = Number(process.env['ANDON_COURSES'] ?? 60)
const LENGTH = 60

test('no resolve without a told firing, a resolve for every told firing, nothing twice; also over crashes at any insert', async () => {
  for (let seed = SEED; seed < SEED + COURSES; seed += 1) {
    const world = await World.open({ config: CONFIG })
    const next = seeded(seed * 7919)
    for (const step of courseOf(seed, LENGTH)) {
      if (next() < 0.15 && world.log.left === Infinity) {
        world.log.left = Math.floor(next() * 4)
        world.log.isStoredAtDeath = next() < 0.5
      }
      await step(world)
      if (world.log.isDead) await world.restart(next() < 0.5 ? 0 : 3 * MINUTE)
    }
    world.log.revive()
    await world.restart()
    await end(world)
    const open = checkTold(world.log.told(), seed)
    for (const [key, firing] of open) assert.equal(firing.size, 0, `seed ${seed}: all that was told as firing was told as resolved: ${key}`)
    assert.deepEqual(await world.manager.active(), [], `seed ${seed}`)
    assert.deepEqual((await world.log.latest('alert-group', { except: ['closed'] })).map(({ key }) => key), [], `seed ${seed}: no group is left`)
    assert.deepEqual((await world.log.latest('alert-active', { except: ['settled'] })).map(({ key }) => key), [], `seed ${seed}: no alert is left`)
  }
})

const texts = ({ log }: World): string[] => log.told().map((message) => `${message.id} ${message.status} ${messageText(message)} ${message.incident ?? ''}`).toSorted()

test('decisions are the same after a restart at any point', async () => {
  for (let seed = SEED; seed < SEED + COURSES; seed += 1) {
    const course = courseOf(seed, LENGTH)
    const [plain, restarted] = [await World.open({ config: CONFIG }), await World.open({ config: CONFIG })]
    const next = seeded(seed * 104_729)
    for (const step of course) {
      await step(plain)
      if (next() < 0.4) await restarted.restart()
      await step(restarted)
    }
    await end(plain)
    await end(restarted)
    assert.deepEqual(texts(restarted), texts(plain), `seed ${seed}`)
  }
})

test('what fires, is not silenced and not held back is told within a flush', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = await World.open({ config: CONFIG })
    for (const step of courseOf(seed, LENGTH)) await step(world)
    for (const { id } of world.manager.silences.list()) await world.manager.silences.expire(id, 'me')
    for (const labels of ALERTS.slice(1)) await handIn(world, labels, true)
    await handIn(world, ALERTS[0] ?? {}, false)
    // Past what flaps and what the calendar mutes.
    await world.advance(2 * HOUR)
    const open = checkTold(world.log.told(), seed)
    const told = new Set([...open.values()].flatMap((firing) => [...firing]))
    for (const { held } of await world.manager.active()) assert.ok(told.has(held.fingerprint), `seed ${seed}: ${held.alert.labels['alertname'] ?? ''} is told`)
    assert.equal(told.size, ALERTS.length - 1, `seed ${seed}`)
  }
})
