// Thousands of random lives of an outbox: receivers that fail in all ways, processes that are killed at any moment, a log that breaks.
// Nothing is lost, nothing ends that was not told to have begun, and everything of one group comes in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Notification, type NotifiedAlert, seeded } from '@andon/model'
import type { MessageRow } from './message.ts'
import type { OutboxReceiver } from './outbox-deps.ts'
import { alertOf, FakeChannel, type Mode, notificationOf, type Taken, World } from './world.test.ts'

const SEQUENCES = Number(process.env['ANDON_SEQUENCES'] ?? 150)
const STEPS = 30
const GROUPS = 2
const MODES: readonly Mode[] = ['up', 'up', 'down', 'limited', 'half', 'slow']

const spellOf = ({ fingerprint, startsAt }: NotifiedAlert): string => `${fingerprint}@${startsAt}`

/** What is true of the alerts of one group, and what was decided to be told of it. */
class Group {
  readonly key: string
  readonly alerts: Map<string, NotifiedAlert> = new Map()
  readonly decided: Notification[] = []
  #number = 0

  constructor(key: string) {
    this.key = key
  }

  /** Something changes; what is decided tells what fires and what ended since the last time. */
  change(random: () => number, now: number): Notification {
    const fingerprint = `${this.key}${Math.floor(random() * 3)}`
    const before = this.alerts.get(fingerprint)
    if (before?.status === 'firing') this.alerts.set(fingerprint, { ...before, status: 'resolved', endsAt: now })
    else this.alerts.set(fingerprint, alertOf(fingerprint, 'firing', now))
    const told = [...this.alerts.values()].toSorted((a, b) => (a.status < b.status ? -1 : 1))
    for (const [key, { status }] of this.alerts) if (status === 'resolved') this.alerts.delete(key)
    this.#number += 1
    const notification = notificationOf(`${this.key}-${this.#number}`, told, now, { groupKey: this.key, incident: `incident-${this.key}` })
    this.decided.push(notification)
    return notification
  }
}

/** What a channel has heard of one group. */
class Heard {
  readonly begun: Set<string> = new Set()
  readonly over: Set<string> = new Set()
  readonly faults: string[] = []
  #last = 0

  take({ message }: Taken, { name, sendResolved }: FakeChannel): void {
    const { alerts, decidedAt, id } = message.notification
    if (decidedAt < this.#last) this.faults.push(`${name}: ${id} came after what was decided later`)
    this.#last = decidedAt
    for (const spell of message.earlier.map(spellOf)) {
      this.begun.add(spell)
      this.over.add(spell)
    }
    for (const alert of alerts) {
      const spell = spellOf(alert)
      const isBareEnd = alert.status === 'resolved' && !message.unannounced.has(alert.fingerprint)
      if (isBareEnd && !this.begun.has(spell)) this.faults.push(`${name}: the end of ${spell} in ${id} is an orphan`)
      if (isBareEnd && !sendResolved) this.faults.push(`${name}: the end of ${spell} is not to be told`)
      this.begun.add(spell)
      if (alert.status === 'resolved') this.over.add(spell)
    }
  }
}

/** What was wrong with what a channel took. */
function faultsOf(channel: FakeChannel, groups: readonly Group[], taken: readonly Taken[], isFallback: boolean): string[] {
  return groups.flatMap(({ key, decided }) => {
    const heard = new Heard()
    for (const each of taken) if (each.channel === channel.name && each.message.notification.groupKey === key) heard.take(each, channel)
    const all = decided.flatMap(({ alerts }) => alerts)
    const ended = new Set(all.filter(({ status }) => status === 'resolved').map(spellOf))
    const due = isFallback ? [] : [...new Set(all.map(spellOf))]
    const dueToEnd = !channel.sendResolved ? [] : isFallback ? [...heard.begun].filter((each) => ended.has(each)) : [...ended]
    return [...heard.faults, ...due.filter((spell) => !heard.begun.has(spell)).map((spell) => `${channel.name}: ${spell} is lost`), ...dueToEnd.filter((spell) => !heard.over.has(spell)).map((spell) => `${channel.name}: the end of ${spell} is lost`)]
  })
}

class Sequence {
  readonly world = new World()
  readonly #random: () => number
  readonly #channels: readonly FakeChannel[]
  readonly #fallback: FakeChannel
  readonly #receivers: readonly OutboxReceiver[]
  readonly #groups = Array.from({ length: GROUPS }, (_, index) => new Group(`g${index}`))
  kills = 0

