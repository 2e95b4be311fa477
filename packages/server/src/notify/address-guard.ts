// Which addresses the server may speak to when it tells something: those of the outside, and those that were allowed.
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

/** An address that a connection may be made to. */
export interface CheckedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Finds the addresses of a name. */
export type Resolve = (host: string) => Promise<readonly CheckedAddress[]>

/** The address is not one to speak to; trying again would not help. */
export class RefusedAddress extends Error {
  constructor(host: string, address: string) {
    super(`${host} is at ${address}, which is a private or reserved address`)
    this.name = 'RefusedAddress'
  }
}

/** IANA's special-purpose addresses that are no public hosts, and one of Azure that serves its machines alone. */
const REFUSED_4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
const REFUSED_6: readonly (readonly [string, number])[] = [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

function blockListOf(four: readonly (readonly [string, number])[], six: readonly (readonly [string, number])[]): BlockList {
  const blocked = new BlockList()
  for (const [network, prefix] of four) blocked.addSubnet(network, prefix, 'ipv4')
  for (const [network, prefix] of six) blocked.addSubnet(network, prefix, 'ipv6')
  return blocked
}

const REFUSED: BlockList = blockListOf(REFUSED_4, REFUSED_6)

/** An address of version 4 that one of version 6 stands for (mapped, compatible, NAT64); undefined where none. */
function embedded(address: string): string | undefined {
  const bare = address.replace(/%.*$/, '')
  if (isIP(bare) !== 6) return undefined
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  const match = /^(?:::ffff:|::|64:ff9b::)([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical)
  if (match === null) return undefined
  const [high, low] = [Number.parseInt(match[1] ?? '0', 16), Number.parseInt(match[2] ?? '0', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6')

function isListed(list: BlockList, address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  const four = embedded(bare)
  return list.check(bare, familyOf(bare)) || (four !== undefined && list.check(four, 'ipv4'))
}

/** @example isPrivateAddress('169.254.169.254') // true: what clouds tell their machines */
export function isPrivateAddress(address: string): boolean {
  return isListed(REFUSED, address)
}

const LINK_LOCAL: BlockList = blockListOf([['169.254.0.0', 16]], [['fe80::', 10]])

/** Where clouds serve the metadata of their machines. */
export function isLinkLocal(address: string): boolean {
  return isListed(LINK_LOCAL, address)
}

const resolveByDns: Resolve = async (host) => {
  const found = await lookup(host, { all: true, verbatim: true })
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

const hostKey = (host: string): string => host.toLowerCase().replace(/^\[|\]$/g, '').replace(/\.$/, '')

/**
 * Refuses private, loopback, link-local, metadata and reserved addresses unless they were allowed. What it returns has to be used for the
 * connection: a name may stand for another address a moment later.
 */
export class AddressGuard {
  readonly #names = new Set<string>()
  readonly #networks = new BlockList()
  readonly #resolve: Resolve

  /** @param allowed - names, `name:port`, addresses, and networks as `10.0.0.0/8` */
  constructor(allowed: readonly string[], resolve: Resolve = resolveByDns) {
    this.#resolve = resolve
    for (const one of allowed) {
      const network = /^(.+)\/(\d{1,3})$/.exec(one)
      const bare = hostKey(network?.[1] ?? one)
      if (isIP(bare) === 0) this.#names.add(hostKey(one))
      else if (network === null) this.#networks.addAddress(bare, familyOf(bare))
      else this.#networks.addSubnet(bare, Number(network[2]), familyOf(bare))
    }
  }

  /**
   * The addresses of a host that may be spoken to.
   *
   * @param host - a name or an address, with or without brackets
   * @throws RefusedAddress when none may; what the resolver throws
   */
  async check(host: string, port: number): Promise<readonly CheckedAddress[]> {
    const name = hostKey(host)
    const family = isIP(name)
    const found = family === 0 ? await this.#resolve(name) : [{ address: name, family: family === 6 ? (6 as const) : (4 as const) }]
    if (this.#names.has(name) || this.#names.has(`${name}:${port}`)) return found
    const allowed = found.filter(({ address }) => !isPrivateAddress(address) || isListed(this.#networks, address))
    if (allowed.length === 0) throw new RefusedAddress(name, found[0]?.address ?? 'no address')
    return allowed
  }
}
