package hooks

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/hooks"
)

// FilterPreview has the results of a filter for recent messages.
type FilterPreview struct {
	Entries  int            `json:"entries" doc:"How many entries of the journal that you may see were looked at." example:"50"`
	Matched  int            `json:"matched" doc:"How many messages meet the filter." example:"2"`
	Failed   int            `json:"failed" doc:"The number of messages for which it can't be computed; for an endpoint they would be dead." example:"1"`
	Messages []FilterResult `json:"messages" doc:"The messages, those of the newest entry first."`
}

// FilterResult is the result of a filter for one message.
type FilterResult struct {
	ID        string    `json:"id" doc:"The webhook-id." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Trigger   string    `json:"trigger" doc:"Its trigger." example:"case_created"`
	Subject   string    `json:"subject" doc:"Its subject." example:"case/4539148803436467"`
	Sequence  int64     `json:"sequence" doc:"The version of the subject." example:"7"`
	Timestamp rest.Time `json:"timestamp" doc:"When it was committed."`
	Outcome   string    `json:"outcome" enum:"matched,unmatched,failed" doc:"Whether it meets the filter, or why that can't be said." example:"matched"`
	Reason    *string   `json:"reason" doc:"Why the filter can't be computed; null: it can." example:"no such key: amount"`
}

// InFilterPreview has the parameters of a preview.
type InFilterPreview struct {
	Filter   string   `query:"filter" maxLength:"4000" doc:"The filter, a condition in CEL whose matches() takes patterns of RE2; absent: that of the endpoint." example:"case.type == 'kyc' && case.state != 'draft'"`
	Endpoint string   `query:"endpoint" maxLength:"100" doc:"The id of an endpoint, whose triggers, sources and clearance count then." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Triggers []string `query:"triggers" maxItems:"100" doc:"The triggers, separated by commas; * stands for any characters. Absent: all." example:"[\"case_*\"]"`
	Sources  []string `query:"sources" enum:"api,ui" maxItems:"2" doc:"The activity to select: of programs (api), of people in the console (ui). Absent: both." example:"[\"ui\"]"`
	Entries  int      `query:"entries" minimum:"1" maximum:"200" default:"50" doc:"How many of the journal's newest entries to look at." example:"50"`
}

type shownPreview struct{ Body FilterPreview }

// filterHandler has the operation that previews filters.
type filterHandler struct{ service hooks.Services }

func (h filterHandler) register(k *rest.Kernel) {
	rest.Handle(k, rest.Operation{
		ID:      access.PreviewFilter,
		Weight:  4,
		Pattern: "GET /v1/filter-preview",
		Tag:     "endpoints",
		Summary: "Preview a filter",
		Description: "Evaluates a filter for recent messages, before an endpoint gets it. Nothing is sent or saved. " +
			"It sees what you may see, or what the endpoint receives if that is less.",
		Problems: []int{http.StatusNotFound},
	}, h.previewFilter)
}

func (h filterHandler) previewFilter(ctx context.Context, in *InFilterPreview) (*shownPreview, error) {
	selection := hooks.JournalSelection{Endpoint: in.Endpoint, Triggers: in.Triggers, Sources: in.Sources}
	judged, looked, err := h.service.Journal.PreviewFilter(ctx, rest.PrincipalOf(ctx), in.Filter, selection, in.Entries)
	if err != nil {
		return nil, err
	}
	p := FilterPreview{Entries: looked, Messages: []FilterResult{}}
	for _, j := range judged {
		m := FilterResult{
			ID: j.Message, Trigger: j.Trigger, Subject: j.Subject, Sequence: j.Version,
			Timestamp: rest.Time(j.At), Outcome: "unmatched",
		}
		switch {
		case j.Err != nil:
			m.Outcome, m.Reason = "failed", rest.OrNull(j.Err.Error())
			p.Failed++
		case j.Passes:
			m.Outcome = "matched"
			p.Matched++
		}
		p.Messages = append(p.Messages, m)
	}
	return &shownPreview{p}, nil
}
