import { Kbd, Modal } from '@mantine/core'
import type { JSX } from 'react'

const KEYS: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    title: 'Anywhere',
    keys: [
      ['?', 'This sheet'],
      ['Ctrl K', 'Jump to a service or a trace id'],
      ['g o', 'Overview'],
      ['g i', 'Incidents'],
      ['g a', 'Alerts'],
      ['g b', 'Objectives'],
      ['g t', 'Traces'],
      ['g e', 'Detectors'],
      ['g d', 'Deploys'],
      ['g s', 'Status'],
      ['d', 'Dark or light'],
      ['u', 'UTC or local time'],
    ],
  },
  {
    title: 'Time',
    keys: [
      ['t', 'Choose the time range'],
      ['z', 'Zoom out'],
      ['l', 'Pause or go on'],
      ['drag', 'Zoom in, on any chart'],
      ['double-click', 'Zoom out, on any chart'],
    ],
  },
  {
    title: 'Tables and traces',
    keys: [
      ['↑ ↓', 'Row by row'],
      ['Enter', 'Open'],
      ['← →', 'Close and open spans'],
      ['Home End', 'First and last row'],
      ['Esc', 'Close the detail'],
    ],
  },
  {
    title: 'An incident',
    keys: [
      ['a', 'Acknowledge'],
      ['Ctrl Enter', 'Note a comment'],
    ],
  },
]

/** All keys of the dashboard. */
export function Shortcuts({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }): JSX.Element {
  return (
    <Modal opened={open} onClose={onClose} title="Keyboard" size="lg" transitionProps={{ duration: 0 }} closeButtonProps={{ 'aria-label': 'Close' }}>
      <div className="keys">
        {KEYS.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map(([key, what]) => (
                <div key={key}>
                  <dt>
                    {key.split(' ').map((one) => (
                      <Kbd key={one} size="xs">
                        {one}
                      </Kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  )
}
