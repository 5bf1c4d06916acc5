package schema_test

import (
	"context"
	"errors"
	"testing"

	"github.com/casehook/casehook/internal/schema"
)

func TestABudgetEndsWithItsLastStep(t *testing.T) {
	b := schema.NewBudget(t.Context(), 10)
	for _, steps := range []int{4, 6, 0} {
		if err := b.Spend(steps); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := b.Spend(1); !errors.Is(err, schema.ErrSpent) {
			t.Errorf("an eleventh step: %v", err)
		}
	}
	if err := b.Spend(0); !errors.Is(err, schema.ErrSpent) {
		t.Errorf("it goes on after it has ended: %v", err)
	}
	if b.Used() != 10 {
		t.Errorf("%d steps were taken", b.Used())
	}
}

func TestWorkThatIsTooMuchAtOnceIsNotBegun(t *testing.T) {
	if err := schema.NewBudget(nil, 10).Spend(11); !errors.Is(err, schema.ErrSpent) {
		t.Error(err)
	}
	if err := schema.NewBudget(nil, 10).Spend(-1); !errors.Is(err, schema.ErrSpent) {
		t.Error("a count that overflowed was accepted:", err)
	}
}

func TestABudgetEndsSoonAfterItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := schema.NewBudget(ctx, 1<<40)
	for range 1000 {
		if err := b.Spend(1); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	var err error
	for err == nil && b.Used() <= 10_000 {
		err = b.Spend(1)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v after %d steps", err, b.Used())
	}
}

func TestNoBudgetIsUnlimited(t *testing.T) {
	var b *schema.Budget
	if err := b.Spend(1 << 60); err != nil {
		t.Error(err)
	}
}
