// Makes channels of what was configured.
import type { Clock } from '../runtime/clock.ts'
import { AddressGuard, type CheckedAddress, isLinkLocal, RefusedAddress, type Resolve } from './address-guard.ts'
import type { Channel } from './channel.ts'
import type { ChannelOptions } from './channel-options.ts'
import { Email } from './email.ts'
import { OutboundHttp } from './http.ts'
import { PagerDuty } from './pagerduty.ts'
import { SlackBot } from './slack-bot.ts'
import { SlackWebhook } from './slack-webhook.ts'
import { Webhook } from './webhook.ts'

export interface ChannelWorld {
  readonly clock: Clock
  /** Private addresses that may be spoken to. */
  readonly allowHosts: readonly string[]
  /** Where people reach this server; '' where nobody said. */
  readonly externalUrl: string
  /** Finds the addresses of names; by DNS when absent. */
  readonly resolve?: Resolve
}

/** What channels speak through. */
export interface Outside {
  readonly http: OutboundHttp
  readonly guard: AddressGuard
}

export function openOutside({ clock, allowHosts, resolve }: Omit<ChannelWorld, 'externalUrl'>): Outside {
  const guard = new AddressGuard(allowHosts, resolve)
  return { guard, http: new OutboundHttp(guard, clock) }
}

/**
 * The server of letters stands in the configuration and nowhere else, and is in most houses on this machine or in its network: it is
 * allowed there, where no metadata are served.
 */
class SmtpGuard {
  readonly #open: AddressGuard

  constructor(resolve: Resolve | undefined) {
    this.#open = new AddressGuard(['0.0.0.0/0', '::/0'], resolve)
  }

  async check(host: string, port: number): Promise<readonly CheckedAddress[]> {
    const found = (await this.#open.check(host, port)).filter(({ address }) => !isLinkLocal(address))
    if (found.length === 0) throw new RefusedAddress(host, 'a link-local address')
    return found
  }
}

/** @throws AndonError bad_config when a secret is missing */
export function createChannel(options: ChannelOptions, { http }: Outside, { clock, externalUrl, resolve }: ChannelWorld): Channel {
  switch (options.type) {
    case 'slack':
      return new SlackWebhook({ ...options, externalUrl }, http)
    case 'slack-bot':
      return new SlackBot({ ...options, externalUrl }, http)
    case 'email':
      return new Email({ ...options, externalUrl }, new SmtpGuard(resolve), clock)
    case 'pagerduty':
      return new PagerDuty({ ...options, externalUrl }, http)
    case 'webhook':
      return new Webhook({ ...options, externalUrl }, http)
  }
}
