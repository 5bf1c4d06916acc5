package casetype

import (
	"context"
	"errors"
	"fmt"

	"github.com/casehook/casehook/internal/schema"
)

// The bounds of the work for one request, in steps of about 100 ns.
const (
	maxDataSteps       = 10_000_000 // for data: a second
	maxDefinitionSteps = 10_000_000 // for a definition, and
	stepsPerByte       = 4          // for each byte of its source
)

// stepsFor returns the bound of the work for a definition.
func stepsFor(source []byte) int { return maxDefinitionSteps + stepsPerByte*len(source) }

// Budget returns the budget for validating the data of one request. It ends with the request's context,
// too.
func Budget(ctx context.Context) *schema.Budget { return schema.NewBudget(ctx, maxDataSteps) }

// tooCostly describes a value that takes too many steps.
func tooCostly(steps int) string {
	return fmt.Sprintf("costs too much to check: after %d steps it was not done. Send less, or simplify the schema",
		steps)
}

// stopped splits the error that ended a validation: a spent budget is a fault of the data at path, anything else is
// an error.
func stopped(err error) (path []string, spent bool, other error) {
	var at *schema.StopError
	if errors.As(err, &at) && errors.Is(err, schema.ErrSpent) {
		return at.Path, true, nil
	}
	return nil, errors.Is(err, schema.ErrSpent), err
}
