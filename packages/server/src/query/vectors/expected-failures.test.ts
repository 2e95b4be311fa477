/**
 * Evaluations of Prometheus' files that are known to fail, as FILE:LINE with the reason. The list only shrinks: an
 * evaluation in it that is right fails the test.
 */
export const EXPECTED_FAILURES: ReadonlyMap<string, string> = new Map([])

/** The same over the embedded database. */
export const EXPECTED_STORE_FAILURES: ReadonlyMap<string, string> = new Map([])
