import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Labels } from '@andon/model'
import { parsePrometheusText } from '@andon/wire'
import fastify from 'fastify'
import { Engine } from '../query/engine.ts'
import { MemorySource } from '../query/memory/memory-source.ts'
import { commandsOf } from '../query/vectors/script.test.ts'
import { FakeClock } from '../runtime/clock.ts'
import { registerFederation } from './metrics-federation.ts'

/** Two samples a minute apart, the newer one 90 seconds old. */
const NOW = 150_000
const SERIES = `load 1m
  up{job="b",instance="one"} 0 1
  up{job="a"} 1 1
  a_total{job="b"} 5 7.5
  ended{job="b"} 1 stale
  native{job="b"} 1 {{schema:0 count:1 sum:1 buckets:[1]}}
  site_total{job="b",site="there"} 1 2

load 6m
  later{job="b"} _ 1`

async function federate(query: string, { externalLabels, at = NOW }: { externalLabels?: Labels; at?: number } = {}): Promise<{ status: number; text: string }> {
  const source = new MemorySource()
  for (const command of commandsOf(SERIES)) if (command.kind === 'load') source.load(command)
  const app = fastify()
  registerFederation(app, { engine: new Engine(source, { querySamples: 1000, querySteps: 10, queryMs: 10_000 }), clock: new FakeClock(at), ...(externalLabels !== undefined && { externalLabels }) })
  const { statusCode, body } = await app.inject(`/federate?${query}`)
  return { status: statusCode, text: body }
}

test('what is federated is sorted, each series once with the time of its sample, without what ended and what the text cannot hold', async () => {
  const { text } = await federate('match[]={job="b"}&match[]=up&match[]=%7B__name__%3D~".%2B"%7D')
  assert.deepEqual(text.split('\n').filter((line) => !line.startsWith('# HELP')), [
    '# TYPE a_total untyped',
    'a_total{job="b",instance=""} 7.5 60000',
    '# TYPE site_total untyped',
    'site_total{job="b",site="there",instance=""} 2 60000',
    '# TYPE up untyped',
    'up{job="b",instance="one"} 1 60000',
    'up{job="a",instance=""} 1 60000',
    '',
  ])
  assert.equal(parsePrometheusText(text).length, 3)
})

test('what is older than the lookback is not federated, and external labels do not change what a series has', async () => {
  assert.equal((await federate('match[]=up', { at: 60_000 + 300_000 })).text, '')
  const { text } = await federate('match[]=site_total&match[]=a_total', { externalLabels: { site: 'here', instance: 'andon' } })
  assert.match(text, /^a_total\{job="b",instance="andon",site="here"\} 7.5 60000$/m)
  assert.match(text, /^site_total\{job="b",site="there",instance="andon"\} 2 60000$/m)
})

test('nothing is asked for, or something that is no selector', async () => {
  assert.deepEqual(await federate(''), { status: 200, text: '' })
  for (const wrong of ['1', 'rate(up[5m])', 'up offset 5m', 'up @ 5']) assert.equal((await federate(`match[]=${encodeURIComponent(wrong)}`)).status, 400, wrong)
})
