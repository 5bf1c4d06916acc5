// Package delivery sends committed messages to the endpoints that subscribe to them.
// Endpoints are cursors over the journal; only exceptions have rows of their own.
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
//   - [leases] are the endpoints that this node delivers to. A lease has an epoch;
//     outcomes from an earlier epoch are not saved.
//   - A [worker] delivers to one endpoint, on one goroutine: it feeds the machines of
//     its [cursor]s with entries and outcomes, and carries out their steps. After each
//     change of the endpoint a new worker starts, once the previous one has settled.
//   - The [settler] writes outcomes: one loop takes all that arrived while the previous
//     batch was being written, and writes it in one transaction. While the database is
//     unavailable it keeps trying, windows fill, and sending stops. If a commit fails, its
//     outcome is unknown, and the batch is written again in such a way that nothing is
//     saved twice.
//
// After a crash, the messages that were sent and not yet settled are sent again, and no
// others.
package delivery
