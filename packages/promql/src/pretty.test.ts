import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from './parse.ts'
import { prettify } from './pretty.ts'
import { print } from './print.ts'

const LONG = 'a_metric_with_a_name_that_is_long{label="a value that is long as well"}'

test('what fits stays on one line', () => {
  const cases: Record<string, string> = {
    'foo/bar': 'foo / bar',
    'sum(rate(x[5m]))by(job)': 'sum by (job) (rate(x[5m]))',
    'x   >   5m # a comment': 'x > 5m',
  }
  for (const [text, expected] of Object.entries(cases)) assert.equal(prettify(parse(text)), expected)
})

test('what does not is broken where Prometheus breaks it', () => {
  const text = `histogram_quantile(0.9, sum by (le) (rate(${LONG}[5m]))) / on (job) group_left () topk(5, -(${LONG} > ${LONG})) or max_over_time((${LONG} + ${LONG})[1h:5m])`
  assert.equal(
    prettify(parse(text)),
    `    histogram_quantile(
      0.9,
      sum by (le) (rate(${LONG}[5m]))
    )
  / on (job) group_left ()
    topk(
      5,
      -(
          ${LONG}
        >
          ${LONG}
      )
    )
or
  max_over_time(
    (
        ${LONG}
      +
        ${LONG}
    )[1h:5m]
  )`,
  )
})

test('what is broken means the same', () => {
  for (const text of [`sum(${LONG} - ignoring (a) ${LONG} * ${LONG}) without (b)`, `- - ${LONG} ^ ${LONG}`, `label_replace(${LONG}, "a", "${'x'.repeat(100)}", "b", "(.*)")`, `(${LONG} @ 5 or ${LONG} offset -1h) > bool 90m`]) {
    assert.equal(print(parse(prettify(parse(text)))), print(parse(text)), text)
  }
})
