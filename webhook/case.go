package webhook

// Case is a case as of one version, as in messages of the case_* triggers. A null in the body is empty or zero.
type Case struct {
	ID                int64  `json:"case_id"`
	Reference         string `json:"case_user_readable_id"` // KYC-0042
	Name              string `json:"case_name"`
	URL               string `json:"case_url"`     // at which people open it
	Version           int64  `json:"case_version"` // grows by one with every change
	Color             string `json:"case_color"`
	OutcomeInstanceID int64  `json:"outcome_instance_id"`
	ProcessKey        string `json:"process_key"`
}

func (c Case) about() Case { return c }

// CaseCreated is the payload of case_created.
type CaseCreated struct{ Case }

// CaseChanged is the payload of case_changed: data, name or colour changed, or
// the case was deleted.
type CaseChanged struct {
	Case
	Action string `json:"action"` // updated or deleted
}

// CaseStateChanged is the payload of case_state_changed.
type CaseStateChanged struct {
	Case
	Previous   string `json:"previous_state_key"` // empty: the case was created
	Current    string `json:"current_state_key"`
	Transition string `json:"transition_key"` // empty: none was used
}

// CaseApproved is the payload of case_approved.
type CaseApproved struct{ Case }

// CaseDeclined is the payload of case_declined.
type CaseDeclined struct{ Case }

// CaseFinished is the payload of case_finished.
type CaseFinished struct{ Case }

// CaseComment is the payload of case_comment.
type CaseComment struct{ Case }

// CaseDocumentsUpdated is the payload of case_documents_updated.
type CaseDocumentsUpdated struct {
	Case
	DocumentKeys []string `json:"document_keys"`
	Action       string   `json:"action"` // generated or deleted
}

// CaseProofsUpdated is the payload of case_proofs_updated.
type CaseProofsUpdated struct{ Case }
