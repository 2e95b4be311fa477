import { loadServer } from './server-package.ts'

/** Flags of `andon serve`, as commander gives them. */
export interface ServeFlags {
  readonly host?: string
  readonly port?: string
  readonly dataDir?: string
  readonly logLevel?: string
  readonly config?: string
}

/** Runs the server until it is told to stop. @returns the exit code */
export async function serve({ host, port, dataDir, logLevel, config }: ServeFlags): Promise<number> {
  const { runServer } = await loadServer()
  const flags = { 'listen.host': host, 'listen.port': port, data_dir: dataDir, log_level: logLevel }
  return runServer({ flags, env: process.env, file: config })
}
