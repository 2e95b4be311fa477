// Values that the configuration of channels has and no other section.
import { type Origin, Reading } from '../runtime/reading.ts'
import { Secret } from './secret.ts'

/** Of the section `notify`. @param env - where secrets are; that of the process where it is absent */
export function notifyOrigin(env?: Origin['env']): Origin {
  return { hint: 'docs/reference/notifications.md shows every channel and its options.', env }
}

/** Texts, of which several may stand in one, parted by commas. @throws AndonError bad_config */
export function readList(reading: Reading): readonly string[] {
  const { value, path, origin, steps } = reading
  const list = typeof value === 'string' ? new Reading(value.split(',').map((one) => one.trim()), path, origin, steps) : reading
  return list.list().map((one) => one.text())
}

/** A secret: `{env: NAME}` or `{file: PATH}`, never its text. @throws AndonError bad_config, also where there is none */
export function readSecret(reading: Reading): Secret {
  const { value, origin } = reading
  if (typeof value === 'string') return reading.refuse('holds a secret in plain text', 'Write {env: NAME} or {file: PATH} in its place, so that it is in no file that is shared.')
  const { env, file } = reading.orEmpty().fields(['env', 'file'])
  if (env.isAbsent === file.isAbsent) reading.refuse('must be {env: NAME} or {file: PATH}')
  return new Secret(env.isAbsent ? { file: file.text() } : { env: env.text() }, origin.env)
}

/** An address of HTTP; `otherwise` where nothing is written. @throws AndonError bad_config */
export function readUrl(reading: Reading, otherwise?: string): string {
  return checkedUrl(otherwise === undefined ? reading.text() : reading.text(otherwise), reading)
}

/** An address of HTTP without a slash at its end. @param reading - what is wrong where it is none */
export function checkedUrl(text: string, reading: Reading): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) reading.refuse('must be an address that begins with http:// or https://')
  return text.replace(/\/+$/, '')
}
