// Package store keeps all data in SQLite or PostgreSQL, with one text of each statement for both.
//
// Reads are methods of [Store] and of [Tx] alike. [Store.Commit] saves a [Change], which is prepared beforehand;
// submissions are saved this way. All other writes are methods of Tx alone, so that nothing can be half saved:
// [Store.Update] runs a function in one transaction, and commits all or nothing.
//
// # Engines
//
// On SQLite one writer takes the changes and functions that wait, runs each inside a savepoint, and commits them
// together: durable (synchronous=FULL), with one flush for many. Under load the writer waits for a group as large as
// the previous one, but no longer than that one took. Reads have connections of their own and never wait for it.
//
// On PostgreSQL a change is one statement, and each function has its own transaction. Transactions do not commit in
// the order of their ids, so a cursor over ids would skip entries that commit late. Therefore a function of the
// database (journal_sequence) assigns committed entries a dense seq, in the order of their ids. An entry is inserted
// after its case's row was locked, so the entries of one case are in order. When an endpoint is created, all committed
// entries first get their seq, so that its cursor begins after them.
//
// A process may freeze between any two statements, and its transaction then stays open for 5 seconds, after which
// PostgreSQL ends it. Therefore nothing that all callers need is locked from one statement to the commit: positions,
// numbers and removals are single statements on a connection of their own (apart), which the server finishes by
// itself. Numbers of references and outcomes are reserved in blocks per process, whose size follows the demand; gaps
// are allowed, and a unique index refuses repetitions. The locks that remain concern the case, endpoint, key or name
// that changes. Retention blocks no other transaction, and none blocks it.
//
// # Statements
//
// Every statement is defined once, with $N parameters, as a package-level value. Lists go in as one parameter. Times
// are integers, in microseconds. Where the engines differ, a statement has {{now}} (microseconds, by the database's
// clock), {{lock}} or {{share}} (row locks, which SQLite's single writer does without), or rows($1: a text, b bigint):
// a table from one JSON array of arrays. Tests compare the two schemas and prepare every statement on both engines.
//
// Driver errors become fault kinds here, by their codes and never by their text.
//
// # Waking
//
// After a commit that appended to the journal, the store wakes the callers that wait on [Store.Wake]: within the
// process at once; on other nodes by NOTIFY, outside of the business transaction, because inside it would serialise
// all commits, and at most every 50 ms; and by polling each second if all else fails.
//
// # Text
//
// Text that people typed is compared by package spelling: by its key, folded in full, where letter case does not
// matter (search, names of endpoints, labels), and in its canonical composition where it does (changes). It is kept as
// it was sent; the keys are in columns beside it. Identities fold ASCII alone.
//
// Cases are searched by the words of the keys: every word of a search has to begin a word of the case, and a phrase to
// stand there as it is. Words are split here, for both engines alike. Triggers keep the index up to date in the
// transaction that saves the case: a table of FTS5 on SQLite, whose rows are in the order of the lists, and a tsvector
// with the clearances as weights on PostgreSQL. On SQLite the triggers record the changed cases, and the writer indexes
// them once per group. The words of a case's comments and of the names of its files and contacts are in a row beside
// it, which is rewritten when one of them changes. Contacts are searched by any part of their keys, without an index.
//
// # Fields
//
// Lists of cases are selected and sorted by the fields that the newest definition of their type marks as indexed. A
// case is saved with the sortable forms of their values as JSON (package casetype), and a trigger makes a row of
// case_fields for each, so that a case without indexed fields costs no statement. The rows are in the order of the
// lists: the value, byte by byte on both engines, then the creation. When another definition becomes the newest, older
// cases are indexed in portions, which may be interrupted and repeated, and once more later: other nodes know the
// definition before for a while.
//
// # Secrets
//
// Secrets are sealed with AES-256-GCM, and so are stored answers, which may contain some. Each is bound to its place:
// a value that is copied to another row does not open. The database has a check value of its key, and refuses another
// key. A list of secrets names each by a fingerprint, by which casehook apply recognises the secret of a variable. The
// fingerprint is a plain hash: a secret has 24 bytes at least, and a guess could as well be tried on any message that
// the secret signed, which a person who may list secrets can have sent to themselves.
package store
