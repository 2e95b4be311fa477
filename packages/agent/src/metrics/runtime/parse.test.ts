// The kernel's files as they look on real machines, and the arithmetic on them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readGroup } from './cgroup.ts'
import { parseDisks, parseNetworks } from './devices.ts'
import { busyTime } from './event-loop.ts'
import { Reading } from './reading.ts'
import { StallDetector } from './stall.ts'
import { parseCpuTimes, parseMemory, shares } from './system.ts'
import { parseThread, ThreadTotals } from './threads.ts'

function files(of: Readonly<Record<string, string>>): (path: string) => Promise<string | undefined> {
  return (path) => Promise.resolve(of[path])
}

test('cgroup v2: the least limit of the group and those above it; its own use', async () => {
  const use = await readGroup(
    files({
      '/proc/self/cgroup': '0::/kubepods/pod1/app\n',
      '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
      '/sys/fs/cgroup/kubepods/pod1/app/cpu.max': '200000 100000\n',
      '/sys/fs/cgroup/kubepods/pod1/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/kubepods/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/kubepods/pod1/app/cpu.stat': 'usage_usec 2500000\nuser_usec 1\nnr_periods 10\nnr_throttled 4\nthrottled_usec 750000\n',
      '/sys/fs/cgroup/kubepods/pod1/app/memory.max': 'max\n',
      '/sys/fs/cgroup/kubepods/pod1/memory.max': '536870912\n',
      '/sys/fs/cgroup/kubepods/pod1/app/memory.current': '300000000\n',
      '/sys/fs/cgroup/kubepods/pod1/app/memory.stat': 'anon 1\ninactive_file 100000000\n',
    }),
    8e9,
  )
  assert.deepEqual(use, { cpuLimit: 1.5, cpuSeconds: 2.5, throttledPeriods: 4, throttledSeconds: 0.75, memoryLimit: 536_870_912, memory: 300_000_000, workingSet: 200_000_000 })
})

