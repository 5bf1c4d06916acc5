package people

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// maxReach bounds each list of the addresses and variables that a tenant may use.
const maxReach = 100

var variablePattern = regexp.MustCompile(`^[A-Z0-9_]{1,100}$`)

// reach sets the changed parts of a tenant's reach, and returns their faults.
func (c TenantChange) reach(r *store.Reach) (wrong []fault.Field) {
	set := func(path string, to *[]string, texts *[]string, parse func(string) (string, error)) {
		if texts == nil {
			return
		}
		*to = nil
		if len(*texts) > maxReach {
			wrong = append(wrong, fault.Field{Path: path, Message: fmt.Sprintf("lists more than %d", maxReach)})
			return
		}
		for i, text := range *texts {
			canonical, err := parse(text)
			if err != nil {
				wrong = append(wrong, fault.Field{Path: path + "/" + strconv.Itoa(i), Message: err.Error()})
			}
			*to = append(*to, canonical)
		}
		*to = slices.Compact(slices.Sorted(slices.Values(*to)))
	}
	set("/variables", &r.Variables, c.Variables, func(text string) (string, error) {
		name := strings.TrimPrefix(text, casetype.VariablePrefix)
		if !variablePattern.MatchString(name) {
			return "", fmt.Errorf("is not the name of a variable, such as ORDERS_URL for %sORDERS_URL",
				casetype.VariablePrefix)
		}
		return name, nil
	})
	set("/allow_addresses", &r.Allow, c.Allow, func(text string) (string, error) {
		a, err := outbound.ParseAllowed(text)
		return a.String(), err
	})
	return wrong
}

// Variables returns the lookup of the variables that a tenant's callbacks may name: those that the operator has
// granted to it, or all for the first tenant.
func (s *Tenants) Variables(ctx context.Context, tenant int64) (func(name string) (string, bool), error) {
	t, err := s.store.Tenant(ctx, tenant)
	return func(name string) (string, bool) {
		if t.Key != DefaultTenant && !slices.Contains(t.Variables, strings.TrimPrefix(name, casetype.VariablePrefix)) {
			return "", false
		}
		return s.variable(name)
	}, err
}
