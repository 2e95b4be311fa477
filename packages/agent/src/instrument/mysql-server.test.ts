// A MySQL for the tests beside it, as the text of a program: the server that mysql2 itself brings. The protocol is real, the answers are ours.

/** Needs `mysql`; makes `server`, which is still to listen. Every table has two rows, but for the one that is broken. */
export const MYSQL_SERVER: string = `
const column = { catalog: 'def', schema: 'shop', table: 't', orgTable: 't', name: 'n', orgName: 'n', characterSet: 33, columnLength: 20, columnType: 253, type: 253, flags: 0, decimals: 0 }
const server = mysql.createServer()
server.on('connection', (connection) => {
  const prepared = []
  const answer = (write) => setTimeout(() => {
    connection.sequenceId = 1
    write()
    connection._resetSequenceId()
  }, 2)
  const run = (sql, isBinary) => answer(() => {
    if (sql.includes('broken')) connection.writeError({ code: 1146, message: 'no such table' })
    else if (/^(?:INSERT|UPDATE|START|COMMIT|ROLLBACK)/.test(sql)) connection.writeOk({ affectedRows: 1 })
    else connection.writeTextResult([{ n: 1 }, { n: 2 }], [column], isBinary)
  })
  connection.on('error', () => {})
  connection.serverHandshake({ protocolVersion: 10, serverVersion: '8.0.0', connectionId: 1, statusFlags: 2, characterSet: 8, capabilityFlags: 0xffffff & ~0x800 })
  connection.on('query', (sql) => run(sql, false))
  connection.on('stmt_prepare', (sql) => answer(() => {
    // COM_STMT_PREPARE_OK, with no word of columns and parameters.
    connection.stream.write(Buffer.from([12, 0, 0, connection.sequenceId, 0, prepared.push(sql), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
  }))
  connection.on('stmt_execute', (id) => run(prepared[id - 1], true))
  // A statement is closed without an answer.
  connection.on('packet', () => {})
})
`
