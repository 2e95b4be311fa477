/** What a process has used since it began, all its threads. */
export interface Usage {
  readonly userUs: number
  readonly systemUs: number
  readonly residentBytes: number
}

export function readUsage(): Usage {
  const { user, system } = process.cpuUsage()
  return { userUs: user, systemUs: system, residentBytes: process.memoryUsage.rss() }
}
