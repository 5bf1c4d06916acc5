package event

// Contacts are linked to a case in roles; each link is made and undone by itself.
var (
	CaseContactLinked   = define[CaseContact](66, "case.contact_linked", "A contact was linked to a case.")
	CaseContactUnlinked = define[CaseContact](67, "case.contact_unlinked",
		"A contact is no longer linked to a case in a role.")
)

// CaseContact is the link of a contact to a case in a role.
type CaseContact struct {
	ContactID int64  `json:"contact_id"`
	Role      string `json:"role"` // a slug: "claimant"
}
