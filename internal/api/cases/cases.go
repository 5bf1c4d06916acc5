package cases

import (
	"context"
	"net/http"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// Case is a case, as it is shown.
type Case struct {
	ID              int64           `json:"id" doc:"16 digits, the last one a check digit; below 2^53. A small number where the case type says ids: sequential." example:"4539148803436467"`
	Type            string          `json:"type" doc:"The key of its case type." example:"kyc"`
	TypeVersion     int64           `json:"type_version" doc:"The version of the definition that it works by." example:"1"`
	Reference       string          `json:"reference" doc:"For people." example:"KYC-0042"`
	Name            string          `json:"name" doc:"Its own, or made by the template of its type." example:"Acme Corp"`
	Color           *string         `json:"color" doc:"Its own, else its state's, else its type's." example:"blue"`
	State           string          `json:"state" doc:"The key of the state it is in." example:"in_review"`
	StateName       string          `json:"state_name" doc:"The name of that state." example:"In review"`
	Classification  string          `json:"classification" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"Its classification: readers need this clearance, or a higher one." example:"PRIVATE"`
	Data            rest.Object     `json:"data" doc:"Its fields, as its case type defines them." example:"{\"client_name\": \"Acme Corp\"}"`
	Version         int64           `json:"version" doc:"Grows by one with every commit, comments and attachments included." example:"7"`
	Revision        int64           `json:"revision" doc:"Grows with the content alone; the N of the ETag \"rN\" that If-Match takes." example:"5"`
	OutcomeInstance *int64          `json:"outcome_instance" doc:"The number of what it produces; null where its type produces nothing." example:"17"`
	Status          string          `json:"status" enum:"open,closed" doc:"closed in a final state, else open." example:"open"`
	StatusChangedBy *int64          `json:"status_changed_by" doc:"The user who last closed or reopened it; null: nobody, or a program." example:"7"`
	Labels          []string        `json:"labels" doc:"The slugs of its labels, sorted." example:"[\"fast_track\"]"`
	AssignedTo      Holder          `json:"assigned_to" doc:"The user that it is assigned to; null: nobody."`
	Contacts        []CaseContact   `json:"contacts" doc:"The contacts that are linked to it, by role."`
	URL             string          `json:"url" doc:"Where people open it." example:"https://cases.example.com/cases/4539148803436467"`
	CreatedAt       rest.Time       `json:"created_at" doc:"When it was created."`
	ModifiedAt      rest.Time       `json:"modified_at" doc:"When its content last changed."`
	ClosedAt        rest.TimeOrNull `json:"closed_at" doc:"When it was closed; null while it is open."`
	LastActivityAt  rest.Time       `json:"last_activity_at" doc:"When anything last happened to it, comments and attachments included."`
	Transitions     []string        `json:"transitions" doc:"The keys of the transitions that you may submit now, as the case is and without further data. A callback may still refuse them." example:"[\"approve\", \"decline\"]"`

	TransitionsBlocked []BlockedTransition `json:"transitions_blocked" doc:"The other transitions that you may submit from this state: a field that they require is not set, or their precondition is not true. With further data they may be accepted. Transitions that your role may not submit are in neither list."`

	Confirmation *Confirmation `json:"confirmation,omitempty" doc:"What the transition's submitted callback answered; in the answer to a submission alone. A repeated answer lacks it."`
}

// BlockedTransition is a transition that a case is not ready for.
type BlockedTransition struct {
	Key    string         `json:"key" doc:"The key of the transition." example:"submit"`
	Reason string         `json:"reason" doc:"Why it would be refused, for people." example:"\"Submit for review\" needs: E-mail."`
	Fields []BlockedField `json:"fields" doc:"The fields that it is about and that are not set, as far as you may see them."`
}

// BlockedField is a field that blocks a transition.
type BlockedField struct {
	Path    string `json:"path" doc:"JSON Pointer to the field in what is submitted." example:"/data/email"`
	Message string `json:"message" doc:"The fault, as the rest of a sentence." example:"is required to submit \"Submit for review\""`
}

// NewCase is the body that creates a case.
type NewCase struct {
	Transition    string        `json:"transition,omitempty" maxLength:"100" doc:"The transition that creates it; required if the case type has several." example:"create"`
	Data          Data          `json:"data,omitempty" doc:"Its fields." example:"{\"client_name\": \"Acme Corp\"}"`
	Name          rest.Optional `json:"name,omitzero" doc:"A name of its own, instead of the template's."`
	Color         rest.Optional `json:"color,omitzero" doc:"A colour of its own, instead of its state's." example:"teal"`
	IgnoreWarning bool          `json:"ignore_warning,omitempty" doc:"Submit although the callback warns. Errors are never ignored."`
	Summary       string        `json:"summary,omitempty" maxLength:"1024" doc:"What was done, for the history." example:"Called the client"`
	Description   string        `json:"description,omitempty" maxLength:"65536" doc:"More about it, for the history."`
	StartToken    string        `json:"start_token,omitempty" maxLength:"2000" doc:"The token of the start: the submission is refused if it is not from this start, or if the case has changed since."`
}

// CaseTransition is the body that submits a transition.
type CaseTransition struct {
	Data          Data   `json:"data,omitempty" doc:"The fields to set; null clears one. A field whose value is an object or a list is replaced whole: send all of it." example:"{\"decision_reason\": \"All is well.\"}"`
	IgnoreWarning bool   `json:"ignore_warning,omitempty" doc:"Submit although the callback warns. Errors are never ignored."`
	Summary       string `json:"summary,omitempty" maxLength:"1024" doc:"What was done, for the history." example:"Called the client"`
	Description   string `json:"description,omitempty" maxLength:"65536" doc:"More about it, for the history."`
	StartToken    string `json:"start_token,omitempty" maxLength:"2000" doc:"The token of the start: the submission is refused if it is not from this start, or if the case has changed since."`
}

// CaseEdit is the body of a plain edit.
type CaseEdit struct {
	Data          Data          `json:"data,omitempty" doc:"The fields to set; null clears one. A field whose value is an object or a list is replaced whole: send all of it." example:"{\"email\": \"office@acme.example\"}"`
	Name          rest.Optional `json:"name,omitzero" doc:"A name of its own; null goes back to the template's."`
	Color         rest.Optional `json:"color,omitzero" doc:"A colour of its own; null goes back to its state's." example:"teal"`
	IgnoreWarning bool          `json:"ignore_warning,omitempty" doc:"Submit although the callback warns. Errors are never ignored."`
	Summary       string        `json:"summary,omitempty" maxLength:"1024" doc:"What was done, for the history." example:"Called the client"`
	Description   string        `json:"description,omitempty" maxLength:"65536" doc:"More about it, for the history."`
	StartToken    string        `json:"start_token,omitempty" maxLength:"2000" doc:"The token of the start: the submission is refused if it is not from this start, or if the case has changed since."`
}

func casePath(id int64) string { return "/v1/cases/" + strconv.FormatInt(id, 10) }

// shownCase is the answer with a case.
type shownCase struct {
	ETag string `header:"ETag" doc:"The revision of the content, for If-Match." example:"\"r5\""`
	Body rest.Reply[Case]
}

// editedCase is the answer with a case that was edited.
type editedCase struct {
	ETag          string `header:"ETag" doc:"The revision of the content, for If-Match." example:"\"r5\""`
	ClientContext string `header:"Client-Context" doc:"As the request had it, with what callbacks answered."`
	Body          rest.Reply[Case]
}

// submitAnswer is the answer to a POST that changed a case.
type submitAnswer struct {
	Status   int
	ETag     string `header:"ETag" doc:"The revision of the content, for If-Match." example:"\"r5\""`
	Location string `header:"Location" doc:"Where the case is." example:"/v1/cases/4539148803436467"`
	Repeated string `header:"Idempotency-Replayed" doc:"true: this is the answer to an earlier request with the same Idempotency-Key."`

	ClientContext string `header:"Client-Context" doc:"As the request had it, with what callbacks answered."`

	Body rest.Reply[Case]
}

const callbackNote = " The transition's callback is asked first: it may alter the data, refuse with errors or " +
	"warnings (422), or divert the case to another state. When it does not answer as agreed, nothing is saved (502, " +
	"504). A server that was started with --hold asks no callback, and answers 503."

// caseHandler has the operations on cases.
type caseHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h caseHandler) register() {
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.CreateCase,
		Pattern:     "POST /v1/case-types/{key}/cases",
		Tag:         "cases",
		Summary:     "Create a case",
		Description: "Submits a transition that creates a case." + callbackNote,
		Problems:    []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway, http.StatusGatewayTimeout},
		Success:     http.StatusCreated,
	}, h.createCase)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListCases, Pattern: "GET /v1/cases", Tag: "cases",
		Summary: "List cases",
		Description: "The newest first, or as sort says. A page may have fewer than limit, or none, although " +
			"there is a next: where a filter and the order have no index in common, it ends once it has looked at " +
			"10,000 cases.",
		Problems: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, h.listCases)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.CountCases, Pattern: "GET /v1/cases/facets", Tag: "cases",
		Summary: "Count cases",
		Description: "Counts the cases that a list with the same filters has, by type, state, label and assignee. It " +
			"looks at the newest 10,000 cases at most.",
		Problems: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, h.countCases)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetCase, Pattern: "GET /v1/cases/{id}", Tag: "cases",
		Summary:     "Get a case",
		Description: "As you may see it; its ETag is what If-Match takes.",
		Problems:    []int{http.StatusNotFound},
	}, h.getCase)
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.SubmitTransition, Pattern: "POST /v1/cases/{id}/transitions/{transition}", Tag: "cases",
		Summary:     "Submit a transition",
		Description: "Moves the case to the transition's state and sets fields." + callbackNote,
		Problems:    []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway, http.StatusGatewayTimeout},
	}, h.submitTransition)
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.EditCase, Pattern: "PATCH /v1/cases/{id}", Tag: "cases",
		Summary: "Edit a case",
		Description: "Submits the transition that is the plain edit of the case type; where there is none, the " +
			"answer is 403." + callbackNote,
		Problems: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusBadGateway,
			http.StatusGatewayTimeout},
	}, h.editCase)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteCase, Pattern: "DELETE /v1/cases/{id}", Tag: "cases",
		Summary: "Delete a case",
		Description: "Removes the case with its comments, documents and proofs. Its history stays. Its type may ask " +
			"a callback first, which may refuse with errors or warnings (422).",
		Problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity,
			http.StatusBadGateway, http.StatusGatewayTimeout},
	}, h.deleteCase)
	h.registerChanges()
	h.registerRoles()
}

