// Drives the OpenTelemetry project's own instrumentation packages by our loader hook: each is loaded when its target is.
import { isBuiltin } from 'node:module'
import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import type { Instrumentation } from '@opentelemetry/instrumentation'
import { beforeModule, onModule, patchBuiltin } from './load.ts'
import { PUBLISHED, type Published } from './published-packages.ts'
import { get, getText, isMethod, list } from './wrap.ts'

function isInstrumentation(value: unknown): value is Instrumentation {
  return typeof value === 'object' && value !== null && isMethod(get(value, 'enable')) && isMethod(get(value, 'setTracerProvider'))
}

function rangeOf(versions: unknown): string {
  const all = list(versions).filter((each) => typeof each === 'string')
  return all.includes('*') ? '*' : all.join(' || ')
}

/** Calls the patch of a definition and keeps what it was given, so that the package can undo it. */
function patchOf(definition: unknown): ((exports: unknown, version: string | undefined) => unknown) | undefined {
  const patch = get(definition, 'patch')
  if (!isMethod(patch) || typeof definition !== 'object' || definition === null) return undefined
  return (exports, version) => {
    Reflect.set(definition, 'moduleExports', exports)
    return Reflect.apply(patch, definition, [exports, version])
  }
}

/** The definitions of a package; what keeps the package from hooking `require` itself. */
function takeDefinitions(instrumentation: Instrumentation): readonly unknown[] {
  const read = get(instrumentation, 'getModuleDefinitions')
  const definitions = isMethod(read) ? list(Reflect.apply(read, instrumentation, [])) : []
  // With hooks of its own in place, a package only patches what it is given.
  if (definitions.length > 0) Reflect.set(instrumentation, '_hooks', [{ enable: () => undefined, disable: () => undefined }])
  return definitions
}

/** Runs published instrumentations on our providers. */
export class PublishedInstrumentations {
  readonly #tracers: TracerProvider
  readonly #meters: MeterProvider
  readonly #driven: Instrumentation[] = []

  constructor(tracers: TracerProvider, meters: MeterProvider) {
    this.#tracers = tracers
    this.#meters = meters
  }

  /** Loads each published package that is switched on as soon as the first file of its target is loaded. */
  announceAll(isOn: (name: string) => boolean): void {
    for (const published of PUBLISHED.filter(({ name }) => isOn(name))) {
      let isLoaded = false
      const run = (): void => {
        if (isLoaded) return
        isLoaded = true
        this.#load(published)
      }
      for (const target of published.targets) beforeModule(target, published.modules ?? {}, run)
    }
  }

  #load({ load, config, modules = {} }: Published): void {
    const loaded = load()
    const name = Object.keys(Object(loaded)).find((key) => key.endsWith('Instrumentation'))
    const Class = name === undefined ? undefined : get(loaded, name)
    if (!isMethod(Class)) throw new Error('it exports no instrumentation')
    const instrumentation: unknown = Reflect.construct(Class, [{ ...config, enabled: false }])
    if (isInstrumentation(instrumentation)) this.#drive(instrumentation, Object.keys(modules))
  }

  /**
   * Turns one on.
   *
   * @param instrumentation - made with `enabled: false`
   * @param modules - files of its target that are ECMAScript modules, patched as their CommonJS twins are
   */
  #drive(instrumentation: Instrumentation, modules: readonly string[] = []): void {
    const by = instrumentation.instrumentationName
    instrumentation.setTracerProvider(this.#tracers)
    instrumentation.setMeterProvider(this.#meters)
    const definitions = takeDefinitions(instrumentation)
    instrumentation.enable()
    this.#driven.push(instrumentation)
    for (const definition of definitions) watch(definition, by, modules)
  }

  /** Undoes what the packages can undo. */
  end(): void {
    for (const instrumentation of this.#driven.splice(0)) instrumentation.disable()
  }
}

function watch(definition: unknown, by: string, modules: readonly string[]): void {
  const name = getText(definition, 'name')
  if (name === undefined) return
  const patch = patchOf(definition)
  if (isBuiltin(name)) {
    if (patch !== undefined) patchBuiltin(name, by, (exports) => patch(exports, undefined))
    return
  }
  if (patch !== undefined) onModule(name, { versions: rangeOf(get(definition, 'supportedVersions')), by }, (exports, { version }) => patch(exports, version))
  for (const file of list(get(definition, 'files'))) {
    const inner = getText(file, 'name')?.replaceAll('\\', '/').slice(name.length + 1)
    const patchFile = patchOf(file)
    if (inner === undefined || patchFile === undefined) continue
    const versions = rangeOf(get(file, 'supportedVersions'))
    const twins = modules.filter((module) => module.replace(/\.mjs$/, '.js') === inner)
    for (const each of [inner, ...twins]) onModule(name, { versions, by, file: each }, (exports, { version }) => patchFile(exports, version))
  }
}
