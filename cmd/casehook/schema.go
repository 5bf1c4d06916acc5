package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/schemas"
)

type schemaCmd struct {
	Name string `arg:"" help:"case-type or apply."`
}

// Help is shown below the command's summary.
func (schemaCmd) Help() string {
	return `Editors check a file by its JSON Schema while it is written, and suggest its keys. case-type is the schema
of definitions, apply that of the file of casehook apply. A server has the same at /schemas/case-type.json and
/schemas/apply.json. An editor with the YAML language server is told by the first line of a file:

  # yaml-language-server: $schema=http://localhost:8080/schemas/case-type.json

Without a server, keep a copy, and name that:

  casehook schema case-type > case-type.schema.json`
}

// Validate checks the name.
func (c *schemaCmd) Validate() error {
	if !slices.Contains(schemas.Names(), c.Name) {
		return fmt.Errorf("there is no schema %q; write one of %s", c.Name, strings.Join(schemas.Names(), ", "))
	}
	return nil
}

func (c *schemaCmd) Run(s stdio) error {
	_, err := s.out.Write(schemas.Of(c.Name))
	return err
}
