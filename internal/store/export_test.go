package store

import (
	"context"
	"database/sql"
)

var testContext = context.Background()

// Waiting returns the number of transactions that wait for SQLite's writer.
func (s *Store) Waiting() int { return len(s.engine.(*sqliteEngine).jobs) }

// Readers returns SQLite's reading connections.
func (s *Store) Readers() *sql.DB { return s.engine.(*sqliteEngine).readers }

// Exec runs any statement in the transaction.
func (tx *Tx) Exec(text string, args ...any) error {
	s := &statement{text: [2]string{text, text}}
	switch q := tx.q.(strictQuerier).querier.(type) {
	case *writer:
		_, err := q.conn.ExecContext(testContext, text, args...)
		return translate(err)
	default:
		_, err := q.exec(testContext, s, args...)
		return err
	}
}

// Ask runs any query of one value in the transaction.
func (tx *Tx) Ask(text string) (answer string, err error) {
	s := &statement{text: [2]string{text, text}}
	rows, err := tx.q.query(testContext, s)
	return one(rows, err, scanValue[string], notFound("test", "no row"))
}
