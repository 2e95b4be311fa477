import type { IncidentState } from '@andon/model'
import type { Command } from 'commander'
import { commentIncident, type CommentFlags, type IncidentFlags, listIncidents, type ListFlags, postmortem, setIncidentState, showIncident, type StateFlags } from './incidents.ts'

const STATES: readonly (readonly [command: string, state: IncidentState, description: string])[] = [
  ['ack', 'acknowledged', 'say that you have taken an incident; again, to say that you are still at it'],
  ['mitigate', 'mitigated', 'say that those who use the service do not suffer any more'],
  ['resolve', 'resolved', 'say that an incident is over'],
  ['review', 'reviewed', 'say that an incident has been looked at afterwards'],
  ['reopen', 'detected', 'open an incident again that was resolved'],
]

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/**
 * Adds `andon incidents` with its commands.
 *
 * @param url - the server where no other is named
 * @param token - sent along where the server asks for one
 */
export function addIncidentCommands(program: Command, url: string, token: string | undefined): void {
  const incidents = program.command('incidents').description('incidents: what is wrong, and who deals with it')
  const withServer = (command: Command): Command => command.option('--json', 'JSON instead of text').option('--url <url>', 'the server (ANDON_URL)', url)
  withServer(incidents.command('list').description('list those that are open').option('--all', 'also those that are resolved').option('--service <name>', 'that concern one service')).action(async (flags: ListFlags) =>
    say(await listIncidents({ ...flags, token })),
  )
  withServer(incidents.command('show').description('show one with its timeline').argument('<incident>')).action(async (id: string, flags: IncidentFlags) => say(await showIncident(id, { ...flags, token })))
  for (const [name, state, description] of STATES) {
    withServer(
      incidents
        .command(name)
        .description(description)
        .argument('<incident>')
        .option('--note <text>', 'why, or what was done')
        .option('--revision <number>', 'the one that you have seen: nothing is done where it has changed since')
        .option('--verdict <rule=verdict...>', 'what an alert was good for: RULE=real, RULE=noise or RULE=expected'),
    ).action(async (id: string, flags: StateFlags) => say(await setIncidentState(id, state, { ...flags, token })))
  }
  withServer(incidents.command('comment').description('note something in the timeline').argument('<incident>').argument('<text>').option('--action', 'it is something to be done').option('--owner <name>', 'who does it')).action(
    async (id: string, text: string, flags: CommentFlags) => say(await commentIncident(id, text, { ...flags, token })),
  )
  withServer(incidents.command('postmortem').description('print the draft of a post-mortem as Markdown').argument('<incident>')).action(async (id: string, flags: IncidentFlags) => say(await postmortem(id, { ...flags, token })))
}
