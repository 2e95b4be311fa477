export type {
  Aggregate,
  AtTime,
  Binary,
  BinaryOperator,
  Call,
  Expr,
  MatrixSelector,
  NumberLiteral,
  Paren,
  Span,
  StringLiteral,
  Subquery,
  Unary,
  ValueType,
  VectorMatching,
  VectorSelector,
} from './ast.ts'
export { isComparison, isSet, typeOf } from './check.ts'
export type { QueryShape } from './durations.ts'
export { type FunctionSignature, signatureOf } from './functions.ts'
export { formatDuration, parseDuration, parseNumber, parseText } from './literals.ts'
export { parse } from './parse.ts'
export { prettify } from './pretty.ts'
export { print } from './print.ts'
