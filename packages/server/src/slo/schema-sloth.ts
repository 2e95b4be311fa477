// Objectives as Sloth's files say them, of both kinds: prometheus/v1, and the resource of Kubernetes.
// @see https://sloth.dev/specs/default/v1/ and https://sloth.dev/specs/kubernetes/v1/
import type { Indicator, Labels, Objective } from '@andon/model'
import { checkedId } from './schema-native.ts'
import { share, type Source } from './source.ts'

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

function readIndicator(source: Source, spelling: Spelling): Indicator {
  source.only('events', 'raw', 'plugin', 'denominator_corrected')
  const [events, raw] = [source.at('events'), source.at('raw')]
  if (!source.at('plugin').isAbsent) return source.at('plugin').fail('is not understood: plugins are programs of Sloth; write the queries themselves')
  if (!events.isAbsent) return { kind: 'counts', good: undefined, bad: events.at(spelling.errorQuery).expression(), total: events.at(spelling.totalQuery).expression(), counter: true }
  return raw.isAbsent ? source.fail('needs events or raw') : { kind: 'ratio', bad: raw.at(spelling.errorRatioQuery).expression() }
}

const isOn = (alerting: Source, key: string): boolean => alerting.isAbsent || alerting.at(key).isAbsent || !alerting.at(key).at('disable').flag(false)

function readOne(source: Source, { service, labels, spelling }: { readonly service: string; readonly labels: Labels; readonly spelling: Spelling }): Objective {
  const name = source.at('name').text()
  const percent = source.at('objective').number()
  if (!(percent > 0 && percent < 100)) source.at('objective').fail('must be greater than 0 and less than 100')
  const alerting = source.at('alerting')
  const page = isOn(alerting, spelling.pageAlert)
  return {
    id: checkedId(source.at('name'), `${service}-${name}`),
    name: `${service} ${name}`,
    description: source.at('description').text(''),
    service,
    environment: '',
    indicator: readIndicator(source.at('sli'), spelling),
    target: share(percent),
    windows: [{ kind: 'rolling', name: '30d', lengthMs: MONTH }],
    maintenance: [],
    agreement: undefined,
    labels: { ...labels, ...source.at('labels').labels(), ...(alerting.isAbsent ? {} : alerting.at('labels').labels()) },
    annotations: alerting.isAbsent ? {} : alerting.at('annotations').labels(),
    runbook: '',
    alerts: { page, ticket: isOn(alerting, spelling.ticketAlert), fast: page },
    file: source.file,
  }
}

/** All objectives of a document. */
export function readSloth(source: Source): Objective[] {
  const isKubernetes = !source.at('apiVersion').isAbsent
  const body = isKubernetes ? source.at('spec') : source
  const of = { service: body.at('service').text(), labels: body.at('labels').labels(), spelling: isKubernetes ? CAMEL : SNAKE }
  return body.at('slos').list().map((each) => readOne(each, of))
}
