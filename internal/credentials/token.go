package credentials

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/outbound"
)

// The bounds of tokens.
const (
	maxTokenAnswer = 64 << 10 // bytes
	maxToken       = 16 << 10 // bytes
	tokenMargin    = 30 * time.Second
	tokenUnknown   = time.Hour   // the assumed lifetime of a token without one
	tokenPause     = time.Second // how long a failure is returned without another request
)

// tokenSource gets tokens by the client credentials grant, one at a time, and caches the newest until
// shortly before it expires.
type tokenSource struct {
	config clientcredentials.Config
	client *http.Client
	host   string // of the token URL, for people

	turn     chan struct{} // a semaphore of one, full while free; it guards the fields below
	token    string
	until    time.Time
	failed   *tokenError
	failedAt time.Time
}

// tokenError is the reason why there is no token. It contains no secret, and only the status and the error code of the
// answer.
type tokenError struct {
	class outbound.Class
	text  string
	cause error // for the operator's log
}

func (e *tokenError) Error() string { return e.text }
func (e *tokenError) Unwrap() error { return e.cause }

func newTokenSource(transport http.RoundTripper, a endpoint.Auth) *tokenSource {
	style := oauth2.AuthStyleInHeader
	if a.ClientAuth == endpoint.InBody {
		style = oauth2.AuthStyleInParams
	}
	t := &tokenSource{
		config: clientcredentials.Config{
			ClientID:     a.ClientID,
			ClientSecret: a.ClientSecret,
			TokenURL:     a.TokenURL,
			Scopes:       a.Scopes,
			AuthStyle:    style,
		},
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		turn: make(chan struct{}, 1),
	}
	if a.Audience != "" {
		t.config.EndpointParams = url.Values{"audience": {a.Audience}}
	}
	if u, err := url.Parse(a.TokenURL); err == nil {
		t.host = u.Host
	}
	t.turn <- struct{}{}
	return t
}

// get returns a token other than the refused one, and whether this call requested it. It waits for a request that is
// under way.
func (t *tokenSource) get(
	ctx context.Context, timeout time.Duration, refused string,
) (token string, fresh bool, failure *tokenError) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case <-t.turn:
		defer func() { t.turn <- struct{}{} }()
	case <-limited.Done():
		return "", false, t.noToken(ctx, limited.Err())
	}
	now := time.Now()
	switch {
	case t.token != "" && t.token != refused && now.Before(t.until):
		return t.token, false, nil
	case t.failed != nil && now.Before(t.failedAt.Add(tokenPause)):
		return "", false, t.failed
	}
	t.token, t.failed = "", nil
	made, err := t.config.Token(context.WithValue(limited, oauth2.HTTPClient, t.client))
	if err == nil {
		err = usable(made)
	}
	if err != nil {
		failure = t.noToken(ctx, err)
		if failure.class == outbound.Credentials {
			t.failed, t.failedAt = failure, time.Now()
		}
		return "", false, failure
	}
	t.token, t.until = made.AccessToken, usedUntil(now, made.Expiry)
	return t.token, true, nil
}

// usedUntil returns a time shortly before a token expires, but not before half of its lifetime.
func usedUntil(now, ends time.Time) time.Time {
	if ends.IsZero() {
		return now.Add(tokenUnknown)
	}
	return ends.Add(-min(tokenMargin, ends.Sub(now)/2))
}

var (
	errTokenType = errors.New("the token is not of the type bearer")
	errTokenText = errors.New("the token can't be sent in a header")
)

// usable returns an error if a token can't be sent.
func usable(made *oauth2.Token) error {
	switch {
	case !strings.EqualFold(made.Type(), "bearer"):
		return errTokenType
	case len(made.AccessToken) > maxToken, strings.ContainsFunc(made.AccessToken,
		func(r rune) bool { return r <= ' ' || r > '~' }):
		return errTokenText
	}
	return nil
}

// noToken returns the error for a failed request for a token.
func (t *tokenSource) noToken(ctx context.Context, err error) *tokenError {
	var refusal *oauth2.RetrieveError
	var failure *outbound.Failure
	explain := func(format string, args ...any) *tokenError {
		return &tokenError{outbound.Credentials, "no token from " + t.host + ": " + fmt.Sprintf(format, args...), err}
	}
	switch {
	case ctx.Err() != nil:
		return &tokenError{outbound.Cancelled, "cancelled before there was a token", nil}
	case errors.As(err, &refusal) && refusal.Response != nil:
		return explain("it answered %s%s", status(refusal.Response.StatusCode), codeOf(refusal))
	case errors.As(err, &failure) && failure.Class == outbound.Ours:
		return &tokenError{outbound.Ours, "no token from " + t.host + ": " + failure.Error(), err}
	case errors.As(err, &failure):
		return explain("%s", failure)
	case errors.Is(err, context.DeadlineExceeded):
		return explain("no answer within the timeout")
	case errors.Is(err, errTokenType), errors.Is(err, errTokenText):
		return explain("%s", err)
	}
	return explain("its answer holds none")
}

// status returns a status with its standard name, because a server may send any text as its name.
func status(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// codeOf returns the code of an OAuth2 error if it has a valid form, because a server may send any text.
func codeOf(e *oauth2.RetrieveError) string {
	known := len(e.ErrorCode) > 0 && len(e.ErrorCode) <= 40 &&
		strings.Trim(e.ErrorCode, "abcdefghijklmnopqrstuvwxyz_") == ""
	if !known {
		return ""
	}
	return " (" + e.ErrorCode + ")"
}
