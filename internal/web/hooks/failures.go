package hooks

import (
	"fmt"
	"net/http"

	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// failure describes a kind of failure: in a word for lists, and in sentences.
type failure struct {
	Name  string // in lists and filters
	Title string // what happened, as a sentence
	Do    string // what it means, and what to do about it
}

// unanswered describes the classes of failures without an answer.
var unanswered = map[outbound.Class]failure{
	outbound.Invalid: {"not sendable", "The request can’t be sent at all.",
		"The URL or one of the headers is not allowed in HTTP. Correct the endpoint’s settings, then resend."},
	outbound.Refused: {"address refused", "The address is not allowed.",
		"The host leads to an address that this server may not call, such as a private one. " +
			"Use a public address, or ask the operator to allow this one."},
	outbound.DNS: {"no address", "The host’s name has no address.",
		"Check the spelling of the host, and that its DNS entry exists."},
	outbound.Connect: {"unreachable", "No connection: the host does not answer on this port.",
		"The receiver is down, or a firewall is in between."},
	outbound.TLS: {"TLS", "No secure connection.",
		"The certificate may have expired, be for another name, or be of an unknown authority; " +
			"or the receiver wants a client certificate. Repair the receiver, or set certificates at the endpoint."},
	outbound.Timeout: {"timeout", "No complete answer within the timeout.",
		"Answer with 2xx at once and do the work afterwards, or raise the endpoint’s timeout. " +
			"The receiver may have the message: it has to recognise its webhook-id."},
	outbound.TooLarge: {"answer too long", "The answer is too long.",
		"The receiver should answer with a short body, or with none."},
	outbound.Protocol: {"not HTTP", "The answer is not valid HTTP.",
		"Something else than a web server may listen there, or a proxy breaks answers. " +
			"Look at what answers on this port."},
	outbound.Closed: {"broken off", "The connection was lost before the end of the answer.",
		"The receiver, or a proxy before it, gave up. It may have the message: it has to recognise its webhook-id."},
	outbound.Cancelled: {"cancelled", "This try was cancelled.",
		"The server was stopped, or a person dropped the message meanwhile. It counts as no try."},
	outbound.Ours: {"our failure", "This server could not send it.",
		"The failure is on this side, not the receiver’s: look into the server’s log. It counts as no try."},
	outbound.Credentials: {"no credentials", "There was no token to send, so nothing was sent.",
		"The token server refused or did not answer. " +
			"Check the endpoint’s authentication: token URL, client and secret."},
	outbound.Proxying: {"egress proxy", "The proxy by which requests leave did not connect.",
		"The failure is on this side, not the receiver’s: the operator’s proxy can’t be reached, wants other " +
			"credentials, or does not allow this receiver."},
}

// answered describes the failures with an answer, by the status. Other statuses are described by their hundreds.
var answered = map[int]failure{
	3: {"", "The receiver redirects, which is not followed.",
		"Set the endpoint’s URL to the address that it redirects to."},
	4: {"", "The receiver refused the message.",
		"Its answer says why. Repair the receiver, then resend; each try that is refused uses up a retry."},
	5: {"", "The receiver failed.",
		"The error is on its side: look into its log."},
	400: {"", "The receiver does not understand the message.",
		"Compare what it expects with the request beside. Repair the receiver, then resend."},
	401: {"", "The receiver does not accept the signature or the credentials.",
		"Compare its secret with the endpoint’s, and check the endpoint’s authentication. Then resend."},
	403: {"", "The receiver forbids it.",
		"Check its secret and the endpoint’s authentication, and whether a firewall refuses this server’s address."},
	404: {"", "There is nothing at this path.",
		"Check the path of the endpoint’s URL, and that the receiver is deployed. Then resend."},
	405: {"", "The path does not accept POST.",
		"Check the path of the endpoint’s URL. Messages are sent by POST."},
	408: {"", "The receiver waited too long for the request.",
		"The connection is slow, or the receiver is overloaded."},
	409: {"", "The receiver found a conflict.",
		"It may have the message already. A receiver that knows the webhook-id should answer 2xx."},
	410: {"", "The receiver is gone for good.",
		"410 disables the endpoint. Delete it, or set its URL and make it active again."},
	413: {"", "The message is too large for the receiver.",
		"Raise its limit, or let the endpoint receive thin bodies, which only identify the change."},
	415: {"", "The receiver does not take this content type.",
		"Messages are JSON: application/json; charset=UTF-8."},
	422: {"", "The receiver refused the content.",
		"Its answer says why. Repair the receiver or the case, then resend."},
	429: {"", "Too many requests for the receiver.",
		"Set a rate limit at the endpoint. It is tried again when the receiver says, or by the schedule."},
	502: {"", "The proxy before the receiver got no valid answer.",
		"The receiver is down or restarting."},
	503: {"", "The receiver can’t answer now.",
		"It is overloaded or down."},
	504: {"", "The proxy before the receiver waited too long.",
		"Answer with 2xx at once and do the work afterwards. The receiver may have the message."},
}

// failureOf describes an attempt that failed.
func failureOf(status int, class string) failure {
	if class != "" {
		if f, known := unanswered[outbound.Class(class)]; known {
			return f
		}
		return failure{class, "It failed: " + class + ".", "Look at the answer and at the receiver’s log."}
	}
	f, known := answered[status]
	if !known {
		f, known = answered[status/100]
	}
	if !known {
		f = failure{"", "The answer was neither success nor failure.", "Answer with 2xx, such as 204."}
	}
	f.Name = fmt.Sprint(status)
	return f
}

// outcome is the outcome of an attempt in a list.
type outcome struct{ Color, Tone, Text string }

func outcomeOf(a store.Attempt) outcome {
	switch {
	case a.Delivered:
		return outcome{"green", "", fmt.Sprint(a.Status)}
	case a.Class == string(outbound.Cancelled):
		return outcome{"gray", "", unanswered[outbound.Cancelled].Name}
	}
	return outcome{"red", "bad", failureOf(a.Status, a.Class).Name}
}

// statusLine returns an answer's status in full: "503 Service Unavailable".
func statusLine(a store.Attempt) string {
	if a.Status == 0 {
		return failureOf(0, a.Class).Name
	}
	if text := http.StatusText(a.Status); text != "" {
		return fmt.Sprint(a.Status) + " " + text
	}
	return fmt.Sprint(a.Status)
}

// classChoice is a class of failures that can be filtered by.
type classChoice struct{ Class, Name string }

// classChoices lists the classes, in the order of a request's steps.
func classChoices() (all []classChoice) {
	for _, c := range outbound.Classes() {
		all = append(all, classChoice{string(c), unanswered[c].Name})
	}
	return all
}

// className returns the name of a class, or the class itself where it is unknown.
func className(class string) string {
	if f, known := unanswered[outbound.Class(class)]; known {
		return f.Name
	}
	return class
}

// problemColor returns the colour of a problem that goes on, or is over.
func problemColor(ongoing bool) string {
	if ongoing {
		return "red"
	}
	return "gray"
}
