import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTemplate, runTemplate } from './run.ts'
import { sprintf } from './printf.ts'
import type { TemplateWorld } from './functions.ts'
import type { Value } from './values.ts'

const sample = (labels: Record<string, string>, value: number): Value => ({ Labels: labels, Value: value })

const ANSWERS: Readonly<Record<string, readonly Value[]>> = {
  metric: [sample({ __name__: 'metric', instance: 'b' }, 21), sample({ __name__: 'metric', instance: 'a' }, 11)],
  nothing: [],
}
const world: TemplateWorld = {
  externalUrl: 'http://testhost:9090/path/prefix',
  query: (expression) => {
    const answer = ANSWERS[expression]
    return answer === undefined ? Promise.reject(new Error('query failed')) : Promise.resolve(answer)
  },
}

async function run(text: string, data: Value = null): Promise<string> {
  const variables = new Map<string, Value>([
    ['$labels', { instance: 'web-1:80', job: 'web' }],
    ['$value', 0.1234],
  ])
  return await runTemplate(parseTemplate(text), data, variables, world)
}

/** Cases of Prometheus' template_test.go, and of Go's text/template. */
const CASES: readonly (readonly [text: string, output: string, data?: Value])[] = [
  ['plain text without template', 'plain text without template'],
  ['{{ $labels.instance }} of {{ $labels.job }}: {{ $value }}', 'web-1:80 of web: 0.1234'],
  ['{{ $labels.absent }}|', '|'],
  ['{{ 1 }}', '1'],
  ['{{- /* a comment */ -}} x', 'x'],
  ['a {{- 1 -}} b', 'a1b'],
  ['{{ query "metric" | first | value }}', '21'],
  ['{{ query "metric" | first | label "instance" }}', 'b'],
  ['{{ (query "metric" | sortByLabel "instance" | first).Labels.instance }}:{{ (query "metric" | sortByLabel "instance" | first).Value }}', 'a:11'],
  ['{{ (index (query "metric" | sortByLabel "instance") 1).Labels.instance }}', 'b'],
  ['{{ range query "metric" | sortByLabel "instance" }}{{.Labels.instance}}:{{.Value}}: {{end}}', 'a:11: b:21: '],
  ['{{ range query "nothing" }}x{{ else }}none{{ end }}', 'none'],
  ['{{ range $i, $e := query "metric" }}{{ if $i }}, {{ end }}{{ $e.Labels.instance }}{{ end }}', 'b, a'],
  ['{{ range query "metric" }}{{ if eq .Labels.instance "a" }}{{ break }}{{ end }}{{ .Labels.instance }}{{ end }}', 'b'],
  ['{{ with query "nothing" }}{{ . | first | value }}{{ else }}no data{{ end }}', 'no data'],
  ['{{ if gt $value 0.1 }}high{{ else if gt $value 0.05 }}mid{{ else }}low{{ end }}', 'high'],
  ['{{ if and (gt $value 0.1) (lt $value 0.2) }}yes{{ end }}', 'yes'],
  ['{{ or "" "second" }}', 'second'],
  ['{{ not true }}', 'false'],
  ['{{ $x := 5 }}{{ if true }}{{ $x = 6 }}{{ end }}{{ $x }}', '6'],
  ['{{ $x := 5 }}{{ if true }}{{ $x := 6 }}{{ end }}{{ $x }}', '5'],
  ['{{ humanize 0.0 }}:{{ humanize 1.0 }}:{{ humanize 1234567.0 }}:{{ humanize .12 }}', '0:1:1.235M:120m'],
  ['{{ range . }}{{ humanize . }}:{{ end }}', '0:1:1.235M:120m:-Inf:+Inf:NaN:', [0, 1, 1_234_567, 0.12, -Infinity, Infinity, Number.NaN]],
  ['{{ range . }}{{ humanize1024 . }}:{{ end }}', '0:1:1Mi:0.12:', [0, 1, 1_048_576, 0.12]],
  ['{{ range . }}{{ humanizeDuration . }}:{{ end }}', '0s:1s:1m 0s:1h 0m 0s:1d 0h 0m 0s:1d 0h 1m 1s:-1h 0m 1s:', [0, 1, 60, 3600, 86_400, 86_461, -3601]],
  ['{{ range . }}{{ humanizeDuration . }}:{{ end }}', '100ms:100us:123.5ms:-1.2345ms:'.replace('-1.2345', '-1.234'), [0.1, 0.0001, 0.12345, -0.0012345]],
  ['{{ range . }}{{ humanizePercentage . }}:{{ end }}', '-22.22%:0%:12.35%:100%:', [-0.222_222, 0, 0.123_456, 1]],
  ['{{ humanizeTimestamp 1435065584.128 }}', '2015-06-23 13:19:44.128 +0000 UTC'],
  ['{{ "1435065584.128" | toTime }}', '2015-06-23 13:19:44.128 +0000 UTC'],
  ['{{ humanize "0x10" }}', '16'],
  ['{{ parseDuration "1h2m10s" }}', '3730'],
  ['{{ printf "%.2f" $value }} {{ printf "%s=%q" "a" "b" }} {{ printf "%d" 12 }} {{ printf "%5.1f|%-5s|%05d" 2.25 "x" 42 }}', '0.12 a="b" 12   2.2|x    |00042'],
  ['{{ "aa bb CC" | title }} {{ toUpper "x" }} {{ toLower "X" }}', 'Aa Bb CC X x'],
  ['{{ match "a+" "aa" }} {{ match "a+" "b" }}', 'true false'],
  ['{{ reReplaceAll "(a)b" "x$1" "ab" }}', 'xa'],
  ['{{ stripPort "localhost:9090" }} {{ stripPort "[::1]:90" }} {{ stripDomain "host.example.com:80" }} {{ stripDomain "10.0.0.1:80" }}', 'localhost ::1 host:80 10.0.0.1:80'],
  ['{{ tableLink "up" }} {{ graphLink "a b" }}', '/graph?g0.expr=up&g0.tab=1 /graph?g0.expr=a+b&g0.tab=0'],
  ['{{ pathPrefix }} {{ externalURL }}', '/path/prefix http://testhost:9090/path/prefix'],
  ['{{ define "x" }}[{{ .arg0 }}-{{ .arg1 }}]{{ end }}{{ template "x" (args 1 "two") }}', '[1-two]'],
  ['{{ define "x" }}in {{ . }}{{ end }}{{ tmpl "x" "dot" | toUpper }}', 'IN DOT'],
  ['{{ block "b" . }}body of {{ . }}{{ end }}', 'body of data', 'data'],
  ['{{ len "abc" }} {{ index . 1 }} {{ slice "abcdef" 1 3 }}', '3 y bc', ['x', 'y']],
  ['{{ print 1 2 "a" 3 }}|{{ println "a" 1 }}', '1 2a3|a 1\n'],
  ['{{ html "<a href=\'x\'>" }} {{ urlquery "a b&c" }}', '&lt;a href=&#39;x&#39;&gt; a+b%26c'],
  ['{{ eq 1 2 1 }} {{ ne "a" "b" }} {{ le 2 2 }}', 'true true true'],
  ['{{ . }}', 'map[a:1 b:[x true]]', { b: ['x', true], a: 1 }],
  ['{{ `raw\\n` }}{{ "tab\\t" }}{{ \'a\' }}', 'raw\\ntab\t97'],
]

