import { type ReactNode, useState } from 'react'
import { useColumnChanges } from '../api/board-changes.ts'
import type { Board, Rule } from '../api/model.ts'
import { Modal } from '../shell/modal.tsx'

const keyOf = (from: string, to: string): string => `${from} ${to}`

function allMoves(board: Board): Rule[] {
  return board.columns.flatMap((from) => board.columns.filter((to) => to.id !== from.id).map((to) => ({ from: from.id, to: to.id })))
}

/** Which moves between columns the board allows. */
export function RulesDialog({ board, onClose }: { board: Board; onClose: () => void }): ReactNode {
  const every = allMoves(board)
  const [restricted, setRestricted] = useState(board.rules.length > 0)
  const [allowed, setAllowed] = useState(() => new Set((board.rules.length > 0 ? board.rules : every).map((rule) => keyOf(rule.from, rule.to))))
  const { setRules } = useColumnChanges(board.id)
  const chosen = every.filter((rule) => allowed.has(keyOf(rule.from, rule.to)))
  const toggle = (key: string): void => {
    const next = new Set(allowed)
    if (!next.delete(key)) next.add(key)
    setAllowed(next)
  }
  const save = (): void => {
    setRules(restricted ? chosen : [])
    onClose()
  }
  return (
    <Modal title="Rules of moving" onClose={onClose} size="large">
      <div className="stack">
        <div className="check">
          <input id="restricted" type="checkbox" checked={restricted} onChange={(event) => setRestricted(event.target.checked)} />
          <label htmlFor="restricted">Allow only the moves ticked below. Without it, a card may go from any column to any other.</label>
        </div>
        {restricted && (
          // It can be wider than a phone, and the keyboard must be able to scroll it.
          <div className="scroll-x" role="region" aria-label="Allowed moves" tabIndex={0}>
            <table className="rules-table">
              <thead>
                <tr>
                  <th scope="col">From ↓ to →</th>
                  {board.columns.map((to) => (
                    <th key={to.id} scope="col">
                      {to.name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {board.columns.map((from) => (
                  <tr key={from.id}>
                    <th scope="row">{from.name}</th>
                    {board.columns.map((to) => (
                      <td key={to.id}>
                        {from.id === to.id ? (
                          <span className="dim">·</span>
                        ) : (
                          <input type="checkbox" aria-label={`From ${from.name} to ${to.name}`} checked={allowed.has(keyOf(from.id, to.id))} onChange={() => toggle(keyOf(from.id, to.id))} />
                        )}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {restricted && chosen.length === 0 && <p className="notice">At least one move must be ticked.</p>}
        <div className="actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" className="button primary" disabled={restricted && chosen.length === 0} onClick={save}>
            Save rules
          </button>
        </div>
      </div>
    </Modal>
  )
}
