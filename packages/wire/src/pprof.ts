import { AndonError, type ProfileFrame, type ProfileRecord, type ProfileSample, type ProfileValueType } from '@andon/model'
import { Reader, Writer } from './protobuf.ts'

// Profiles as pprof, both directions. Files are mostly gzipped; that is the caller's part.
// @see https://github.com/google/pprof/blob/main/proto/profile.proto
//
// message Profile { ValueType sample_type = 1; Sample sample = 2; Mapping 3; Location location = 4; Function function = 5; string string_table = 6;
//   int64 drop_frames 7; keep_frames 8; int64 time_nanos = 9; int64 duration_nanos = 10; ValueType period_type = 11; int64 period = 12; int64 comment 13 }
// message ValueType { int64 type = 1; int64 unit = 2 }
// message Sample { uint64 location_id = 1; int64 value = 2; Label label = 3 }
// message Label { int64 key = 1; int64 str = 2; int64 num = 3; int64 num_unit = 4 }
// message Location { uint64 id = 1; uint64 mapping_id 2; uint64 address = 3; Line line = 4 }
// message Line { uint64 function_id = 1; int64 line = 2; int64 column 3 }
// message Function { uint64 id = 1; int64 name = 2; int64 system_name 3; int64 filename = 4; int64 start_line 5 }

/** The numeric label that tells when a sample was taken, nanoseconds since the Unix epoch; Datadog's tools know it by this name. */
const TIME_LABEL = 'end_timestamp_ns'

/** Frames of one stack; callers further out are left out. */
const DEPTH_MAX = 512
/** Frames of all stacks of one profile: each is a byte in the file and several in memory. */
const FRAMES_MAX = 8_000_000
/** UTF-16 units of the names of all frames of all stacks: a name stands once in the file and in each of its stacks. */
const STACK_TEXT_MAX = 256 * 1024 * 1024
/** UTF-16 units of the name of a function or a file; the rest is left out. */
const NAME_MAX = 1024

class Table {
  readonly #indexes = new Map<string, number>([['', 0]])
  readonly texts: string[] = ['']

  of(text: string): number {
    const known = this.#indexes.get(text)
    if (known !== undefined) return known
    this.#indexes.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }
}

/** Numbers the frames of a profile: one location and one function for each distinct frame. */
class Frames {
  readonly #byObject = new Map<ProfileFrame, number>()
  readonly #byText = new Map<string, number>()
  readonly all: ProfileFrame[] = []

