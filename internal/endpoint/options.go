package endpoint

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/casehook/casehook/internal/fault"
)

// Options are the settings that have one form everywhere: in the API's requests and answers, in the files of
// casehook apply, and in the database. An option's name, documentation, default and bounds are declared here and
// nowhere else.
type Options struct {
	KeepAnswers     bool    `json:"keep_answers" yaml:"keep_answers" doc:"Attempts keep the destination's answers, although requests carry secrets (headers, auth) that an answer may repeat. Not set, the answers of such an endpoint are not kept." example:"false"`
	AtfinityVersion string  `json:"atfinity_version" yaml:"atfinity_version" maxLength:"64" pattern:"^[!-~]*$" doc:"The value of X-atfinity-version, for receivers that expect a certain one: visible ASCII, without spaces. Empty: the server's setting, by default its own version." example:"2.4.1"`
	Payload         Payload `json:"payload" yaml:"payload" enum:"full,thin" doc:"The content of bodies. full: all that the trigger publishes, which is the default. thin: only the members that identify the change (of case triggers trigger, case_id, case_user_readable_id, case_version and action; of claim events event_name, source, performed_by and of the claim id, type, claim_ref and last_activity_at; of contact.created event_name, source, performed_by and of the contact id and created_at; of endpoint triggers trigger, endpoint_id and occurred_at; of CloudEvents all attributes but the data), so that the receiver asks the API for the rest. Filters see the full body." example:"full"`
}

// Payload selects the content of an endpoint's bodies.
type Payload string

// The payloads.
const (
	Full Payload = "full" // all that the format publishes
	Thin Payload = "thin" // only the members that identify the change: wire.View
)

// WithDefaults returns the options with defaults for those that are not set.
func (o Options) WithDefaults() Options {
	o.Payload = cmp.Or(o.Payload, Full)
	return o
}

func (o Options) check() []fault.Field {
	var faults []fault.Field
	add := func(path, message string) { faults = append(faults, fault.Field{Path: path, Message: message}) }
	if problem := VersionProblem(o.AtfinityVersion); problem != "" {
		add("/atfinity_version", problem)
	}
	if p := o.WithDefaults().Payload; p != Full && p != Thin {
		add("/payload", "is neither full nor thin")
	}
	return faults
}

// maxVersion bounds the value of X-atfinity-version, in bytes.
const maxVersion = 64

// VersionProblem returns why a text can't be the value of X-atfinity-version, or "".
func VersionProblem(text string) string {
	if len(text) > maxVersion || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Sprintf("is not at most %d characters of visible ASCII, without spaces, such as 2.4.1", maxVersion)
	}
	return ""
}
