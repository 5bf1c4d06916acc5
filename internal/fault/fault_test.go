package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/fault"
)

func TestIsMatchesTheKindThroughWrapping(t *testing.T) {
	err := fmt.Errorf("loading: %w", fault.New(fault.NotFound, "case.not_found", "No case %d.", 7))
	if !errors.Is(err, fault.NotFound) {
		t.Error("a wrapped not-found fault does not match fault.NotFound")
	}
	if errors.Is(err, fault.Conflict) {
		t.Error("a not-found fault matches fault.Conflict")
	}
}

func TestAsHidesForeignErrors(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.7: password=hunter2")
	e := fault.As(cause)
	if e.Kind != fault.Internal || strings.Contains(e.Detail, "hunter2") {
		t.Errorf("As(foreign) = %v %q, want an internal fault that shows nothing", e.Kind, e.Detail)
	}
	if !errors.Is(e, cause) {
		t.Error("As dropped the cause, which the log needs")
	}
}

func TestErrorNamesEveryField(t *testing.T) {
	err := fault.In("case.data_invalid", "The data does not fit.",
		fault.Field{Path: "/data/a", Message: "unknown"}, fault.Field{Path: "/data/b", Message: "not a string"})
	for _, want := range []string{"/data/a: unknown", "/data/b: not a string"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

// The log has the cause, which errors.Is finds.
func TestErrorEndsInItsCause(t *testing.T) {
	cause := errors.New("disk full")
	err := fault.Wrap(cause, fault.Unavailable, "store.full", "Nothing can be saved on %s.", "disk 1")
	if want := "store.full: Nothing can be saved on disk 1.: disk full"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if !errors.Is(err, cause) || !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v is neither its cause nor of its kind", err)
	}
	if want := "store.full: Full."; fault.New(fault.Unavailable, "store.full", "Full.").Error() != want {
		t.Errorf("without a cause it is not %q", want)
	}
}

func TestEveryKindHasAName(t *testing.T) {
	for k := fault.Internal; k <= fault.UpstreamTimeout; k++ {
		if k.Error() == "" {
			t.Errorf("kind %d has no name", k)
		}
	}
}
