// The published instrumentations that are used where we have none of our own: the last lines that run on Node 20.
import { createRequire } from 'node:module'

export interface Published {
  /** The package's name without `@opentelemetry/instrumentation-`. */
  readonly name: string
  /** The packages that it instruments. */
  readonly targets: readonly string[]
  readonly load: () => unknown
  readonly config?: Readonly<Record<string, unknown>>
  /** Files of the targets that are ECMAScript modules, with the names that are patched in them. */
  readonly modules?: Readonly<Record<string, readonly string[]>>
}

const require = createRequire(import.meta.url)

export const PUBLISHED: readonly Published[] = [
  { name: 'amqplib', targets: ['amqplib'], load: () => require('@opentelemetry/instrumentation-amqplib') },
  { name: 'aws-sdk', targets: ['@aws-sdk/middleware-stack', '@smithy/middleware-stack', '@smithy/core', '@aws-sdk/smithy-client', '@smithy/smithy-client'], load: () => require('@opentelemetry/instrumentation-aws-sdk') },
  { name: 'cassandra-driver', targets: ['cassandra-driver'], load: () => require('@opentelemetry/instrumentation-cassandra-driver') },
  { name: 'dataloader', targets: ['dataloader'], load: () => require('@opentelemetry/instrumentation-dataloader') },
  { name: 'generic-pool', targets: ['generic-pool'], load: () => require('@opentelemetry/instrumentation-generic-pool') },
  {
    name: 'graphql',
    targets: ['graphql'],
    load: () => require('@opentelemetry/instrumentation-graphql'),
    // A span for each field that is only read would be most of the spans.
    config: { ignoreTrivialResolveSpans: true, mergeItems: true },
    modules: { 'execution/execute.mjs': ['execute'], 'language/parser.mjs': ['parse'], 'validation/validate.mjs': ['validate'] },
  },
  { name: 'grpc', targets: ['@grpc/grpc-js'], load: () => require('@opentelemetry/instrumentation-grpc') },
  { name: 'hapi', targets: ['@hapi/hapi'], load: () => require('@opentelemetry/instrumentation-hapi') },
  { name: 'kafkajs', targets: ['kafkajs'], load: () => require('@opentelemetry/instrumentation-kafkajs') },
  { name: 'knex', targets: ['knex'], load: () => require('@opentelemetry/instrumentation-knex'), config: { requireParentSpan: true } },
  { name: 'lru-memoizer', targets: ['lru-memoizer'], load: () => require('@opentelemetry/instrumentation-lru-memoizer') },
  { name: 'memcached', targets: ['memcached'], load: () => require('@opentelemetry/instrumentation-memcached') },
  { name: 'mongodb', targets: ['mongodb'], load: () => require('@opentelemetry/instrumentation-mongodb') },
  { name: 'mongoose', targets: ['mongoose'], load: () => require('@opentelemetry/instrumentation-mongoose') },
  { name: 'mysql', targets: ['mysql'], load: () => require('@opentelemetry/instrumentation-mysql') },
  { name: 'nestjs-core', targets: ['@nestjs/core'], load: () => require('@opentelemetry/instrumentation-nestjs-core') },
  { name: 'oracledb', targets: ['oracledb'], load: () => require('@opentelemetry/instrumentation-oracledb') },
  { name: 'restify', targets: ['restify'], load: () => require('@opentelemetry/instrumentation-restify') },
  { name: 'socket.io', targets: ['socket.io'], load: () => require('@opentelemetry/instrumentation-socket.io') },
  { name: 'tedious', targets: ['tedious'], load: () => require('@opentelemetry/instrumentation-tedious') },
]
