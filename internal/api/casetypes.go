package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
)

// CaseTypeSummary is a case type in a list.
type CaseTypeSummary struct {
	Key       string        `json:"key" doc:"Its key." example:"kyc"`
	Name      string        `json:"name" doc:"Its name." example:"KYC review"`
	Kind      casetype.Kind `json:"kind" enum:"case,claim" doc:"Whether its cases are claims." example:"case"`
	Version   int64         `json:"version" doc:"Of the definition." example:"3"`
	CreatedAt Time          `json:"created_at" doc:"When this version was put."`
	RetiredAt TimeOrNull    `json:"retired_at" doc:"When the type was retired: no new cases are made of it, whatever its version; null: it was not."`
}

// CaseType is one version of a case type.
type CaseType struct {
	CaseTypeSummary
	Definition Definition `json:"definition" doc:"With the defaults filled in, and without what speaks of fields above your clearance."`
}

// PutCaseType is a case type that was just put.
type PutCaseType struct {
	CaseType
	Unchanged       bool              `json:"unchanged" doc:"The definition is that of the version before; no new one was made."`
	CallbackSecrets map[string]string `json:"callback_secrets" doc:"By callback: the secrets that sign what the callbacks are asked, as far as they are new. The key is that of the transition, @switch, @delete, or with callback_secret: type @type for all of them. They are shown this once."`

	Warnings []DefinitionWarning `json:"warnings" doc:"What the definition may say and hardly means: states that nobody reaches or leaves, conditions on fields that may be absent, variables that are not set."`
}

// DefinitionWarning is about a place in a definition.
type DefinitionWarning struct {
	Path    string `json:"path" doc:"JSON Pointer into the definition." example:"/states/3"`
	Message string `json:"message" doc:"What is doubtful there, with its line." example:"line 41: is a state that no transition leads out of, and is not final: write final: true if cases end here"`
}

type InCaseType struct {
	Key string `path:"key" maxLength:"100" doc:"The key of the case type." example:"kyc"`
}

const yamlType = "application/yaml"

// dialects says how patterns in a definition are written.
const dialects = "Patterns in the schema of its fields are those of ECMA-262, without lookarounds and backreferences; " +
	"matches() in its preconditions takes patterns of RE2."

// definitionTypes are the content types of a definition.
func definitionTypes() []string {
	return []string{yamlType, "application/json", "application/x-yaml", "text/yaml"}
}

func (a *API) caseTypes() {
	type out struct {
		Status int
		Body   reply[PutCaseType]
	}
	op := handle(a, operation("put-case-type", http.MethodPut, "/v1/case-types/{key}", "case types", "Put a case type",
		"Takes a definition in YAML or JSON. A definition that says something new makes a new version (201 for the "+
			"first one); cases stay with the version they were made by, and ask callbacks by the "+
			"newest version's settings. "+
			"A wrong definition is refused with every fault listed, by line and path. "+dialects,
		http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity),
		func(ctx context.Context, in *struct {
			InCaseType
			File string `query:"file" maxLength:"200" doc:"The name of the file, for the messages of faults." example:"kyc.yaml"`
		}) (*out, error) {
			put, err := a.putCaseType(ctx, in.Key, in.File)
			if err != nil {
				return nil, err
			}
			code := http.StatusOK
			if put.Version == 1 && !put.Unchanged {
				code = http.StatusCreated
			}
			body, err := replyOf(showPut(put))
			return &out{Status: code, Body: body}, err
		})
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	for _, t := range definitionTypes() {
		op.RequestBody.Content[t] = &huma.MediaType{Schema: Definition(nil).Schema(a.huma.OpenAPI().Components.Schemas)}
	}
	op.Responses["201"] = &huma.Response{Description: "The first version of a new case type.", Content: op.Responses["200"].Content}
	handle(a, operation("get-case-type", http.MethodGet, "/v1/case-types/{key}", "case types", "Get a case type",
		"Its newest version, or another one, as you may see it: without "+
			"what is above your clearance.", http.StatusNotFound), a.getCaseType)
	handle(a, operation("list-case-types", http.MethodGet, "/v1/case-types", "case types", "List the case types", "The newest version of each, by key."), a.listCaseTypes)
	a.typedDocuments()
	a.callbackSecrets()
}

func (a *API) putCaseType(ctx context.Context, key, file string) (casework.TypeVersion, error) {
	x := exchangeOf(ctx)
	if err := x.contentType(definitionTypes()...); err != nil {
		return casework.TypeVersion{}, err
	}
	source, err := a.read(x)
	if err != nil {
		return casework.TypeVersion{}, err
	}
	return a.service.PutCaseType(ctx, principalOf(ctx), key, file, source)
}

type shownCaseType struct{ Body reply[CaseType] }

func (a *API) getCaseType(ctx context.Context, in *struct {
	InCaseType
	Version int64 `query:"version" minimum:"1" doc:"Which version; absent: the newest." example:"2"`
}) (*shownCaseType, error) {
	t, err := a.service.CaseType(ctx, principalOf(ctx), in.Key, in.Version)
	if err != nil {
		return nil, err
	}
	body, err := replyOf(showCaseType(t, principalOf(ctx).Clearance))
	return &shownCaseType{body}, err
}

func (a *API) listCaseTypes(ctx context.Context, in *InList) (*listed[CaseTypeSummary], error) {
	all, err := a.service.CaseTypes(ctx, principalOf(ctx))
	if err != nil {
		return nil, err
	}
	return ordered(a, "case-types", *in, all, summarise, func(t casework.TypeSummary) string { return t.Key })
}

func summarise(t casework.TypeSummary) CaseTypeSummary {
	return CaseTypeSummary{
		Key: t.Key, Name: t.Name, Kind: t.Kind, Version: t.Version,
		CreatedAt: Time(t.CreatedAt), RetiredAt: TimeOrNull(t.RetiredAt),
	}
}

func showCaseType(t casework.TypeVersion, clearance casetype.Classification) CaseType {
	return CaseType{CaseTypeSummary: summarise(t.Summary()), Definition: t.JSONFor(clearance)}
}

func showPut(t casework.TypeVersion) PutCaseType {
	out := PutCaseType{CaseType: showCaseType(t, casetype.Restricted), Unchanged: t.Unchanged, CallbackSecrets: t.Secrets}
	out.Warnings = make([]DefinitionWarning, len(t.Warnings))
	for i, w := range t.Warnings {
		out.Warnings[i] = DefinitionWarning{Path: w.Path, Message: w.Message}
	}
	if out.CallbackSecrets == nil {
		out.CallbackSecrets = map[string]string{}
	}
	return out
}
