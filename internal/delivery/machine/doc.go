// Package machine has the rules of delivery: which message is sent when, and which
// changes are saved. It is pure. Journal entries, outcomes and the time go in; messages
// to send, lanes to load and settlements to save come out.
//
// A [Cursor] is the state of one cursor of an endpoint. The live one follows the
// journal; a replay is bounded, over a range or over named messages. All cursors of
// an endpoint share its [Gate]: the limits, the rate, the breaker and the endpoint's
// health. A [Rotation] alternates between them. None of these is safe for concurrent
// use; package delivery runs each endpoint on a goroutine of its own, and does the I/O.
//
// # Owed messages
//
// Every undelivered message that an endpoint wants is always in exactly one of these
// places, and saved as such:
//
//   - above the cursor's position: it is read again after a restart, unless it is
//     recorded as delivered or dead;
//   - at or behind the head of a parked lane: the lane's one row has its first owed
//     message with its tries and due time; the rest of the lane waits in the journal;
//   - dead: given up after its last retry, and listed.
//
// The position is the low-watermark: every message at or below it is delivered,
// unwanted, parked or dead. After a crash, the messages that were sent and not yet
// settled are sent again, and no others. That is the meaning of at least once.
//
// The endpoint's triggers and filter are applied to a message just before it is sent, as
// they are at that time ([filter.Audience]); in a parked lane, when the message's turn
// comes. A message whose filter or body can't be computed is dead at once, with its
// reason.
//
// # Window
//
// A cursor holds at most [Limits].Window entries with owed messages. At most
// [Limits].Unsettled messages of an endpoint are sent and not durably settled. While the
// window is full, nothing is read. A message that holds up a full window for more than a
// second is parked while it is under way, so that the position moves on; its answer
// still counts. Beyond [Limits].Parked rows the cursor stops.
//
// # Order
//
// With the order per-case, each subject ("case/17") has a lane. With strict, the endpoint
// has one lane. With none, each message has its own. While a message of a lane is under
// way or owed, the next one waits. The order is that of first arrivals: a message that
// is repeated after a crash may arrive again after its successors. A dead message is
// out of the order. A changed order takes effect once everything under way has settled;
// lanes that were parked under the earlier order are kept.
//
// With strict, the messages behind a parked head stay in the window: there is one lane,
// and its row need not stand for messages outside of the window.
//
// # Failure
//
// The verdict of an attempt has these effects:
//
//	Delivered     the message is done; the endpoint is up
//	Refused       a failure of the message; the endpoint is up
//	Unreachable   a failure of the message, which also counts towards the breaker
//	Gone          the endpoint is disabled at once
//	NotAttempted  not counted; if this machine lacked a resource that sending needs,
//	              nothing is sent for up to five seconds
//
// A failure parks the lane until its next try, according to the schedule of the
// endpoint's policy. If there was no connection, the next try is no later than a probe.
// After the last try the message is dead and its lane goes on, also with strict.
//
// The Retry-After of a 429 or 503 delays a message's next try, if the schedule has it
// earlier, by a day at most; under an open breaker it delays the next probe, by an hour
// at most. A 429 with a Retry-After stops all of the endpoint's messages, for an hour at
// most; then one request is sent, and the others wait for its answer. The rate limit
// admits a burst of one second's requests, and then evenly spaced ones. Retries, probes
// and replays count like all others, and a change of the endpoint allows no new burst.
//
// # Breaker
//
// The breaker opens after five consecutive failures that are the endpoint's own, of at
// least three subjects: one poisonous message must not open it. Two consecutive failures
// to connect open it for any subjects, because no message can be their cause; then any
// connection closes it.
//
// While it is open, one probe at a time is sent, of the lane that was probed longest
// ago: after 1 s, 2 s, 4 s, then every 8 s. The first answer closes it. Failures under
// an open breaker, including the one that opened it, do not count for the message: it
// stays where it was. An answer after an outage, or after consecutive failures of several
// subjects, makes due the lanes that failed meanwhile, each once.
//
// When it closes, lanes that are due go first. While new messages wait, they have at most
// half of the requests that may be under way.
//
// # Health
//
// An endpoint is failing since the first of its consecutive failures. This time is saved
// with the outcome that causes it, and so is an open breaker, so that neither a restart
// nor a change of nodes restarts the count. A change is based on a version of the health,
// and saved only if that version is still current, so that each fact is sent once.
//
//   - endpoint.failing: the breaker is open after five failures, or failures have lasted
//     for ten minutes, or for ten minutes the endpoint has only refused messages, of
//     several subjects;
//   - endpoint.disabled: it was failing for as long as it may, or answered 410. The
//     first failures that a worker sees disable nothing, since this process may have been
//     offline;
//   - endpoint.recovered: it answers, or accepts messages again.
//
// Failures of messages about endpoints count like all others but cause no facts:
// otherwise two endpoints that subscribe to each other's facts would cause messages for
// ever. The health records whether another message has also failed, until a user enables
// the endpoint. Refusals do not count towards disabling: an answer ends the count.
//
// # Replays and repairs
//
// A replay survives restarts, keeps the order of its own messages, and has parked lanes
// and dead messages like the live cursor, which it never moves. New messages and replayed
// ones alternate. While there are new ones, replays have at most half of the requests
// that may be under way; they never have all of them.
//
// A RepairRequest asks to try a parked message at once, or to drop it. It is carried out
// when the message is not under way, and saved as done in the settlement that has its
// effect.
package machine
