import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { readIncidentOptions } from './schema.ts'

test('without a section everything has its default', () => {
  assert.deepEqual(readIncidentOptions(undefined), {
    windowMs: 900_000,
    cooldownMs: 1_800_000,
    open: ['critical', 'page'],
    join: ['critical', 'page', 'error', 'warning', 'ticket', ''],
    resolve: 'when_alerts_resolve',
    runbooksDir: undefined,
    objectives: { detectMs: 300_000, acknowledgeMs: null, resolveMs: 1_800_000 },
    alertBudget: { pages: 2, perMs: 604_800_000, exempt: [] },
    escalation: [],
    schedules: [],
  })
  assert.equal(readIncidentOptions(parse('alert_budget: off')).alertBudget, undefined)
  assert.deepEqual(readIncidentOptions(parse('join: [""]')).join, ['critical', 'page', ''])
})

const wrong: readonly (readonly [yaml: string, path: string])[] = [
  ['wndow: 1m', 'incidents.wndow is not known here'],
  ['window: 1 minute', 'incidents.window must'],
  ['resolve: sometimes', 'incidents.resolve must'],
  ['alert_budget: { pages: 0 }', 'incidents.alert_budget.pages must'],
  ['objectives: { detect: soon }', 'incidents.objectives.detect must'],
  ['escalation: [{ name: a, steps: [{ wait: 5m }] }]', 'incidents.escalation[0].steps must'],
  ['escalation: [{ name: a, steps: [{ notify: b, wait: 1m }] }]', 'incidents.escalation[0].steps[0] must'],
  ['escalation: [{ name: a, steps: [{ notify_on_call: b }] }]', 'incidents.escalation[0].steps[0].notify_on_call must'],
  ['escalation: [{ name: a, steps: [{ notify: b }], repeat: 3 }]', 'incidents.escalation[0].steps must'],
  ['escalation: [{ name: a, steps: [{ notify: b }] }, { name: a, steps: [{ notify: b }] }]', 'incidents.escalation must'],
  ['on_call: [{ name: a, start: 2026-02-30, people: [{ name: b, receiver: c }] }]', 'incidents.on_call[0].start must'],
  ['on_call: [{ name: a, start: 2026-02-01, time_zone: Mars/Base, people: [{ name: b, receiver: c }] }]', 'incidents.on_call[0].time_zone must'],
  ['on_call: [{ name: a, start: 2026-02-01, people: [] }]', 'incidents.on_call[0].people must'],
  ['on_call: [{ name: a, start: 2026-02-01, people: [{ name: b, receiver: c }], overrides: [{ person: d, from: 2026-01-01, to: 2026-01-02 }] }]', 'incidents.on_call[0].overrides[0].person must'],
  ['on_call: [{ name: a, ical: /nowhere.ics, people: [{ name: b, receiver: c }] }]', 'incidents.on_call[0].ical must'],
]

test('what is wrong is told with the path of its key', () => {
  for (const [yaml, path] of wrong) assert.throws(() => readIncidentOptions(parse(yaml)), (error: Error) => Reflect.get(error, 'code') === 'bad_config' && error.message.startsWith(path), yaml)
})
