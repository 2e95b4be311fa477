// The tables, version by version. A version is applied once, as a whole; a published one is never changed.

/** What the versions are applied through. */
interface Transactional {
  transaction<T>(work: (connection: { query(text: string, values?: readonly unknown[]): Promise<{ rows: readonly { latest?: number | null }[] }> }) => Promise<T>): Promise<T>
}

const VERSIONS: readonly string[] = [
  `
CREATE TABLE people (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 60),
  password text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'member', 'viewer'))
);
CREATE TABLE sessions (
  token_hash bytea PRIMARY KEY,
  person uuid NOT NULL REFERENCES people ON DELETE CASCADE,
  expires timestamptz NOT NULL
);
CREATE TABLE tokens (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  token_hash bytea NOT NULL UNIQUE,
  person uuid NOT NULL REFERENCES people ON DELETE CASCADE,
  name text NOT NULL,
  created timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE boards (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  archived boolean NOT NULL DEFAULT false,
  created timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE columns (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  board uuid NOT NULL REFERENCES boards ON DELETE CASCADE,
  name text NOT NULL,
  wip_limit integer CHECK (wip_limit > 0),
  position double precision NOT NULL,
  archived boolean NOT NULL DEFAULT false
);
CREATE INDEX columns_board ON columns (board, position);
CREATE TABLE rules (
  board uuid NOT NULL REFERENCES boards ON DELETE CASCADE,
  from_column uuid NOT NULL REFERENCES columns ON DELETE CASCADE,
  to_column uuid NOT NULL REFERENCES columns ON DELETE CASCADE,
  PRIMARY KEY (board, from_column, to_column)
);
CREATE TABLE cards (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  board uuid NOT NULL REFERENCES boards ON DELETE CASCADE,
  "column" uuid NOT NULL REFERENCES columns,
  position double precision NOT NULL,
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  labels text[] NOT NULL DEFAULT '{}',
  due date,
  priority text NOT NULL DEFAULT 'medium' CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
  checklist jsonb NOT NULL DEFAULT '[]',
  archived boolean NOT NULL DEFAULT false,
  version integer NOT NULL DEFAULT 1,
  created timestamptz NOT NULL DEFAULT now(),
  updated timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cards_column ON cards ("column", position) WHERE NOT archived;
CREATE INDEX cards_board ON cards (board) WHERE NOT archived;
CREATE TABLE assignments (
  card uuid NOT NULL REFERENCES cards ON DELETE CASCADE,
  person uuid NOT NULL REFERENCES people ON DELETE CASCADE,
  PRIMARY KEY (card, person)
);
CREATE TABLE comments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  card uuid NOT NULL REFERENCES cards ON DELETE CASCADE,
  person uuid NOT NULL REFERENCES people ON DELETE CASCADE,
  text text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX comments_card ON comments (card, at);
CREATE TABLE activity (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  board uuid NOT NULL REFERENCES boards ON DELETE CASCADE,
  card uuid REFERENCES cards ON DELETE SET NULL,
  by_name text NOT NULL,
  text text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX activity_board ON activity (board, id DESC);
CREATE INDEX activity_card ON activity (card, id DESC);
`,
]

/** Applies the versions that the database has not yet; two kanbans that start at once do it one after the other. */
export async function migrate(database: Transactional): Promise<void> {
  await database.transaction(async (connection) => {
    await connection.query('SELECT pg_advisory_xact_lock(7220771)')
    await connection.query('CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())')
    const { rows } = await connection.query('SELECT max(version) AS latest FROM migrations')
    const latest = rows[0]?.latest ?? 0
    for (const [index, text] of VERSIONS.entries()) {
      if (index < latest) continue
      await connection.query(text)
      await connection.query('INSERT INTO migrations (version) VALUES ($1)', [index + 1])
    }
  })
}