  id(frame: ProfileFrame): number {
    let id = this.#byObject.get(frame)
    if (id !== undefined) return id
    const text = `${frame.line}\n${frame.file}\n${frame.name}`
    id = this.#byText.get(text)
    if (id === undefined) {
      id = this.all.push(frame)
      this.#byText.set(text, id)
    }
    this.#byObject.set(frame, id)
    return id
  }
}

/**
 * A profile as pprof, not compressed. Each distinct frame is one location, each label a text; the time of a sample is the label `end_timestamp_ns`.
 */
export function encodePprof(profile: ProfileRecord): Uint8Array {
  const writer = new Writer(16 * 1024)
  const strings = new Table()
  const frames = new Frames()
  const valueType = (field: number, { type, unit }: ProfileValueType): void =>
    writer.message(field, () => {
      writer.uint(1, strings.of(type))
      writer.uint(2, strings.of(unit))
    })
  for (const each of profile.valueTypes) valueType(1, each)
  for (const sample of profile.samples) writer.message(2, () => writeSample(writer, sample, strings, frames))
  frames.all.forEach(({ name, file, line }, index) => {
    writer.message(4, () => {
      writer.uint(1, index + 1)
      writer.message(4, () => {
        writer.uint(1, index + 1)
        writer.uint(2, line)
      })
    })
    writer.message(5, () => {
      writer.uint(1, index + 1)
      writer.uint(2, strings.of(name))
      writer.uint(4, strings.of(file))
    })
  })
  writer.int64(9, profile.start)
  writer.int64(10, profile.duration)
  valueType(11, profile.periodType)
  writer.int64(12, BigInt(profile.period))
  // Last, because all that comes before it adds to it; readers take fields in any order.
  for (const text of strings.texts) writer.text(6, text)
  return writer.bytes()
}

function writeSample(writer: Writer, { stack, values, time, labels }: ProfileSample, strings: Table, frames: Frames): void {
  writer.packedUint(1, stack.map((frame) => frames.id(frame)))
  for (const value of values) writer.int64(2, BigInt(value))
  for (const [key, text] of Object.entries(labels)) {
    writer.message(3, () => {
      writer.uint(1, strings.of(key))
      writer.uint(2, strings.of(text))
    })
  }
  if (time === 0n) return
  writer.message(3, () => {
    writer.uint(1, strings.of(TIME_LABEL))
    writer.int64(3, time)
  })
}

interface RawLabel {
  key: number
  text: number
  number: bigint
}

interface RawSample {
  readonly locations: number[]
  readonly values: number[]
  readonly labels: RawLabel[]
}

interface RawLocation {
  address: bigint
  readonly lines: { function: number; line: number }[]
}

interface RawFunction {
  name: number
  file: number
}

interface Raw {
  readonly valueTypes: (readonly [type: number, unit: number])[]
  readonly samples: RawSample[]
  readonly locations: Map<number, RawLocation>
  readonly functions: Map<number, RawFunction>
  readonly strings: string[]
  start: bigint
  duration: bigint
  periodType: readonly [type: number, unit: number]
  period: number
  frames: number
}

/**
 * A profile from pprof of any maker, not compressed. Inlined calls become frames of their own; code without a name gets its address as
 * name; numeric labels other than the time become texts. Of a stack the innermost 512 frames are kept, of a name the first 1,024
 * UTF-16 units.
 *
 * @throws AndonError bad_body where the bytes are not a profile: not protobuf, a reference to nothing, values that do not fit their types;
 * too_large where it has more parts, frames or text than may be
 */
export function decodePprof(bytes: Uint8Array): ProfileRecord {
  const reader = new Reader(bytes, 'profile')
  const raw: Raw = { valueTypes: [], samples: [], locations: new Map(), functions: new Map(), strings: [], start: 0n, duration: 0n, periodType: [0, 0], period: 0, frames: 0 }
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) readField(reader, tag, raw)
  const text = (index: number): string => raw.strings[index] ?? (index === 0 ? '' : reader.fail(`there is no text ${index}; the table has ${raw.strings.length}, found`))
  const typeOf = ([type, unit]: readonly [number, number]): ProfileValueType => ({ type: text(type), unit: text(unit) })
  if (raw.valueTypes.length === 0 && raw.samples.length > 0) reader.fail('samples without a sample type')
  const stackOf = stacks(frameTable(raw, reader, text))
  const samples = raw.samples.map((sample) => {
    if (sample.values.length !== raw.valueTypes.length) reader.fail(`a sample has ${sample.values.length} values for ${raw.valueTypes.length} sample types, found`)
    const labels: Record<string, string> = Object.create(null)
    let time = 0n
    for (const label of sample.labels) {
      const key = text(label.key)
      if (key === TIME_LABEL && label.text === 0) time = label.number
      else labels[key] = label.text === 0 && label.number !== 0n ? String(label.number) : text(label.text)
    }
    return { stack: stackOf(sample.locations), values: sample.values, time, labels }
  })
  return { valueTypes: raw.valueTypes.map(typeOf), start: raw.start, duration: raw.duration, period: raw.period, periodType: typeOf(raw.periodType), samples }
}

/** The stacks of locations, within what one profile may have: a few bytes may refer to a location of many inlined calls and long names. */
function stacks(framesOf: (id: number) => readonly ProfileFrame[]): (locations: readonly number[]) => ProfileFrame[] {
  let frames = 0
  let units = 0
  return (locations) => {
    const stack: ProfileFrame[] = []
    for (const id of locations) {
      for (const frame of framesOf(id)) {
        if (stack.length === DEPTH_MAX) return stack
        stack.push(frame)
        frames += 1
        units += frame.name.length + frame.file.length
        if (frames > FRAMES_MAX || units > STACK_TEXT_MAX) throw new AndonError('too_large', `profile: the stacks have more than ${FRAMES_MAX} frames, or names of more than ${STACK_TEXT_MAX} characters together`)
      }
    }
    return stack
  }
}

