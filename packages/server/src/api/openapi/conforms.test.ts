// Holds answers against the schemas of the OpenAPI document.
import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'

export interface DocumentOperation {
  readonly 'x-role': string
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>>
  readonly security: readonly object[]
}

export interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

/** The path of an operation such as `GET /api/spans/trace/:id` in the document. */
export const pathOf = (key: string): string => (key.split(' ')[1] ?? '').replaceAll(/:(\w+)/g, '{$1}').replace('*', '{path}')

/** A schema that finds beside itself what it names. */
const moved = (schema: unknown): object => JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/'))

/** Fails where a value is not of a schema of the document. */
export function conforms(document: Document, schema: object | undefined, value: unknown, what: string): void {
  assert.ok(schema, what)
  const ajv = new Ajv2020({ strict: true, allErrors: true })
  const validate = ajv.compile({ ...moved(schema), $defs: moved(document.components.schemas) })
  assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}\nin ${JSON.stringify(value).slice(0, 2000)}`)
}

/** The schema of the JSON that an operation answers. */
export function answerOf(document: Document, key: string): object | undefined {
  const [method = ''] = key.split(' ')
  return document.paths[pathOf(key)]?.[method.toLowerCase()]?.responses['200']?.content?.['application/json']?.schema
}
