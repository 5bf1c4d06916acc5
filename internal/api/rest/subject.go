package rest

import (
	"strconv"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
)

// InCase is embedded in the parameters of operations on one case.
type InCase struct {
	ID string `path:"id" number:"id" maxLength:"40" doc:"The id of the case." example:"4539148803436467"`
}

// CaseID parses the id. It refuses one that no case can have, before any look-up.
func (in InCase) CaseID() (int64, error) {
	n, ok := parseID(in.ID, id.ValidCase)
	if !ok {
		return 0, fault.New(fault.NotFound, "case.not_found",
			"There is no case %q. The id of a case has 16 digits, of which the last is a check digit, or is a small "+
				"number.", in.ID)
	}
	return n, nil
}

// InContact is embedded in the parameters of operations on one contact.
type InContact struct {
	ID string `path:"id" number:"id" maxLength:"40" doc:"The id of the contact." example:"4539148803436467"`
}

// ContactID parses the id. It refuses one that no contact can have, before any look-up.
func (in InContact) ContactID() (int64, error) { return ContactID(in.ID) }

// ContactID parses the id of a contact.
func ContactID(text string) (int64, error) {
	n, ok := parseID(text, id.ValidContact)
	if !ok {
		return 0, fault.New(fault.NotFound, "contact.not_found",
			"There is no contact %q. The id of a contact has 16 digits, of which the last is a check digit, or is a "+
				"small number.", text)
	}
	return n, nil
}

// parseID parses an id in the form in which it is shown.
func parseID(text string, valid func(int64) bool) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && valid(n) && strconv.FormatInt(n, 10) == text
}
