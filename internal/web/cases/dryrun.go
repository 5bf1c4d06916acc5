package cases

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// dryRunPage is the page on which a submission is tried out.
type dryRunPage struct {
	Case, Transition, Data, URL string
	Key                         string // of the callback whose place the URL takes
	IgnoreWarning               bool
	Faults                      []ui.Fault
	Result                      *dryRunOutcome // nil: nothing was tried out yet
}

// dryRunOutcome is what would come of a submission.
type dryRunOutcome struct {
	Sentence, Color  string
	Errors, Warnings []string
	Faults           []ui.Fault
	Asked            []dryRunQuestion
	NotAsked         []casework.NotAsked
	Saved            []diffLine // what would be saved
	SavedMore        int
	Skipped          bool // a callback was not asked, since the case type says so
}

// dryRunQuestion is a question that was asked in a dry run, with its answer.
type dryRunQuestion struct {
	questionRow
	Changes []diffLine
	More    int
	Answer  string
}

func (h handler) showDryRun(_ context.Context, r *ui.Request) (ui.View, error) {
	return dryRunView(dryRunPage{
		Case: r.Query("case"), Transition: r.Query("transition"), URL: r.Query("callback"),
		Key: r.Query("callback_key"),
	}), nil
}

func dryRunView(page dryRunPage) ui.View {
	return ui.View{
		Title: "Try out a submission", Section: "/questions", Body: dryRunTemplate(page), Call: "POST /v1/dry-runs",
	}
}

func (h handler) dryRun(ctx context.Context, r *ui.Request) (ui.View, error) {
	page := dryRunPage{
		Case: strings.TrimSpace(r.Form("case")), Transition: strings.TrimSpace(r.Form("transition")),
		Data: r.Form("data"), URL: strings.TrimSpace(r.Form("callback")),
		Key: strings.TrimSpace(r.Form("callback_key")), IgnoreWarning: r.Form("ignore_warning") != "",
	}
	in, faults := page.read()
	if len(faults) == 0 {
		result, err := h.services.Submissions.DryRun(ctx, r.Principal, in)
		if err != nil {
			if faults, err = ui.FaultsOf(err, dryRunField); err != nil {
				return ui.View{}, err
			}
		} else if page.Result, err = h.dryRunOutcome(ctx, r, result); err != nil {
			return ui.View{}, err
		}
	}
	page.Faults = faults
	view := dryRunView(page)
	if len(faults) > 0 {
		view.Status = http.StatusUnprocessableEntity
	}
	return view, nil
}

// read reads the form.
func (d dryRunPage) read() (in casework.DryRun, faults []ui.Fault) {
	in.Transition, in.URL, in.Place, in.IgnoreWarning = d.Transition, d.URL, d.Key, d.IgnoreWarning
	if id, err := strconv.ParseInt(d.Case, 10, 64); err == nil {
		in.CaseID = id
	} else {
		in.Type = d.Case
	}
	if d.Case == "" {
		faults = append(faults, ui.Fault{
			Field: "case", Title: "Case", Message: "Enter the id of a case, or the key of a case type.",
		})
	}
	if strings.TrimSpace(d.Data) != "" {
		data, ok := readJSON(strings.TrimSpace(d.Data)).(map[string]any)
		if !ok {
			faults = append(faults, ui.Fault{
				Field: "data", Title: "Fields", Message: `Write a JSON object, such as {"country": "NO"}.`,
			})
		}
		in.Data = data
	}
	return in, faults
}

func dryRunField(path string) (id, title string) {
	switch name := strings.TrimPrefix(path, "/"); {
	case name == "case" || name == "type":
		return "case", "Case"
	case name == "callback":
		return "callback", "Callback"
	case name == "callback_key":
		return "callback_key", "Key"
	case name == "transition":
		return "transition", "Transition"
	case strings.HasPrefix(name, "data"):
		return "data", strings.TrimPrefix(strings.TrimPrefix(name, "data"), "/")
	}
	return "", path
}

func (h handler) dryRunOutcome(
	ctx context.Context, r *ui.Request, result casework.DryRunResult,
) (*dryRunOutcome, error) {
	out := &dryRunOutcome{
		Sentence: "It would be saved", Color: "green", Warnings: result.Warnings, NotAsked: result.NotAsked,
	}
	if result.State != "" {
		out.Sentence += ", and the case would be in the state " + result.State
	}
	out.Sentence += "."
	if e := result.Refusal; e != nil {
		out.Sentence, out.Color, out.Errors, out.Warnings = refusedSentence(e), "red", e.Errors, e.Warnings
		for _, f := range e.Fields {
			id, title := dryRunField(f.Path)
			out.Faults = append(out.Faults, ui.Fault{Field: id, Title: title, Message: f.Message})
		}
	}
	out.Saved, out.SavedMore = changeLines(result.Definition, result.Changes.Changes), result.Changes.More
	out.Skipped = result.Skipped
	for _, q := range result.Questions {
		row := h.questionRow(r.Principal, q)
		row.Color = cmp.Or(verdictColors[callback.Verdict(q.Verdict)], "gray")
		t, err := h.typeOf(ctx, r.Principal, q.Type)
		if err != nil {
			return nil, err
		}
		out.Asked = append(out.Asked, dryRunQuestion{
			questionRow: row, Changes: changeLines(t, q.Changes.Changes), More: q.Changes.More,
			Answer: answerText(q.Answer),
		})
	}
	return out, nil
}

// refusedSentence says why a submission would be refused, in a dry run that saves nothing anyway.
func refusedSentence(e *fault.Error) string {
	return strings.ReplaceAll(warned(e.Detail), " Nothing was saved.", " Nothing would be saved.")
}

// prettyData indents the fields of a form.
func prettyData(text string) string {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	return jsonOf(readJSON(text))
}