test('cgroup v2 within a container that sees its own group as the root', async () => {
  const use = await readGroup(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cgroup.controllers': '', '/sys/fs/cgroup/cpu.max': '50000 100000\n', '/sys/fs/cgroup/memory.max': 'max', '/sys/fs/cgroup/memory.current': '5' }), 8e9)
  assert.deepEqual([use?.cpuLimit, use?.memoryLimit, use?.memory, use?.throttledSeconds], [0.5, undefined, 5, undefined])
})

test('cgroup v1: the limits of each controller', async () => {
  const use = await readGroup(
    files({
      '/proc/self/cgroup': '12:cpu,cpuacct:/docker/abc\n5:memory:/docker/abc\n1:name=systemd:/\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us': '300000\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.stat': 'nr_periods 9\nnr_throttled 2\nthrottled_time 1500000000\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpuacct.usage': '7000000000\n',
      // Mounted at the root of the container's own view.
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1000\n',
      '/sys/fs/cgroup/memory/memory.stat': 'hierarchical_memory_limit 4000\ntotal_inactive_file 100\n',
    }),
    8e9,
  )
  assert.deepEqual(use, { cpuLimit: 3, cpuSeconds: 7, throttledPeriods: 2, throttledSeconds: 1.5, memoryLimit: 4000, memory: 1000, workingSet: 900 })
})

test('without a limit, and without groups, there is no container', async () => {
  assert.equal(await readGroup(files({}), 8e9), undefined)
  assert.equal(await readGroup(files({ '/proc/self/cgroup': '0::/user.slice\n', '/sys/fs/cgroup/cgroup.controllers': '', '/sys/fs/cgroup/user.slice/memory.max': 'max', '/sys/fs/cgroup/user.slice/cpu.max': 'max 100000' }), 8e9), undefined)
  const quotaless = { '/proc/self/cgroup': '4:memory:/\n1:cpu:/\n', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000', '/sys/fs/cgroup/cpu/cpu.stat': '', '/sys/fs/cgroup/memory/memory.usage_in_bytes': '9', '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712' }
  assert.equal(await readGroup(files(quotaless), 8e9), undefined)
})

test('disks: whole ones that were used', () => {
  const text = `   7       0 loop0 5 0 8 0 0 0 0 0 0 0 0
 259       0 nvme0n1 100 5 2048 30 50 7 4096 40 0 1500 70 0 0 0 0
 259       1 nvme0n1p1 90 5 2000 30 50 7 4096 40 0 1400 70
   8       0 sda 0 0 0 0 0 0 0 0 0 0 0`
  const found = parseDisks(text, (name) => name !== 'nvme0n1p1')
  assert.deepEqual(found, [{ name: 'nvme0n1', reads: 100, readBytes: 1_048_576, writes: 50, writtenBytes: 2_097_152, busySeconds: 1.5 }])
})

test('networks: without loopback and the ends of containers', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
  eth0:12345 20 1 2 0 0 0 0 678 9 3 4 0 0 0 0
veth12: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0
`
  assert.deepEqual(parseNetworks(text), [{ name: 'eth0', receive: { bytes: 12_345, packets: 20, errors: 1, dropped: 2 }, transmit: { bytes: 678, packets: 9, errors: 3, dropped: 4 } }])
  assert.deepEqual(parseNetworks(''), [])
})

test('processors: seconds by mode, and shares that add up to 1 with waiting as idle', () => {
  const before = parseCpuTimes('cpu  1000 100 500 8000 200 25 25 0 0 0\ncpu0 1 1 1 1') ?? assert.fail()
  assert.deepEqual([before.get('user'), before.get('iowait'), before.get('interrupt')], [10, 2, 0.5])
  const now = parseCpuTimes('cpu  1100 100 550 8020 220 30 30 0 0 0') ?? assert.fail()
  const found = shares(before, now)
  assert.deepEqual([...found].map(([mode, share]) => `${mode} ${share.toFixed(3)}`), ['user 0.500', 'nice 0.000', 'system 0.250', 'idle 0.200', 'interrupt 0.050', 'steal 0.000'])
  assert.equal(shares(now, now).size, 0)
  assert.equal(parseCpuTimes('intr 1'), undefined)
})

test('memory: what can be had is free', () => {
  const text = 'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nSwapTotal:        50 kB\nSwapFree:         20 kB\nActive(anon): 5 kB\n'
  assert.deepEqual(parseMemory(text), { total: 1_024_000, available: 409_600, swapTotal: 51_200, swapFree: 20_480 })
  assert.equal(parseMemory(''), undefined)
})

test('threads: names with brackets and blanks; totals rise on when a thread ends or its id is used again', () => {
  assert.deepEqual(parseThread('7', '7 (a) (b) S 1 7 7 0 -1 4194304 10 0 0 0 150 50 0 0 20 0 8 0'), { id: '7', name: 'a) (b', seconds: 2 })
  assert.equal(parseThread('7', ''), undefined)
  const sums = new ThreadTotals()
  const add = (...threads: readonly [string, number][]): void => sums.add(threads.map(([id, seconds]) => ({ id, name: 'w', seconds })))
  add(['1', 5], ['2', 3])
  assert.equal(sums.totals.get('w'), 8)
  add(['2', 4])
  assert.equal(sums.totals.get('w'), 9)
  add(['2', 1])
  assert.equal(sums.totals.get('w'), 10)
})

test('busy time: Node is believed, but not against a thread that neither ran nor was late', () => {
  // A profiler on an idle process, as measured.
  assert.equal(busyTime({ elapsed: 2000, active: 1956, running: 268, late: 10 }), 268)
  // Waiting for a synchronous read: no time on a processor, but the timers came late.
  assert.equal(busyTime({ elapsed: 2000, active: 1500, running: 100, late: 1450 }), 1500)
  assert.equal(busyTime({ elapsed: 2000, active: 1900, running: 100, late: 1000 }), 1000)
  assert.equal(busyTime({ elapsed: 2000, active: 1000, running: 990, late: 0 }), 1000)
  assert.equal(busyTime({ elapsed: 2000, active: 1000, running: undefined, late: 0 }), 1000)
  assert.equal(busyTime({ elapsed: 2000, active: 2100, running: 2050, late: 0 }), 2000)
})

test('a stall is a tick that comes later than the threshold, and tells how much of it was work', () => {
  const detector = new StallDetector(250, 0, 0)
  assert.equal(detector.periodMs, 125)
  assert.equal(detector.tick(130, 5), undefined)
  assert.equal(detector.tick(130 + 375, 10), undefined)
  assert.deepEqual(detector.tick(505 + 1125, 910), { endMs: 1630, lengthMs: 1000, cpuMs: 900, kind: 'cpu' })
  assert.deepEqual(detector.tick(1630 + 1125, 2910), { endMs: 2755, lengthMs: 1000, cpuMs: 1000, kind: 'cpu' })
  assert.equal(detector.tick(2755 + 1125, 2910 + 400)?.kind, 'waiting')
})

test('a reading that hangs is not started again, and one that fails leaves nothing', async () => {
  const answers: ((value: number) => void)[] = []
  let started = 0
  const reading = new Reading(() => {
    started += 1
    return started === 1 ? new Promise<number>((resolve) => answers.push(resolve)) : Promise.reject(new Error('gone'))
  })
  const first = reading.look()
  void reading.look()
  assert.deepEqual([started, reading.latest], [1, undefined])
  answers[0]?.(7)
  await first
  assert.equal(reading.latest, 7)
  await reading.look()
  assert.deepEqual([started, reading.latest], [2, undefined])
})
