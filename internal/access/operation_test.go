package access_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
)

// tenantless are the operations outside of tenants, which have no least role.
var tenantless = []access.Operation{
	access.BeginOIDC, access.FinishOIDC, access.CreateSession, access.CreateTenant, access.ListTenants, access.UpdateTenant,
	access.CreateAdministrator, access.GetHealth, access.GetReadiness,
}

// Constants of the type Operation have unique names, and a least role unless they are outside of tenants.
func TestEachOperationIsDeclaredOnceWithItsLeastRole(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "operation.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []access.Operation
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Operation" {
			name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, access.Operation(name))
		}
		return true
	})
	slices.Sort(declared)
	if distinct := slices.Compact(slices.Clone(declared)); len(distinct) != len(declared) {
		t.Error("two operations have one name")
	}
	want := slices.Sorted(slices.Values(append(access.Operations(), tenantless...)))
	if !slices.Equal(declared, want) {
		t.Errorf("declared are\n%v, but with a least role or outside of any tenant\n%v", declared, want)
	}
}

func TestTheRolesThatAnOperationNeedsAreListed(t *testing.T) {
	for _, test := range []struct {
		among [][]string
		want  string
	}{
		{nil, "caseworker manager admin"}, {[][]string{nil, nil}, "caseworker manager admin"},
		{[][]string{{"manager"}, nil}, "manager admin"}, {[][]string{{}}, "admin"},
		{[][]string{nil, {"clerk", "manager", "officer"}, {"manager", "officer", "clerk"}}, "clerk officer manager admin"},
		{[][]string{{"clerk"}, {"officer", "clerk", "viewer"}}, "clerk admin"}, {[][]string{{"clerk"}, {"officer"}}, "admin"},
	} {
		if got := strings.Join(access.Permitted(access.EditCase, test.among...), " "); got != test.want {
			t.Errorf("of %v: %s, want %s", test.among, got, test.want)
		}
	}
}
