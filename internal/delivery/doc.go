// Package delivery tells the world what has been committed. Receivers are
// cursors over the journal; only exceptions have rows of their own.
//
//	journal -> tail -> one worker per endpoint -> send -> settle -> cursor, lanes
//
// The state of a cursor is a [machine], which is pure: entries, outcomes and the
// time go in; messages to send and settlements to save come out. The cursors of one
// endpoint share a [gate]: its limits and its breaker. A worker gives them I/O.
// What a cursor owes is always one of these, and is saved as such:
//
//   - above the cursor's position: read again after a restart, except for the
//     messages recorded as delivered or dead;
//   - at or behind the head of a parked lane: a message failed, and those of the
//     same lane that came after it wait in the journal, not in rows;
//   - dead: given up after the last retry, listed, and never owed again.
//
// A lane is what keeps order: with the order per-case it is one subject, with
// strict the whole endpoint, with none a message by itself. A lane has at most
// one message under way.
//
// Outcomes go into the [settler], whose one loop writes them in batches: attempts,
// lanes and positions of one batch in one transaction, and only for endpoints
// whose lease still has the epoch under which they were sent. Whatever dies, what
// was sent and not yet settled is sent again, and nothing else is.
package delivery
