package access_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/casehook/casehook/internal/access"
)

// beside are the operations outside of any tenant, which have no least role.
var beside = []access.Operation{
	access.BeginOIDC, access.FinishOIDC, access.CreateSession, access.CreateTenant, access.ListTenants, access.UpdateTenant,
	access.CreateAdministrator, access.GetHealth, access.GetReadiness,
}

// Every constant of the type Operation has another name, and a least role unless it is
// outside of any tenant.
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
	want := slices.Sorted(slices.Values(append(access.Operations(), beside...)))
	if !slices.Equal(declared, want) {
		t.Errorf("declared are\n%v, but with a least role or outside of any tenant\n%v", declared, want)
	}
}