func (h caseHandler) createCase(ctx context.Context, in *struct {
	Key string `path:"key" maxLength:"100" doc:"The key of the case type." example:"kyc"`
	rest.IdempotencyHeader
	ClientContextHeader
}, body NewCase) (*submitAnswer, error) {
	start, err := openStart(h.kernel, body.StartToken)
	if err != nil {
		return nil, err
	}
	return h.submit(ctx, http.StatusCreated, in.IdempotencyHeader, casework.Submission{
		Type: in.Key, Transition: body.Transition, Data: body.Data, Name: body.Name.Pointer(),
		Color:         body.Color.Pointer(),
		IgnoreWarning: body.IgnoreWarning,
		Note:          event.Note{Summary: body.Summary, Description: body.Description},
		Start:         start,
		Context:       in.ClientContext,
	})
}

func (h caseHandler) submitTransition(ctx context.Context, in *struct {
	rest.InCase
	Transition string `path:"transition" maxLength:"100" doc:"The key of the transition." example:"approve"`
	rest.IfMatchHeader
	rest.IdempotencyHeader
	ClientContextHeader
}, body CaseTransition) (*submitAnswer, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	revisions, err := in.Revisions()
	if err != nil {
		return nil, err
	}
	start, err := openStart(h.kernel, body.StartToken)
	if err != nil {
		return nil, err
	}
	return h.submit(ctx, http.StatusOK, in.IdempotencyHeader, casework.Submission{
		CaseID: id, Transition: in.Transition, Data: body.Data, IgnoreWarning: body.IgnoreWarning,
		Note:       event.Note{Summary: body.Summary, Description: body.Description},
		IfRevision: revisions, Start: start, Context: in.ClientContext,
	})
}

