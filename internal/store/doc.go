// Package store keeps everything in SQLite or PostgreSQL, by one SQL text.
//
// Reads are methods of [Store] and of [Tx] alike; writes exist only on Tx, so
// that nothing can be half saved. [Store.Update] runs a function in one
// transaction and commits what it did, or none of it. After a commit that
// appended to the journal the store wakes whoever waits on [Store.Wake].
//
// On SQLite one writer takes the functions that wait, runs each inside a
// savepoint and commits them together: durable (synchronous=FULL) at the price of
// one flush for many. Reads have connections of their own and never wait for it.
// On PostgreSQL each function has its own transaction.
//
// Every statement is defined once, with $N parameters, as a package-level value.
// Where the engines differ it says {{now}} (microseconds, by the database's
// clock), {{lock}} or {{share}} (row locks, which SQLite's single writer does
// without), or rows($1: a text, b bigint): a table from one JSON array of arrays.
//
// Driver errors become fault kinds here, by their codes.
package store
