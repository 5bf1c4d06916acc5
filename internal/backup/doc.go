// Package backup copies a whole installation to a folder, a bucket or one file, and restores it from there.
//
//	dump -> rows -> chunks -> place        attachments -> pieces -> place
//
// A backup is the tables of a database as they were at one moment, as rows, and the contents of all attachments. Rows
// are the same for both engines, so that a backup of SQLite can be restored into PostgreSQL.
//
// # Chunks
//
// Rows are written in the order of their keys and cut into chunks at places that depend on the rows alone: a row that
// changes makes one new chunk, and all others are the same as in the backup before. A chunk is named by a keyed hash of
// its contents and is written if the place does not have it yet. So every backup is complete, and costs only what is
// new since the last one. Contents of attachments never change; they are read once, for the first backup that has them.
//
// # Sealed
//
// Chunks and manifests are compressed and sealed (AES-256-GCM) with keys that are derived from the installation's key.
// The key itself is in no backup: without it, a backup can't be restored, and nobody who finds one can read or change
// it.
//
// # A place
//
//	backups/20260102T150405.000Z  the manifest: tables, rows, and the names of chunks
//	chunks/3f/3f9a...             rows of one table, or a piece of an attachment
//	running/20260102T150405.000Z  a backup that is being made; nothing is removed meanwhile
//
// A manifest is written last. Without it a backup does not exist, and its chunks are removed with the next prune.
package backup
