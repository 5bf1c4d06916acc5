package webhook

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"
)

// ErrUnsubscribe, returned by the function of a Handler, answers 410: Casehook
// disables the endpoint at once, and sends nothing until a user enables it.
var ErrUnsubscribe = errors.New("webhook: unsubscribe the endpoint")

// ErrRejected, returned by the function of a Handler, answers 422: this message is wrong, not the receiver. Casehook
// tries it again all the same, as receivers are repaired while messages wait.
var ErrRejected = errors.New("webhook: this message can't be accepted")

// retryAfter is the error of RetryAfter.
type retryAfter struct {
	wait time.Duration
	err  error
}

// RetryAfter, returned by the function of a Handler, answers 503 and asks Casehook to wait before the next try. Err
// is the reason, and may be nil.
func RetryAfter(wait time.Duration, err error) error { return retryAfter{wait, err} }

func (r retryAfter) Error() string {
	if r.err == nil {
		return "webhook: not now"
	}
	return r.err.Error()
}

func (r retryAfter) Unwrap() error { return r.err }

// Option configures a Handler or a Callback.
type Option func(*handlerConfig)

// Limit sets the limit of a body in bytes; MaxBody is the default.
func Limit(bytes int64) Option { return func(r *handlerConfig) { r.limit = bytes } }

// OnError sets the function that is called with every error, of the handling function and of refused requests. By
// default errors are logged to slog.Default.
func OnError(f func(*http.Request, error)) Option { return func(r *handlerConfig) { r.onError = f } }

// Handler serves an endpoint. It calls handle with each verified webhook; the next one about the same case arrives
// after handle has returned, if the endpoint's order is per-case or strict.
//
// If handle returns nil, the answer is 204, and the message is not sent again, unless the answer is lost. If handle
// fails, the answer is 500, without the error's text, and the message is sent again later; [ErrUnsubscribe],
// [ErrRejected] and [RetryAfter] select other answers. The answer has to arrive within a time limit (15 seconds,
// unless the endpoint's policy sets another), so store the message first and work on it later.
//
// Requests without a valid signature are answered with 401, and not passed to handle.
func Handler(v *Verifier, handle func(context.Context, *Event) error, options ...Option) http.Handler {
	return receivingBy(v, options, func(w http.ResponseWriter, r *http.Request, body []byte) error {
		e, err := Decode(r.Header, body)
		if err == nil {
			err = handle(r.Context(), e)
		}
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	})
}

// handlerConfig is the configuration of a Handler or a Callback.
type handlerConfig struct {
	verifier *Verifier
	serve    func(w http.ResponseWriter, r *http.Request, body []byte) error
	limit    int64
	onError  func(*http.Request, error)
}

func receivingBy(
	v *Verifier, options []Option, serve func(http.ResponseWriter, *http.Request, []byte) error,
) *handlerConfig {
	r := &handlerConfig{verifier: v, serve: serve, limit: MaxBody, onError: logged}
	for _, set := range options {
		set(r)
	}
	return r
}

func logged(r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "webhook not accepted", "webhook-id", r.Header.Get(headerID), "error", err)
}

// ServeHTTP serves one request.
func (h *handlerConfig) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	body, err := h.verifier.read(r, h.limit)
	if err == nil {
		err = h.serve(w, r, body)
	}
	if err != nil {
		h.onError(r, err)
		refuse(w, err)
	}
}

// refuse answers with an error. The sender gets the reason why its request is invalid, but not the error that the
// function returned.
func refuse(w http.ResponseWriter, err error) {
	status, text := statusOf(err), ""
	for _, known := range []error{ErrHeaders, ErrTimestamp, ErrSignature, ErrTooLarge, ErrBody} {
		if errors.Is(err, known) {
			text = known.Error()
		}
	}
	if text == "" {
		text = http.StatusText(status)
	}
	var later retryAfter
	if errors.As(err, &later) {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(later.wait.Seconds())))))
	}
	http.Error(w, text, status)
}

func statusOf(err error) int {
	switch {
	case errors.As(err, new(retryAfter)):
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrUnsubscribe):
		return http.StatusGone
	case errors.Is(err, ErrRejected):
		return http.StatusUnprocessableEntity
	case errors.Is(err, ErrHeaders), errors.Is(err, ErrTimestamp), errors.Is(err, ErrSignature):
		return http.StatusUnauthorized
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrBody):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}
