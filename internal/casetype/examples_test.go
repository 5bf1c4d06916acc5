package casetype_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

func TestTheSchemaOfDefinitionsNamesTheDialectsOfPatterns(t *testing.T) {
	for _, text := range []string{"those of ECMA-262", "one of RE2"} {
		if !strings.Contains(string(casetype.Schema()), text) {
			t.Errorf("it does not say %q", text)
		}
	}
}

func example(t testing.TB, name string) *casetype.Type {
	t.Helper()
	file := filepath.Join("../../examples", name)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ct, err := casetype.Parse("examples/"+name, source)
	if err != nil {
		t.Fatalf("faults in %s:\n%v", name, err)
	}
	return ct
}

func TestTheExamplesHaveNoFaults(t *testing.T) {
	for _, name := range []string{
		"kyc.yaml", "leave.yaml", "permit.yaml", "claims/motor.yaml", "claims/property.yaml", "claims/travel.yaml",
	} {
		ct := example(t, name)
		again, err := casetype.Load(ct.JSON())
		if err != nil {
			t.Fatalf("%s: the stored form has faults: %v", name, err)
		}
		if string(again.JSON()) != string(ct.JSON()) {
			t.Errorf("%s: the stored form is not stable:\n%s\n%s", name, ct.JSON(), again.JSON())
		}
	}
}

func TestExamplesAreListedByTheFieldsThatTheDocumentationNames(t *testing.T) {
	kyc := example(t, "kyc.yaml")
	ranges, wrong := kyc.Ranges([]casetype.Condition{
		{Field: "country", Operator: "=", Value: "CH"},
		{Field: "expected_turnover", Operator: ">=", Value: "100000"},
	}, casetype.Public)
	if len(wrong) > 0 || len(ranges) != 2 || !kyc.IsIndexed("expected_turnover", casetype.Public) {
		t.Errorf("the ranges are %+v; refused: %+v", ranges, wrong)
	}
}
