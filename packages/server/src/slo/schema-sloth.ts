// Objectives as Sloth's files say them, of both kinds: prometheus/v1, and the resource of Kubernetes.
// @see https://sloth.dev/specs/default/v1/ and https://sloth.dev/specs/kubernetes/v1/
import type { Indicator, Labels, Objective } from '@andon/model'
import type { Reading } from '../runtime/reading.ts'
import { checkedId } from './schema-native.ts'
import { readExpression, readLabels, readNumber, share } from './values.ts'

const MONTH = 30 * 86_400_000

/** The names of keys, which the two kinds of file write differently. */
interface Spelling {
  readonly errorQuery: string
  readonly totalQuery: string
  readonly errorRatioQuery: string
  readonly pageAlert: string
  readonly ticketAlert: string
}

const SNAKE: Spelling = { errorQuery: 'error_query', totalQuery: 'total_query', errorRatioQuery: 'error_ratio_query', pageAlert: 'page_alert', ticketAlert: 'ticket_alert' }
const CAMEL: Spelling = { errorQuery: 'errorQuery', totalQuery: 'totalQuery', errorRatioQuery: 'errorRatioQuery', pageAlert: 'pageAlert', ticketAlert: 'ticketAlert' }

function readIndicator(source: Reading, spelling: Spelling): Indicator {
  source.only('events', 'raw', 'plugin', 'denominator_corrected')
  const [events, raw] = [source.at('events'), source.at('raw')]
  if (!source.at('plugin').isAbsent) return source.at('plugin').refuse('is not understood: plugins are programs of Sloth; write the queries themselves')
  if (!events.isAbsent) return { kind: 'counts', good: undefined, bad: readExpression(events.at(spelling.errorQuery)), total: readExpression(events.at(spelling.totalQuery)), counter: true }
  return raw.isAbsent ? source.refuse('needs events or raw') : { kind: 'ratio', bad: readExpression(raw.at(spelling.errorRatioQuery)) }
}

const isOn = (alerting: Reading, key: string): boolean => alerting.isAbsent || alerting.at(key).isAbsent || !alerting.at(key).at('disable').flag(false)

function readOne(source: Reading, { service, labels, spelling }: { readonly service: string; readonly labels: Labels; readonly spelling: Spelling }): Objective {
  const name = source.at('name').name()
  const percent = readNumber(source.at('objective'))
  if (!(percent > 0 && percent < 100)) source.at('objective').refuse('must be greater than 0 and less than 100')
  const alerting = source.at('alerting')
  const page = isOn(alerting, spelling.pageAlert)
  return {
    id: checkedId(source.at('name'), `${service}-${name}`),
    name: `${service} ${name}`,
    description: source.at('description').name(''),
    service,
    environment: '',
    indicator: readIndicator(source.at('sli'), spelling),
    target: share(percent),
    windows: [{ kind: 'rolling', name: '30d', lengthMs: MONTH }],
    maintenance: [],
    agreement: undefined,
    labels: { ...labels, ...readLabels(source.at('labels')), ...(alerting.isAbsent ? {} : readLabels(alerting.at('labels'))) },
    annotations: alerting.isAbsent ? {} : readLabels(alerting.at('annotations')),
    runbook: '',
    alerts: { page, ticket: isOn(alerting, spelling.ticketAlert), fast: page },
    file: source.origin.file ?? '',
  }
}

/** All objectives of a document. */
export function readSloth(source: Reading): Objective[] {
  const isKubernetes = !source.at('apiVersion').isAbsent
  const body = isKubernetes ? source.at('spec') : source
  const of = { service: body.at('service').name(), labels: readLabels(body.at('labels')), spelling: isKubernetes ? CAMEL : SNAKE }
  return body.at('slos').list().map((each) => readOne(each, of))
}
