// Package delivery sends committed messages to the endpoints that want them.
// Receivers are cursors over the journal; only exceptions have rows of their own.
//
//	journal -> tail -> one worker per endpoint -> send -> settler -> cursor, lanes, attempts
//	                        |     ^
//	                        v     |
//	                     package machine: which message is sent when, and what is saved
//
// The package does the I/O and decides nothing: package machine has the rules.
//
//   - The [tail] is the end of the journal, read once for all endpoints. Endpoints
//     further behind read ranges ([sharedRanges]). [Feed] reads the same tail for clients.
//   - [leases] are the endpoints that this node delivers to. A lease has an epoch, and
//     what is settled under an earlier epoch is not saved.
//   - A [worker] delivers to one endpoint, on one goroutine: it feeds the machines of
//     its [cursor]s with entries and outcomes, and does what they want done. Each change
//     of an endpoint is a new worker, which starts once the one before has settled.
//   - The [settler] writes outcomes: one loop takes all that has gathered while the batch
//     before was being written, and writes it in one transaction. While the database is
//     away it keeps trying, windows fill, and sending stops. If a commit fails, nobody
//     knows whether it happened, and the batch is written again so that nothing is
//     written twice.
//
// When a process dies, messages that were sent and not yet settled are sent again, and
// nothing else is.
package delivery
