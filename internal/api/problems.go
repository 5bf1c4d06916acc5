package api

import (
	_ "embed"
	"encoding/json"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// problemList has the codes that the server's sources name. A test makes it of them.
//
//go:embed problems.json
var problemList []byte

// codeDoc describes a code of problems.
type codeDoc struct {
	Code     string   `json:"code"`
	Statuses []int    `json:"statuses"`
	Details  []string `json:"details"` // as fmt.Sprintf takes them
}

// codes lists the codes of problems, in their order.
var codes = sync.OnceValue(func() (all []codeDoc) {
	if err := json.Unmarshal(problemList, &all); err != nil {
		panic("api: problems.json: " + err.Error())
	}
	return all
})

// ProblemCode is a stable code of a [Problem].
type ProblemCode string

// Schema is that of a list of all codes, as a component.
func (ProblemCode) Schema(r huma.Registry) *huma.Schema {
	s := &huma.Schema{
		Type: huma.TypeString,
		Description: "What went wrong, for programs. Codes never change; a newer version may have further ones, " +
			"so go by the status where you do not know a code.",
		Examples: []any{"case.version_conflict"},
	}
	for _, c := range codes() {
		s.Enum = append(s.Enum, c.Code)
	}
	return component(r, "ProblemCode", s)
}

// component adds a schema to those that the document has by name, and refers to it.
func component(r huma.Registry, name string, s *huma.Schema) *huma.Schema {
	s.PrecomputeMessages()
	r.Map()[name] = s
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}
