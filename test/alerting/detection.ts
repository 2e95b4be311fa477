// Detectors, of which one fires, and the release before it.
import type { ComparedSeries, DeployMarker, DetectorDetail, DetectorState, ListedDetector, ReleaseComparison, ReleaseVerdict, SignalUnit } from '@andon/model'
import { NOW } from '../dashboard-now.ts'
import { ago, DAY, ERROR_EXPRESSION, HOUR, MINUTE } from './scene.ts'

/** From which evidence on there is an alarm: a million to one, as its logarithm. */
const THRESHOLD = Math.log(1_000_000)
const detector = (id: string, title: string, state: DetectorState, more: Partial<ListedDetector> = {}): ListedDetector => ({
  id,
  service: 'kanban',
  environment: 'production',
  signal: 'p95',
  key: '',
  title,
  unit: 'seconds',
  family: 'latency',
  isIndicator: false,
  state,
  because: '7 days of its own past raised 1 alarm',
  slices: 40_320,
  time: ago(12_000),
  value: 0.061,
  expected: 0.048,
  low: 0.036,
  high: 0.072,
  p: 0.2,
  statistic: 1.2,
  threshold: THRESHOLD,
  effect: 0.4,
  firing: false,
  since: null,
  onset: null,
  held: '',
  ...more,
})
const ERRORS = detector('kanban-errors', 'share of failed requests', 'page', { signal: 'errors', family: 'errors', unit: 'ratio', isIndicator: true, value: 0.084, expected: 0.004, low: 0, high: 0.012, p: 1e-9, statistic: 22.1, effect: 8, firing: true, since: ago(12 * MINUTE), onset: ago(14 * MINUTE) })
export const DETECTORS: readonly ListedDetector[] = [
  ERRORS,
  detector('kanban-p95', '95th percentile of latency', 'ticket', { statistic: 6.8 }),
  detector('kanban-cpu', 'CPU of the processes', 'silent', { signal: 'cpu', family: 'cpu', unit: 'ratio', value: 0.22, low: 0.12, high: 0.31, held: 'the effect is too small' }),
  detector('kanban-heap', 'heap after major collections', 'learning', { signal: 'heap', family: 'memory', unit: 'bytes', value: 91_000_000, low: null, high: null, statistic: null, because: 'it has just been seen' }),
  detector('kanban-rate', 'requests per second', 'page', { signal: 'rate', family: 'rate', unit: 'per second', value: 12.3, low: 9, high: 16 }),
]
export const DETECTOR: DetectorDetail = {
  ...ERRORS,
  firstSeen: ago(19 * DAY),
  model: 'counts against 0.4 %',
  slowLimit: null,
  expression: ERROR_EXPRESSION,
  episodes: [
    { start: ago(12 * MINUTE), end: null, onset: ago(14 * MINUTE), peak: 22.4, isExplained: false },
    { start: ago(3 * DAY), end: ago(3 * DAY - 22 * MINUTE), onset: ago(3 * DAY + MINUTE), peak: 15.2, isExplained: true },
  ],
}

const deploy = (id: string, version: string, hoursAgo: number, more: Partial<DeployMarker> = {}): DeployMarker => ({ id, service: 'kanban', environment: 'production', version, at: ago(hoursAgo * HOUR), source: 'told', actor: 'pipeline', note: 'c0ffee1: keys of tasks come from the client', ...more })
const NEWEST = deploy('d3', '1.3.0', 19 / 60)
export const DEPLOYS: readonly DeployMarker[] = [NEWEST, deploy('d2', '1.2.0', 52, { source: 'seen', actor: '', note: '' }), deploy('d1', '2.0.1', 90, { service: 'mailer', actor: 'ben', note: '' })]
const compared = (title: string, unit: SignalUnit, [before, after, changed]: readonly [number | null, number | null, number | null], verdict: ReleaseVerdict, kind: ComparedSeries['kind'] = 'factor'): ComparedSeries => ({ id: { service: 'kanban', environment: 'production', signal: title, key: '' }, title, unit, before, after, change: changed, low: changed === null ? null : changed * 0.8, high: changed === null ? null : changed * 1.2, kind, verdict })
export const COMPARISON: ReleaseComparison = {
  marker: NEWEST,
  before: { start: ago(79 * MINUTE), end: ago(19 * MINUTE) },
  after: { start: ago(17 * MINUTE), end: NOW },
  isPreliminary: true,
  series: [
    compared('share of failed requests', 'ratio', [0.004, 0.084, 0.08], 'worse', 'difference'),
    compared('95th percentile of latency', 'seconds', [0.131, 0.118, -0.1], 'better'),
    compared('requests per second', 'per second', [12.1, 12.3, 0.017], 'no difference'),
    compared('heap after major collections', 'bytes', [null, null, null], 'too few data', 'difference'),
  ],
}
