package cases

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/definitions"
)

// CaseTypeSummary is a case type in a list.
type CaseTypeSummary struct {
	Key       string          `json:"key" doc:"Its key." example:"kyc"`
	Name      string          `json:"name" doc:"Its name." example:"KYC review"`
	Kind      casetype.Kind   `json:"kind" enum:"case,claim" doc:"Whether its cases are claims." example:"case"`
	Version   int64           `json:"version" doc:"Of the definition." example:"3"`
	CreatedAt rest.Time       `json:"created_at" doc:"When this version was put."`
	RetiredAt rest.TimeOrNull `json:"retired_at" doc:"When the type was retired: no new cases are made of it, whatever its version; null: it was not."`
}

// CaseType is one version of a case type.
type CaseType struct {
	CaseTypeSummary
	Definition Definition `json:"definition" doc:"With the defaults filled in, and without what speaks of fields above your clearance."`
}

// PutCaseType is the answer to the PUT of a case type.
type PutCaseType struct {
	CaseType
	Unchanged       bool              `json:"unchanged" doc:"The definition is that of the version before; no new one was made."`
	CallbackSecrets map[string]string `json:"callback_secrets" doc:"By callback: the secrets that sign what the callbacks are asked, as far as they are new. The key is that of the transition, of an operation such as @delete, or with callback_secret: type @type for all of them. They are shown this once."`

	Warnings []DefinitionWarning `json:"warnings" doc:"Doubtful parts of the definition: states that no case reaches or leaves, conditions on fields that may be absent, variables that are not set."`
}

// DefinitionWarning is a warning about a place in a definition.
type DefinitionWarning struct {
	Path    string `json:"path" doc:"JSON Pointer into the definition." example:"/states/3"`
	Message string `json:"message" doc:"The doubt, with the line." example:"line 41: is a state that no transition leads out of, and is not final: write final: true if cases end here"`
}

type InCaseType struct {
	Key string `path:"key" maxLength:"100" doc:"The key of the case type." example:"kyc"`
}

const yamlType = "application/yaml"

// dialects describes the syntax of patterns in a definition.
const dialects = "Patterns in the schema of its fields are those of ECMA-262, without lookarounds and " +
	"backreferences; matches() in its preconditions takes patterns of RE2."

// definitionTypes are the content types of a definition.
func definitionTypes() []string {
	return []string{yamlType, "application/json", "application/x-yaml", "text/yaml"}
}

// caseTypeHandler has the operations on case types.
type caseTypeHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h caseTypeHandler) register() {
	type out struct {
		Status int
		Body   rest.Reply[PutCaseType]
	}
	op := rest.Handle(h.kernel, rest.Operation{
		ID: access.PutCaseType, Pattern: "PUT /v1/case-types/{key}", Tag: "case types",
		Summary: "Put a case type",
		Description: "Takes a definition in YAML or JSON. A definition that says something new makes a new version " +
			"(201 for the first one); cases stay with the version they were made by, and ask callbacks by the newest " +
			"version's settings. A wrong definition is refused with every fault listed, by line and path. " + dialects,
		Problems: []int{http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
			http.StatusUnprocessableEntity},
	}, func(ctx context.Context, in *struct {
		InCaseType
		File string `query:"file" maxLength:"200" doc:"The name of the file, for the messages of faults." example:"kyc.yaml"`
	}) (*out, error) {
		put, err := h.putCaseType(ctx, in.Key, in.File)
		if err != nil {
			return nil, err
		}
		code := http.StatusOK
		if put.Version == 1 && !put.Unchanged {
			code = http.StatusCreated
		}
		body, err := rest.NewReply(showPut(put))
		return &out{Status: code, Body: body}, err
	})
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	for _, t := range definitionTypes() {
		op.RequestBody.Content[t] = &huma.MediaType{Schema: Definition(nil).
			Schema(h.kernel.OpenAPI().Components.Schemas)}
	}
	op.Responses["201"] = &huma.Response{Description: "The first version of a new case type.",
		Content: op.Responses["200"].Content}
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetCaseType, Pattern: "GET /v1/case-types/{key}", Tag: "case types",
		Summary: "Get a case type",
		Description: "Its newest version, or another one, as you may see it: without " +
			"what is above your clearance.",
		Problems: []int{http.StatusNotFound},
	}, h.getCaseType)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListCaseTypes, Pattern: "GET /v1/case-types", Tag: "case types",
		Summary:     "List the case types",
		Description: "The newest version of each, by key.",
	}, h.listCaseTypes)
	h.registerOpenAPI()
}

func (h caseTypeHandler) putCaseType(ctx context.Context, key, file string) (casework.PutType, error) {
	x := rest.ExchangeOf(ctx)
	if err := x.CheckContentType(definitionTypes()...); err != nil {
		return casework.PutType{}, err
	}
	source, err := h.kernel.ReadBody(x)
	if err != nil {
		return casework.PutType{}, err
	}
	return h.service.CaseTypes.PutCaseType(ctx, rest.PrincipalOf(ctx), key, file, source)
}

type shownCaseType struct{ Body rest.Reply[CaseType] }

func (h caseTypeHandler) getCaseType(ctx context.Context, in *struct {
	InCaseType
	Version int64 `query:"version" minimum:"1" doc:"The version; absent: the newest." example:"2"`
}) (*shownCaseType, error) {
	t, err := h.service.CaseTypes.CaseType(ctx, rest.PrincipalOf(ctx), in.Key, in.Version)
	if err != nil {
		return nil, err
	}
	body, err := rest.NewReply(showCaseType(t, rest.PrincipalOf(ctx).Sight()))
	return &shownCaseType{body}, err
}

func (h caseTypeHandler) listCaseTypes(
	ctx context.Context, in *rest.InList,
) (*rest.PageAnswer[CaseTypeSummary], error) {
	all, err := h.service.CaseTypes.CaseTypes(ctx, rest.PrincipalOf(ctx))
	if err != nil {
		return nil, err
	}
	return rest.PageBehind(rest.NewPager(h.kernel, "case-types", summarise,
		func(t definitions.TypeSummary) string { return t.Key }), in.Cursor, all)
}

func summarise(t definitions.TypeSummary) CaseTypeSummary {
	return CaseTypeSummary{
		Key: t.Key, Name: t.Name, Kind: t.Kind, Version: t.Version,
		CreatedAt: rest.Time(t.CreatedAt), RetiredAt: rest.TimeOrNull(t.RetiredAt),
	}
}

func showCaseType(t definitions.TypeVersion, clearance casetype.Classification) CaseType {
	return CaseType{CaseTypeSummary: summarise(t.Summary()), Definition: t.Type.JSONFor(clearance)}
}

func showPut(t casework.PutType) PutCaseType {
	out := PutCaseType{
		CaseType:  showCaseType(t.TypeVersion, casetype.Restricted.WithAllRoles()),
		Unchanged: t.Unchanged, CallbackSecrets: t.Secrets,
	}
	out.Warnings = make([]DefinitionWarning, len(t.Warnings))
	for i, w := range t.Warnings {
		out.Warnings[i] = DefinitionWarning{Path: w.Path, Message: w.Message}
	}
	if out.CallbackSecrets == nil {
		out.CallbackSecrets = map[string]string{}
	}
	return out
}
