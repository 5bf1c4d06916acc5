package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/dev"
	"github.com/casehook/casehook/internal/outbound"
)

type listenCmd struct {
	Forward   webURL        `placeholder:"URL" help:"URL of your receiver: http://localhost:3000/hook. Without it, messages are only printed."`
	Callbacks webURL        `placeholder:"URL" help:"URL of your callbacks: http://localhost:4000. They are asked the questions that submissions with your token cause, in place of those of the case types, whose paths are added to a URL without one."`
	Triggers  []string      `placeholder:"PATTERN" help:"Triggers, separated by commas; * stands for any characters. All if not set."`
	Endpoint  string        `placeholder:"NAME" help:"Select the messages that this endpoint gets, by its triggers, sources, filter and clearance. Its name or id."`
	Source    []string      `enum:"ui,api" placeholder:"SOURCE" help:"Select the activity of people (ui), or of programs (api). Both if not set."`
	Since     moment        `default:"now" placeholder:"WHEN" help:"Begin in the past: 10m ago, 2026-01-31T08:00:00Z, or at the beginning. Now if not set."`
	Secret    string        `placeholder:"WHSEC" env:"CASEHOOK_LISTEN_SECRET" help:"The signing secret: whsec_... If not set, it is printed, and always the same for your token."`
	Retry     bool          `help:"Try again while the receiver does not answer, or answers 429 or 5xx."`
	Timeout   time.Duration `default:"15s" placeholder:"TIME" help:"Time for one request to the receiver. 15s if not set."`
	JSON      bool          `name:"json" help:"Print one JSON object a line: the message with headers and body, and its outcome."`
	remote
}

// Help is shown below the command's summary.
func (listenCmd) Help() string {
	return `Your receiver gets the requests that the server would send: the same headers, the same body to the byte,
the same webhook-id, signed for your receiver. The server needs no set-up, and its endpoints get their messages as
before. Messages are sent and printed one after the other, in the order of the changes; with --retry, a message
that fails delays only those about the same case. After a lost connection, listening continues exactly where it
stopped. Ctrl-C ends it.

  casehook listen --forward http://localhost:3000/hook
  casehook listen --forward http://localhost:3000/hook --triggers 'case_*,claim.closed' --retry
  casehook listen --callbacks http://localhost:4000
  casehook listen --since 1h --json | jq -c .body
  casehook listen --endpoint crm       print the messages to crm`
}

func (c *listenCmd) Run(ctx context.Context, s stdio) error {
	l := dev.ListenOptions{
		Output:    dev.Output{Out: s.out, JSON: c.JSON},
		Notes:     s.err,
		Triggers:  c.Triggers,
		Sources:   c.Source,
		Endpoint:  c.Endpoint,
		After:     c.Since.format(time.Now()),
		Forward:   string(c.Forward),
		Callbacks: string(c.Callbacks),
		Retry:     c.Retry,
		Timeout:   c.Timeout,
		Version:   version,
	}
	if c.Forward != "" {
		var err error
		if l.Key, err = localKey(c.Secret, c.remote, s); err != nil {
			return err
		}
	}
	return dev.Listen(ctx, c.client(), l)
}

// localKey is the key that signs messages to this machine: the one of --secret, or one derived from
// the token, so that a receiver is configured once.
func localKey(secret string, r remote, s stdio) ([]byte, error) {
	if secret != "" {
		return dev.ParseKey(secret)
	}
	mac := hmac.New(sha256.New, []byte(r.Token))
	mac.Write([]byte("casehook listen"))
	key := mac.Sum(nil)
	fmt.Fprintf(s.err, "Signed with %s\n", outbound.FormatKey(key))
	return key, nil
}

// moment is a time as written on a command line: now, beginning, a length of time before now, or
// RFC 3339.
type moment struct {
	name string
	ago  time.Duration
	at   time.Time
}

// UnmarshalText reads a moment.
func (m *moment) UnmarshalText(text []byte) (err error) {
	word := strings.TrimSpace(string(text))
	if word == "now" || word == "beginning" {
		*m = moment{name: word}
		return nil
	}
	if ago, err := lengthOfTime(strings.TrimSuffix(word, " ago")); err == nil && ago > 0 {
		*m = moment{ago: ago}
		return nil
	}
	at, err := time.Parse(time.RFC3339, word)
	if err != nil {
		return fmt.Errorf("%q is neither now nor beginning, nor 10m, nor a time like 2026-01-31T08:00:00Z", word)
	}
	*m = moment{at: at}
	return nil
}

// maxDays bounds the days of a moment.
const maxDays = 36_500

// lengthOfTime reads a length of time: one of Go, or a number of days, such as 30d.
func lengthOfTime(word string) (time.Duration, error) {
	if number, ok := strings.CutSuffix(word, "d"); ok {
		days, err := strconv.ParseUint(number, 10, 16)
		if err == nil && days > maxDays {
			err = strconv.ErrRange
		}
		return time.Duration(days) * 24 * time.Hour, err
	}
	return time.ParseDuration(word)
}

// format returns the moment as the API accepts it.
func (m moment) format(now time.Time) string {
	switch {
	case m.ago > 0:
		return now.Add(-m.ago).UTC().Format(time.RFC3339Nano)
	case !m.at.IsZero():
		return m.at.UTC().Format(time.RFC3339Nano)
	}
	return m.name
}

// time returns the moment as a time that the API accepts; empty: the beginning.
func (m moment) time(now time.Time) string {
	switch m.name {
	case "now":
		return now.UTC().Format(time.RFC3339Nano)
	case "beginning":
		return ""
	}
	return m.format(now)
}
