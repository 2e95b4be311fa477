import type { ReactNode } from 'react'

const COLUMNS: readonly (readonly number[])[] = [[74, 104, 60], [90, 62], [64, 84, 84, 58]]

/** The shape of a board while it loads. */
export function BoardBones(): ReactNode {
  return (
    <main className="board-page" aria-busy="true">
      <p className="sr" role="status">
        The board is loading.
      </p>
      <div className="board-head">
        <div className="bone" style={{ width: 180, height: 26 }} />
      </div>
      <div className="columns">
        {COLUMNS.map((heights, column) => (
          <div key={heights.join(' ')} className="column">
            <div className="cards" style={{ paddingTop: 12 }}>
              {heights.map((height, card) => (
                <div key={`${column} ${String(card)} ${height}`} className="card" style={{ height }} />
              ))}
            </div>
          </div>
        ))}
      </div>
    </main>
  )
}