/** The frames of a location, the innermost first; each frame is one object however often it occurs. */
function frameTable(raw: Raw, reader: Reader, text: (index: number) => string): (id: number) => readonly ProfileFrame[] {
  const known = new Map<number, readonly ProfileFrame[]>()
  return (id) => {
    let frames = known.get(id)
    if (frames !== undefined) return frames
    const location = raw.locations.get(id) ?? reader.fail(`there is no location ${id}, found`)
    const address = `0x${BigInt.asUintN(64, location.address).toString(16)}`
    frames =
      location.lines.length === 0
        ? [{ name: address, file: '', line: 0 }]
        : location.lines.map(({ function: of, line }) => {
            const found = raw.functions.get(of) ?? reader.fail(`there is no function ${of}, found`)
            return { name: text(found.name).slice(0, NAME_MAX), file: text(found.file).slice(0, NAME_MAX), line }
          })
    known.set(id, frames)
    return frames
  }
}

function readField(reader: Reader, tag: number, raw: Raw): void {
  if (tag === 10) raw.valueTypes.push(readPair(reader))
  else if (tag === 18) readSample(reader, raw)
  else if (tag === 34) readLocation(reader, raw.locations)
  else if (tag === 42) readFunction(reader, raw.functions)
  else if (tag === 50) readText(reader, raw.strings)
  else if (tag === 72) raw.start = reader.int64()
  else if (tag === 80) raw.duration = reader.int64()
  else if (tag === 90) raw.periodType = readPair(reader)
  else if (tag === 96) raw.period = Number(reader.int64())
  else reader.skip(tag)
}

function readText(reader: Reader, strings: string[]): void {
  reader.part()
  strings.push(reader.string())
}

/** A ValueType, as indexes of texts. */
function readPair(reader: Reader): readonly [number, number] {
  let type = 0
  let unit = 0
  reader.message((tag) => {
    if (tag === 8) type = reader.uint32()
    else if (tag === 16) unit = reader.uint32()
    else reader.skip(tag)
  })
  return [type, unit]
}

function readSample(reader: Reader, raw: Raw): void {
  reader.record()
  const sample: RawSample = { locations: [], values: [], labels: [] }
  reader.message((tag) => {
    if (tag === 8 || tag === 10) reader.repeated(tag, () => reader.uint32(), sample.locations)
    else if (tag === 16 || tag === 18) reader.repeated(tag, () => Number(reader.int64()), sample.values)
    else if (tag === 26) sample.labels.push(readLabel(reader))
    else reader.skip(tag)
  })
  raw.frames += sample.locations.length
  if (raw.frames > FRAMES_MAX) reader.fail(`more than ${FRAMES_MAX} frames`)
  raw.samples.push(sample)
}

function readLabel(reader: Reader): RawLabel {
  const label: RawLabel = { key: 0, text: 0, number: 0n }
  reader.message((tag) => {
    if (tag === 8) label.key = reader.uint32()
    else if (tag === 16) label.text = reader.uint32()
    else if (tag === 24) label.number = reader.int64()
    else reader.skip(tag)
  })
  return label
}

function readLocation(reader: Reader, locations: Map<number, RawLocation>): void {
  let id = 0
  const location: RawLocation = { address: 0n, lines: [] }
  reader.message((tag) => {
    if (tag === 8) id = reader.uint32()
    else if (tag === 24) location.address = reader.int64()
    else if (tag === 34) location.lines.push(readLine(reader))
    else reader.skip(tag)
  })
  locations.set(id, location)
}

function readLine(reader: Reader): { function: number; line: number } {
  const found = { function: 0, line: 0 }
  reader.message((tag) => {
    if (tag === 8) found.function = reader.uint32()
    else if (tag === 16) found.line = Math.max(0, Number(reader.int64()))
    else reader.skip(tag)
  })
  return found
}

function readFunction(reader: Reader, functions: Map<number, RawFunction>): void {
  let id = 0
  const found: RawFunction = { name: 0, file: 0 }
  reader.message((tag) => {
    if (tag === 8) id = reader.uint32()
    else if (tag === 16) found.name = reader.uint32()
    else if (tag === 32) found.file = reader.uint32()
    else reader.skip(tag)
  })
  functions.set(id, found)
}
