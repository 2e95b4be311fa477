// What the programs of the start-up benchmark say; CommonJS, so that both kinds of programs can load it.

/** Milliseconds that a program is left alone before its memory is read. */
const SETTLE_MS = 300

/** Writes `ready CPU_MS`, as the first line, then `resident MIB`, and ends the program. */
function say(): void {
  const { user, system } = process.cpuUsage()
  process.stdout.write(`ready ${(user + system) / 1000}\n`)
  setTimeout(() => {
    process.stdout.write(`resident ${process.memoryUsage.rss() / 2 ** 20}\n`, () => process.exit(0))
  }, SETTLE_MS)
}

module.exports = say
