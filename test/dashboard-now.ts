/** The end of every range of the recorded answers, milliseconds since the Unix epoch. */
export const NOW: number = Date.parse('2026-11-24T12:00:00Z')
