import { createElement, type JSX, useMemo } from 'react'
import { type Block, type Inline, type ListItem, markdownBlocks } from './markdown-blocks.ts'
import './ui.css'

/** Markdown as a page. Its first heading is `level` deep, so that it fits below the page's own. */
export function Markdown({ text, level = 3 }: { readonly text: string; readonly level?: 2 | 3 | 4 }): JSX.Element {
  const blocks = useMemo(() => markdownBlocks(text), [text])
  const highest = Math.min(6, ...blocks.flatMap((block) => (block.kind === 'heading' ? [block.level] : [])))
  return (
    <div className="markdown">
      {blocks.map((block, index) => (
        // Blocks are never moved: their place is who they are.
        <One key={index} block={block} deeper={level - highest} />
      ))}
    </div>
  )
}

function One({ block, deeper }: { readonly block: Block; readonly deeper: number }): JSX.Element {
  if (block.kind === 'heading') return createElement(`h${Math.min(6, Math.max(2, block.level + deeper))}`, null, <Line line={block.line} />)
  if (block.kind === 'list') return <List ordered={block.ordered} items={block.items} />
  if (block.kind === 'code') {
    return (
      <pre>
        <code>{block.text}</code>
      </pre>
    )
  }
  if (block.kind === 'table') return <Table head={block.head} rows={block.rows} />
  if (block.kind === 'rule') return <hr />
  if (block.kind === 'quote') {
    return (
      <blockquote>
        <Line line={block.line} />
      </blockquote>
    )
  }
  return (
    <p>
      <Line line={block.line} />
    </p>
  )
}

function List({ ordered, items }: { readonly ordered: boolean; readonly items: readonly ListItem[] }): JSX.Element {
  const shown = items.map((item, index) => (
    <li key={index} style={{ marginInlineStart: `${item.depth * 18}px` }} className={item.ticked === null ? '' : 'task'}>
      {item.ticked !== null && <input type="checkbox" checked={item.ticked} disabled aria-label={item.ticked ? 'Done' : 'To do'} />}
      <span>
        <Line line={item.line} />
      </span>
    </li>
  ))
  return ordered ? <ol>{shown}</ol> : <ul>{shown}</ul>
}

type Cells = readonly (readonly Inline[])[]

function Table({ head, rows }: { readonly head: Cells; readonly rows: readonly Cells[] }): JSX.Element {
  return (
    <div className="table-scroll">
      <table className="table">
        <thead>
          <tr>
            {head.map((cell, index) => (
              <th key={index} scope="col">
                <Line line={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, index) => (
                <td key={index}>
                  <Line line={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Line({ line }: { readonly line: readonly Inline[] }): JSX.Element {
  return (
    <>
      {line.map((piece, index) => (
        <Piece key={index} piece={piece} />
      ))}
    </>
  )
}

function Piece({ piece }: { readonly piece: Inline }): JSX.Element {
  if (piece.kind === 'code') return <code>{piece.text}</code>
  if (piece.kind === 'strong') return <strong>{piece.text}</strong>
  if (piece.kind === 'emphasis') return <em>{piece.text}</em>
  if (piece.kind !== 'link') return <>{piece.text}</>
  const outside = !piece.href.startsWith('/') && !piece.href.startsWith('#')
  return (
    <a href={piece.href} {...(outside ? { target: '_blank', rel: 'noreferrer noopener' } : {})}>
      {piece.text}
    </a>
  )
}
