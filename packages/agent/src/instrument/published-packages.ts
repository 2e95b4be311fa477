// The published instrumentations that are used where we have none of our own: the last lines that run on Node 20.
import { createRequire } from 'node:module'

export interface Published {
  /** The packages that it instruments. */
  readonly targets: readonly string[]
  readonly load: () => unknown
  readonly config?: Readonly<Record<string, unknown>>
  /** Files of the targets that are ECMAScript modules, with the names that are patched in them. */
  readonly modules?: Readonly<Record<string, readonly string[]>>
}

const require = createRequire(import.meta.url)

export const PUBLISHED: readonly Published[] = [
  { targets: ['amqplib'], load: () => require('@opentelemetry/instrumentation-amqplib') },
  { targets: ['@aws-sdk/middleware-stack', '@smithy/middleware-stack', '@smithy/core', '@aws-sdk/smithy-client', '@smithy/smithy-client'], load: () => require('@opentelemetry/instrumentation-aws-sdk') },
  { targets: ['cassandra-driver'], load: () => require('@opentelemetry/instrumentation-cassandra-driver') },
  { targets: ['dataloader'], load: () => require('@opentelemetry/instrumentation-dataloader') },
  { targets: ['generic-pool'], load: () => require('@opentelemetry/instrumentation-generic-pool') },
  {
    targets: ['graphql'],
    load: () => require('@opentelemetry/instrumentation-graphql'),
    // A span for each field that is only read would be most of the spans.
    config: { ignoreTrivialResolveSpans: true, mergeItems: true },
    modules: { 'execution/execute.mjs': ['execute'], 'language/parser.mjs': ['parse'], 'validation/validate.mjs': ['validate'] },
  },
  { targets: ['@grpc/grpc-js'], load: () => require('@opentelemetry/instrumentation-grpc') },
  { targets: ['@hapi/hapi'], load: () => require('@opentelemetry/instrumentation-hapi') },
  { targets: ['kafkajs'], load: () => require('@opentelemetry/instrumentation-kafkajs') },
  { targets: ['knex'], load: () => require('@opentelemetry/instrumentation-knex'), config: { requireParentSpan: true } },
  { targets: ['lru-memoizer'], load: () => require('@opentelemetry/instrumentation-lru-memoizer') },
  { targets: ['memcached'], load: () => require('@opentelemetry/instrumentation-memcached') },
  { targets: ['mongodb'], load: () => require('@opentelemetry/instrumentation-mongodb') },
  { targets: ['mongoose'], load: () => require('@opentelemetry/instrumentation-mongoose') },
  { targets: ['mysql'], load: () => require('@opentelemetry/instrumentation-mysql') },
  { targets: ['@nestjs/core'], load: () => require('@opentelemetry/instrumentation-nestjs-core') },
  { targets: ['oracledb'], load: () => require('@opentelemetry/instrumentation-oracledb') },
  { targets: ['restify'], load: () => require('@opentelemetry/instrumentation-restify') },
  { targets: ['socket.io'], load: () => require('@opentelemetry/instrumentation-socket.io') },
  { targets: ['tedious'], load: () => require('@opentelemetry/instrumentation-tedious') },
]
