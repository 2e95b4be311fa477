export {
  ADAPTED_EVENT,
  type Adaptation,
  adaptationAttributes,
  type Breach,
  breachAttributes,
  INVENTORY_EVENT,
  inventoryAttributes,
  readAdaptation,
  readBreach,
  readInventory,
  type ReportedBreach,
  THRESHOLD_ENDED_EVENT,
  THRESHOLD_EVENT,
  THRESHOLD_LASTING_EVENT,
} from './agent-event.ts'
export { type AgentIdentity, readAgentIdentity, writeAgentIdentity } from './agent-identity.ts'
export type { AgreementDay, AgreementReport } from './agreement.ts'
export {
  type Alert,
  type AlertChange,
  type AlertReceiver,
  type AlertSignal,
  type AlertSink,
  type AlertSource,
  type AlertStatus,
  type Delivery,
  type IncidentBook,
  type ListedAlert,
  type ListedAlertChange,
  SEVERITIES,
  type Severity,
  type ThresholdRule,
} from './alert.ts'
export type { AlertQuality } from './alert-quality.ts'
export type { Attributes, AttributeValue, Resource, Scope } from './attributes.ts'
export type { BacktestEpisode, BacktestResult } from './backtest.ts'
export { civilMs, civilOf, type CivilTime, instantOf, isTimeZone, wallOf } from './civil-time.ts'
export {
  CONTROL_MS_MAX,
  CONTROL_MS_MIN,
  type ControlAnswer,
  type ControlProfile,
  type ControlSettings,
  type ControlState,
  type ControlThreshold,
  noControl,
  PROFILE_KINDS,
  PROFILE_MS_MAX,
  type ProfileKind,
  readControlAnswer,
  readControlSettings,
  THRESHOLDS_MAX,
} from './control.ts'
export { type ComparedSeries, type DeployMarker, RELEASE_VERDICTS, type ReleaseComparison, type ReleaseVerdict, type ToldDeploy } from './deploy.ts'
export { DETECTOR_STATES, type DetectorAlarm, type DetectorDetail, type DetectorState, type ListedDetector, type SignalId, type SignalUnit } from './detector.ts'
export { EDGE_KINDS, type EdgeKind, type EdgeRecord } from './edge.ts'
export type { BudgetLedger, BudgetProjection, BudgetStanding, BurnDown, BurnDownPoint, LedgerEntry, WhatIf, WindowStanding } from './error-budget.ts'
export { AndonError, ERROR_CATALOGUE, type ErrorCode } from './errors.ts'
export type { Evidence, PinnedCourses, PinnedSeries, PinnedSpan, PinnedTrace } from './evidence.ts'
export { exceptionFingerprint, type ExceptionRecord } from './exception.ts'
export { type BucketCounts, bucketIndex, bucketQuantile, bucketUpperBound, downscaledIndex, SPAN_SCALE } from './histogram-layout.ts'
export {
  ALERT_VERDICTS,
  type AlertVerdict,
  type FiguredIncident,
  type Incident,
  INCIDENT_STATES,
  type IncidentAlert,
  type IncidentMark,
  type IncidentRow,
  type IncidentState,
  TIMELINE_KINDS,
  type TimelineEntry,
  type TimelineKind,
} from './incident.ts'
export type { FigureObjectives, FigureSummaries, FigureSummary, IncidentFigures } from './incident-figures.ts'
export { INVENTORY_KINDS, type InventoryItem, type InventoryKind, isInventoryItem } from './inventory.ts'
export { environmentOfLabels, type LabelMatcher, type Labels, labelsKey, type MatchOperator, serviceOfLabels, sortedPairs } from './labels.ts'
export type {
  Exemplar,
  ExponentialBuckets,
  ExponentialHistogramPoint,
  HistogramPoint,
  MetricData,
  MetricRecord,
  MetricSeries,
  MetricType,
  NumberPoint,
  SummaryPoint,
  Temporality,
} from './metric.ts'
export { type Notification, type NotificationReason, type NotifiedAlert, type Outbox, type StateEntry, UNSERVED_INTEGRATIONS } from './notification.ts'
export type { EscalationPolicy, EscalationStep, IncidentEscalation, OnCallSchedule, OnCallShift } from './on-call.ts'
export { PROFILE_TYPES, type ProfileFrame, type ProfileRecord, type ProfileSample, type ProfileType, type ProfileValueType } from './profile.ts'
export type { ListedAlertingRule, ListedOwnRule, ListedRecordingRule, ListedRule, ListedRuleAlert, ListedRuleGroup, RuleDefinition, RuleReport } from './rule.ts'
export type { CheckResult, ListedRunbook, MatchedRunbook, Runbook, TickedStep } from './runbook.ts'
export { seriesId } from './series-id.ts'
export type { ListedSilence, Silence, SilenceState } from './silence.ts'
export { SPAN_KINDS, SPAN_STATUSES, type SpanEvent, type SpanKind, type SpanLink, type SpanRecord, type SpanStatus } from './span.ts'
export {
  type Agreement,
  CALENDAR_UNITS,
  type CalendarUnit,
  type Indicator,
  type MaintenanceTime,
  type MaintenanceWindow,
  type Objective,
  type ObjectiveAlert,
  type ObjectiveCounts,
  type ObjectiveDetail,
  type ObjectiveState,
  type ObjectiveSummary,
  type ObjectiveWindow,
  URGENCIES,
  type Urgency,
} from './slo.ts'
export { readStall, STALL_EVENT, STALL_KINDS, STALL_STACK_MAX, type StallKind, type StallRecord, stallAttributes } from './stall.ts'
export { canonicalStatement, describeSql, type SqlDialect, type StatementText } from './statement.ts'
export { binomialTail, logGamma, logLikelihoodRatio } from './stats/binomial.ts'
export { ECUSUM_START, ecusumEvidence, type EcusumNull, ecusumOnset, type EcusumState, ecusumStep, ecusumValue, type Slice, slicesPerYear } from './stats/e-cusum.ts'
export { mad, median, quantile } from './stats/quantile.ts'
export { type PairedRatio, pairedRatio } from './stats/compare.ts'
export { seeded } from './stats/random.ts'
export { compare, type ThresholdOperator } from './threshold.ts'
export type { TimeRange } from './time-range.ts'
export {
  type Bytes,
  type Milliseconds,
  millisecondsToNanoseconds,
  type Nanoseconds,
  nanosecondsToMilliseconds,
  nanosecondsToSeconds,
  type Ratio,
  type Seconds,
} from './units.ts'
export { xxHash64, xxHash64Bytes } from './xxhash64.ts'