  constructor(seed: number) {
    this.#random = seeded(seed)
    this.#channels = [new FakeChannel(this.world, 'chat'), new FakeChannel(this.world, 'quiet', { sendResolved: false })]
    this.#fallback = new FakeChannel(this.world, 'phone', { receiver: 'other' })
    this.#receivers = [{ name: 'team', channels: this.#channels, fallback: 'phone' }, { name: 'other', channels: [this.#fallback], fallback: undefined }]
  }

  async #open(): Promise<void> {
    await this.world.open({ receivers: this.#receivers, random: this.#random, lanesMax: this.#random() < 0.2 ? 2 : 100 })
  }

  async #kill(): Promise<void> {
    this.kills += 1
    this.world.kill()
    await this.#open()
  }

  /** As the manager of alerts does it; a process may end before the rows are stored, after that, or later. */
  async #decide(): Promise<void> {
    const { world } = this
    const random = this.#random
    const group = this.#groups[Math.floor(random() * GROUPS)]
    if (group === undefined) return
    // What was decided later has a later time.
    await world.clock.advance(1)
    const notification = group.change(random, world.clock.now())
    for (;;) {
      const { outbox } = world
      if (outbox === undefined) throw new Error('no process')
      const fate = random()
      const rows = outbox.entries([notification]) as readonly MessageRow[]
      if (fate < 0.05) {
        await this.#kill()
        continue
      }
      await world.log.append(rows)
      if (fate < 0.15) return await this.#kill()
      if (fate < 0.3) await world.clock.advance(random() * 2000)
      if (world.outbox === outbox) outbox.deliver([notification])
      return
    }
  }

  async #step(): Promise<void> {
    const random = this.#random
    const what = random()
    if (what < 0.45) return await this.#decide()
    if (what < 0.65) {
      const all = [...this.#channels, this.#fallback]
      const channel = all[Math.floor(random() * all.length)]
      const mode = MODES[Math.floor(random() * MODES.length)]
      if (channel !== undefined && mode !== undefined) channel.mode = mode
      return
    }
    if (what < 0.72) return await this.#kill()
    this.world.log.isBroken = false
    await this.world.clock.advance(random() < 0.3 ? random() * 600_000 : random() * 5000)
  }

  async run(): Promise<string[]> {
    const { world } = this
    await this.#open()
    for (let step = 0; step < STEPS; step += 1) {
      await this.#step()
      if (this.#random() < 0.5) await world.settle()
    }
    for (const channel of [...this.#channels, this.#fallback]) channel.mode = 'up'
    await world.clock.advance(1_800_000)
    await world.settle()
    const faults = [...this.#channels.flatMap((channel) => faultsOf(channel, this.#groups, world.taken, false)), ...faultsOf(this.#fallback, this.#groups, world.taken, true)]
    if (world.outbox?.isEmpty !== true) faults.push('something is still owed')
    const owed = Object.entries(world.log.states()).filter(([, state]) => state === 'queued')
    return [...faults, ...owed.map(([key]) => `${key} is still owed in the log`)]
  }
}

test(`${SEQUENCES} random sequences of failing receivers and killed processes: nothing is lost, no end is an orphan`, { timeout: 600_000 }, async () => {
  let [kills, taken, fallbacks] = [0, 0, 0]
  for (let seed = 1; seed <= SEQUENCES; seed += 1) {
    const sequence = new Sequence(seed)
    assert.deepEqual(await sequence.run(), [], `seed ${seed}`)
    kills += sequence.kills
    taken += sequence.world.taken.length
    fallbacks += sequence.world.taken.filter(({ channel }) => channel === 'phone').length
  }
  // They were lives worth looking at.
  assert.ok(kills > SEQUENCES && taken > SEQUENCES * 4 && fallbacks > SEQUENCES / 20, JSON.stringify({ kills, taken, fallbacks }))
})
