import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { type AgentList, chooseTargets, type Machine, type TargetFlags } from './profile-target.ts'

const NOW = 1_000_000_000
const agent = (service: string, instance: string, more: object = {}): AgentList['agents'][number] => ({ service, instance, revision: 0, capabilities: ['sampling', 'profile'], lastSeen: NOW - 1000, ...more })
const LIST: AgentList = {
  now: NOW,
  agents: [
    agent('shop', 'here:10'),
    agent('shop', 'here:10:1'),
    agent('shop', 'blue one'),
    agent('bank', 'there:20', { lastSeen: NOW - 600_000 }),
    agent('old', 'there:30', { capabilities: ['sampling'] }),
  ],
}

function machine({ error, environ, cmdline }: { error?: string; environ?: string; cmdline?: string } = {}): Machine {
  return {
    host: 'here',
    probe: () => {
      if (error !== undefined) throw Object.assign(new Error(error), { code: error })
    },
    read: (_pid, file) => (file === 'environ' ? environ : cmdline),
  }
}

const choose = (flags: Omit<TargetFlags, 'url'>, on = machine(), list = LIST): string[] => chooseTargets(list, { url: 'http://andon', ...flags }, on).map(({ instance }) => instance)

test('a service means all its instances, an instance one of them, a process the agent of its main thread', () => {
  assert.deepEqual(choose({ service: 'shop' }), ['here:10', 'here:10:1', 'blue one'])
  assert.deepEqual(choose({ service: 'shop', instance: 'blue one' }), ['blue one'])
  assert.deepEqual(choose({ instance: 'here:10:1' }), ['here:10:1'])
  assert.deepEqual(choose({ pid: '10' }), ['here:10'])
  // Also where the process belongs to somebody else: the server decides who may profile it.
  assert.deepEqual(choose({ pid: '10' }, machine({ error: 'EPERM' })), ['here:10'])
  assert.deepEqual(choose({ pid: '77' }, machine({ environ: 'A=1\0OTEL_RESOURCE_ATTRIBUTES=team=x,service.instance.id=blue%20one\0' })), ['blue one'])
})

for (const [what, flags, on, code, said] of [
  ['a process that is none', { pid: 'abc' }, machine(), EXIT.usage, /"abc" is not the number of a process/],
  ['process 0', { pid: '0' }, machine(), EXIT.usage, /not the number/],
  ['a process that does not run', { pid: '11' }, machine({ error: 'ESRCH' }), EXIT.problem, /no process 11 on this machine/],
  ['a process without an agent', { pid: '11' }, machine({ cmdline: 'node\0app.js\0\u001B[31m' }), EXIT.problem, /Process 11 \(node app\.js �\[31m\) has no agent that http:\/\/andon has heard\.\nStart it with the agent: andon run -- node app\.js\nIf it has one already: .* --url/],
  ['a process of another user without an agent', { pid: '11' }, machine({ error: 'EPERM' }), EXIT.problem, /Process 11 has no agent .*\nIt belongs to another user/],
  ['a service that is not known', { service: 'mail' }, machine(), EXIT.problem, /no agent of the service "mail"\.\nServices with an agent: shop, bank, old/],
  ['an instance that is not known', { service: 'shop', instance: 'x' }, machine(), EXIT.problem, /no agent of the instance "x"\.\nInstances: here:10, here:10:1, blue one/],
  ['a service that is silent', { service: 'bank' }, machine(), EXIT.problem, /bank there:20 was heard 10 minutes ago and not since then\.\nDoes it still run/],
  ['an agent that cannot', { service: 'old' }, machine(), EXIT.problem, /old there:30 cannot take profiles\.\nUpdate @andon\/agent/],
] as const satisfies readonly (readonly [string, Omit<TargetFlags, 'url'>, Machine, ExitCode, RegExp])[]) {
  test(`${what}: told with what to do`, () => {
    assert.throws(() => choose(flags, on), (error) => error instanceof CommandError && error.code === code && said.test(error.message))
  })
}

test('too many instances at once are refused, and none at all is told', () => {
  const many = Array.from({ length: 21 }, (_, index) => agent('shop', `i${index}`))
  assert.throws(() => choose({ service: 'shop' }, machine(), { now: NOW, agents: many }), (error) => error instanceof CommandError && error.code === EXIT.usage && /at most 20/.test(error.message))
  assert.throws(() => choose({ service: 'shop' }, machine(), { now: NOW, agents: [] }), (error) => error instanceof CommandError && /no agent at all\.\nStart it with the agent: andon run/.test(error.message))
})