func (h caseHandler) submit(ctx context.Context, status int, in rest.IdempotencyHeader,
	s casework.Submission) (*submitAnswer, error) {
	return submit(ctx, status, in, func(o authz.Once) (casework.View, error) {
		return h.service.Submissions.Submit(ctx, rest.PrincipalOf(ctx), s, o)
	})
}

func submit(ctx context.Context, status int, in rest.IdempotencyHeader,
	do func(authz.Once) (casework.View, error)) (*submitAnswer, error) {
	render := func(v casework.View) (store.Answer, error) {
		shown, err := showCase(v)
		if err != nil {
			return store.Answer{}, err
		}
		return rest.Answer(status, shown, "ETag", rest.ETag(v.Revision), "Location", casePath(v.ID))
	}
	var saved casework.View
	got, repeated, err := rest.Once(ctx, in, render, func(once authz.Once) (casework.View, error) {
		var err error
		saved, err = do(once)
		return saved, err
	})
	if err == nil && saved.Confirmation != nil { // it was rendered with the change, before the callback answered
		got, err = render(saved)
	}
	if err != nil {
		return nil, err
	}
	return &submitAnswer{Status: got.Status, ETag: got.Header["ETag"], Location: got.Header["Location"],
		Repeated: repeated, ClientContext: saved.Context, Body: got.Body}, nil
}

