// Package machine has the rules of delivery: which message is sent when, and what is
// saved of it. It is pure. Journal entries, outcomes and the time go in; messages to
// send, lanes to load and settlements to save come out.
//
// A [Cursor] is the state of one cursor of an endpoint. The live one follows the
// journal; a replay is bounded, over a range or over named messages. All cursors of
// an endpoint share its [Gate]: how much may be under way, the rate, the breaker and
// the endpoint's health. A [Rotation] lets them take turns. None of these is safe for
// concurrent use; package delivery gives each endpoint a goroutine, and the I/O.
//
// # Owed messages
//
// Every message that an endpoint wants is always in exactly one of these places, and
// saved as such:
//
//   - above the cursor's position: it is read again after a restart, unless it is
//     recorded as delivered or dead;
//   - at or behind the head of a parked lane: the lane's one row has its first owed
//     message with its tries and due time; the rest of the lane waits in the journal;
//   - dead: given up after its last retry, and listed.
//
// The position is the low-watermark: every message at or below it is delivered,
// unwanted, parked or dead. A crash repeats messages that were sent and not yet
// settled, and nothing else. That is the meaning of at least once.
//
// Whether an endpoint wants a message is decided when it is about to be sent, by the
// endpoint as it is then ([filter.Audience]). A message of a parked lane is decided on
// when it is its turn. A message whose filter or body can't be computed is dead at once,
// with its reason.
//
// # Window
//
// A cursor holds at most [Limits].Window entries of which messages are owed. At most
// [Limits].Unsettled messages of an endpoint are sent and not durably settled. A full
// window stops the reading. A message that holds up a full window for more than a
// second is parked while it is under way, so that the position moves on; its answer
// counts when it comes. Beyond [Limits].Parked rows the cursor stops.
//
// # Order
//
// A lane is the endpoint's subject ("case/17") with the order per-case, the whole
// endpoint with strict, and a message by itself with none. While a message of a lane is
// under way or owed, the next one waits. Order is about first arrivals: a message that
// is repeated after a crash may arrive again behind its successors. A dead message is
// out of the order. A changed order counts once everything under way has settled; lanes
// that were parked under the earlier order are carried over.
//
// With strict, the messages behind a parked head stay in the window: there is one lane,
// and its row need not stand for what is outside of it.
//
// # Failure
//
// The verdict of an attempt decides what it counts for:
//
//	Delivered     the message is done; the endpoint is there
//	Refused       counts for the message; the endpoint is there
//	Unreachable   counts for the message, and towards the breaker
//	Gone          the endpoint is disabled at once
//	NotAttempted  counts for nothing; if this machine lacked what it needs to send,
//	              everything rests, for five seconds at most
//
// A failure parks the lane until its next try, by the schedule of the endpoint's policy.
// Without a connection that is no later than a probe. After the last try the message is
// dead and its lane goes on, with strict, too.
//
// The Retry-After of a 429 or 503 delays a message's next try, if its schedule has it
// earlier, by a day at most; under an open breaker it delays the next probe, by an hour
// at most. A 429 with it stops all of the endpoint's messages, for an hour at most; then
// one request goes alone, and its answer decides. The rate limit admits one second's
// requests at once, and then one after the other. Retries, probes and replays count like
// all others, and a change of the endpoint gives no right to another burst.
//
// # Breaker
//
// The breaker opens after five failures in a row that are the endpoint's own, of at
// least three subjects: one poisonous message must not open it. Two failures in a row
// without even a connection open it whatever the subjects, because no message is to
// blame for them; then any connection closes it.
//
// While it is open, one probe at a time is sent, of the lane that was probed longest
// ago: after 1 s, 2 s, 4 s, then every 8 s. The first answer closes it. Retry clocks
// stand still: a failure under an open breaker, the one that opened it included, puts
// the message back where it was. An answer after an outage, or after failures of several
// subjects in a row, makes the lanes due that failed meanwhile, each once.
//
// When it closes, lanes that are due go first, with at most half of what may be under
// way while new messages wait.
//
// # Health
//
// An endpoint is failing since the first of its failures in a row. That is saved with
// the outcome that it follows from, and so is an open breaker, so that neither a restart
// nor a change of nodes starts the count anew. A change is made from a version of the
// health, and saved only if that version is still current: each fact is sent once.
//
//   - endpoint.failing: the breaker is open after five failures, or ten minutes have
//     passed, or the endpoint has refused messages of several subjects, and no other
//     answers came, for ten minutes;
//   - endpoint.disabled: it was failing for as long as it may, or answered 410. The
//     first failures that a worker sees disable nothing: it may have been we who were
//     away;
//   - endpoint.recovered: it answers, or accepts messages again.
//
// Failures of messages about endpoints count like all others but cause no messages:
// otherwise two endpoints that subscribe to each other would never come to an end. Whether another
// message has failed, too, is saved with the health, and begins anew when a user
// enables the endpoint. Refusals do not count towards being disabled: an answer ends the
// count.
//
// # Replays and repairs
//
// A replay survives restarts, keeps order among its own messages, has parked lanes and
// dead messages as the live cursor has, and never moves that one. New messages and
// replayed ones alternate. While there are new ones, replays have at most half of what
// may be under way, and never all of it.
//
// A RepairRequest asks to try a parked message at once, or to drop it. It is carried out
// when the message is not under way, and saved as done in the settlement that has its
// effect.
package machine