test('templates are filled in as Prometheus does', async () => {
  for (const [text, output, data] of CASES) assert.equal(await run(text, data ?? null), output, text)
})

test('what is wrong is refused with a reason', async () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{{ if true }}', /end.* is missing/],
    ['{{ end }}', /unexpected/],
    ['{{ 1 ', /not closed/],
    ['{{ unknown 1 }}', /not defined/],
    ['{{ $nobody }}', /undefined variable/],
    ['{{ query "missing" }}', /query failed/],
    ['{{ query "nothing" | first }}', /without a result/],
    ['{{ template "none" }}', /no template/],
    ['{{ break }}', /outside/],
    ['{{ match "(" "x" }}', /RE2/],
    ['{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}', /too deeply/],
    [`{{ ${'('.repeat(60)}1${')'.repeat(60)} }}`, /too deeply/],
  ]
  for (const [text, reason] of wrong) await assert.rejects(() => run(text), reason, text)
})

test('no template takes for ever, and none makes a text without end', async () => {
  await assert.rejects(run('{{ range 10000 }}{{ range 10000 }}x{{ end }}{{ end }}'), /actions|64 KiB/)
  await assert.rejects(run('{{ printf "%1000s" "x" }}'.repeat(100)), /64 KiB/)
})

test('any text is read or refused, and never breaks the reader', () => {
  const words = fc.constantFrom('{{', '}}', '{{-', '-}}', 'if', 'end', 'range', 'else', '$x', ':=', '.a', '"s"', '(', ')', '|', ' ', '1', '.', 'with', 'define "x"', '/*', '*/')
  fc.assert(
    fc.property(fc.array(words, { maxLength: 20 }), (parts) => {
      try {
        parseTemplate(parts.join(''))
      } catch (error) {
        assert.equal(Reflect.get(Object(error), 'code'), 'bad_rules', parts.join(''))
      }
    }),
    { numRuns: 500 },
  )
})

test('printf formats as Go', () => {
  const cases: readonly (readonly [string, readonly Value[], string])[] = [
    ['%v %v %v', [1.5, 2n, 'x'], '1.5 2 x'],
    ['%.4g', [1_234_567], '1.235e+06'],
    ['%.3g', [0.000_012_345], '1.23e-05'],
    ['%e', [1234.5], '1.234500e+03'],
    ['%+d % d %x %X %#x %o %b', [1n, 2n, 255n, 255n, 255n, 8n, 5n], '+1  2 ff FF 0xff 10 101'],
    ['%t %T', [true, 1.5], 'true float64'],
    ['%d', [1.5], '%!d(float64=1.5)'],
    ['%d %d', [1n], '1 %!d(MISSING)'],
    ['%d', [1n, 'x'], '1%!(EXTRA string=x)'],
    ['100%%', [], '100%'],
    ['%.2s|%6.2f|%-8v|', ['abc', 3.145_07, true], 'ab|  3.15|true    |'],
    ['%08.3f', [-3.145_07], '-003.145'],
    ['%v', [1e21], '1e+21'],
  ]
  for (const [format, args, text] of cases) assert.equal(sprintf(format, args), text, format)
})