func (h caseHandler) editCase(ctx context.Context, in *struct {
	rest.InCase
	rest.IfMatchHeader
	ClientContextHeader
}, body CaseEdit) (*editedCase, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	revisions, err := in.Revisions()
	if err != nil {
		return nil, err
	}
	start, err := openStart(h.kernel, body.StartToken)
	if err != nil {
		return nil, err
	}
	v, err := h.service.Submissions.Submit(ctx, rest.PrincipalOf(ctx), casework.Submission{
		CaseID:        id,
		Edit:          true,
		Start:         start,
		Context:       in.ClientContext,
		Data:          body.Data,
		Name:          body.Name.Pointer(),
		Color:         body.Color.Pointer(),
		IgnoreWarning: body.IgnoreWarning,
		IfRevision:    revisions,
		Note:          event.Note{Summary: body.Summary, Description: body.Description},
	}, authz.Once{})
	edited, err := shown(v, err)
	if err != nil {
		return nil, err
	}
	return &editedCase{edited.ETag, v.Context, edited.Body}, nil
}

func (h caseHandler) getCase(ctx context.Context, in *rest.InCase) (*shownCase, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	return shown(h.service.Cases.Case(ctx, rest.PrincipalOf(ctx), id))
}

func (h caseHandler) deleteCase(ctx context.Context, in *struct {
	rest.InCase
	rest.IfMatchHeader
	IgnoreWarning bool `query:"ignore_warning" doc:"Go on although the callback warns." example:"true"`
}) (*rest.NoContent, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	revisions, err := in.Revisions()
	if err != nil {
		return nil, err
	}
	return &rest.NoContent{}, h.service.Cases.DeleteCase(ctx, rest.PrincipalOf(ctx),
		casework.Deletion{CaseID: id, IfRevision: revisions, IgnoreWarning: in.IgnoreWarning})
}

func shown(v casework.View, err error) (*shownCase, error) {
	if err != nil {
		return nil, err
	}
	c, err := showCase(v)
	if err != nil {
		return nil, err
	}
	body, err := rest.NewReply(c)
	return &shownCase{ETag: rest.ETag(v.Revision), Body: body}, err
}

func showCase(v casework.View) (Case, error) {
	data, err := casetype.Encode(v.Data)
	state, _ := v.Definition.State(v.State)
	c := Case{
		ID:                 v.ID,
		Type:               v.Type,
		TypeVersion:        v.TypeVersion,
		Reference:          v.Reference,
		Name:               v.Name,
		Color:              rest.OrNull(v.EffectiveColor(v.Definition)),
		State:              v.State,
		StateName:          state.Name,
		Classification:     string(v.Classification),
		Data:               data,
		Version:            v.Version,
		Revision:           v.Revision,
		OutcomeInstance:    rest.OrNull(v.OutcomeInstance),
		URL:                v.URL,
		CreatedAt:          rest.Time(v.CreatedAt),
		ModifiedAt:         rest.Time(v.ModifiedAt),
		Status:             v.Status(),
		StatusChangedBy:    rest.OrNull(v.StatusChangedBy),
		Labels:             append([]string{}, v.Labels...),
		AssignedTo:         Holder(v.Assignee),
		Contacts:           showLinks(v.Contacts),
		ClosedAt:           rest.TimeOrNull(v.ClosedAt),
		LastActivityAt:     rest.Time(v.LastActivity.At),
		Transitions:        append([]string{}, v.Transitions...),
		TransitionsBlocked: showBlocked(v.Blocked),
	}
	c.Confirmation = showConfirmation(v.Confirmation)
	return c, err
}

func showBlocked(all []casework.BlockedTransition) []BlockedTransition {
	shown := make([]BlockedTransition, len(all))
	for i, b := range all {
		shown[i] = BlockedTransition{Key: b.Key, Reason: b.Reason, Fields: make([]BlockedField, len(b.Fields))}
		for j, f := range b.Fields {
			shown[i].Fields[j] = BlockedField{Path: f.Path, Message: f.Message}
		}
	}
	return shown
}
