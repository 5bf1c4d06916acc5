package casetype

import "github.com/casehook/casehook/internal/schema"

// StepsOf returns the steps that it takes to check a definition.
func StepsOf(source []byte) int {
	budget := schema.NewBudget(nil, 1<<40)
	if _, _, err := read(source, checker{budget: budget}); err != nil {
		panic(err) // the budget has no end
	}
	return budget.Used()
}
