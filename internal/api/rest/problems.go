package rest

import (
	_ "embed"
	"encoding/json"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// problemList has the codes in the server's sources. A test checks and updates it.
//
//go:embed problems.json
var problemList []byte

// Code describes a code of problems.
type Code struct {
	Code     string   `json:"code"`
	Statuses []int    `json:"statuses"`
	Details  []string `json:"details"` // formats of fmt.Sprintf
}

// Codes lists the codes of problems, sorted.
var Codes = sync.OnceValue(func() (all []Code) {
	if err := json.Unmarshal(problemList, &all); err != nil {
		panic("rest: problems.json: " + err.Error())
	}
	return all
})

// ProblemCode is a stable code of a [Problem].
type ProblemCode string

// Schema describes an enumeration of all codes, as a component.
func (ProblemCode) Schema(r huma.Registry) *huma.Schema {
	s := &huma.Schema{
		Type: huma.TypeString,
		Description: "The kind of problem, for programs. Codes never change; a newer version may have further ones, " +
			"so go by the status where you do not know a code.",
		Examples: []any{"case.version_conflict"},
	}
	for _, c := range Codes() {
		s.Enum = append(s.Enum, c.Code)
	}
	return Component(r, "ProblemCode", s)
}
