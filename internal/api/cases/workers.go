package cases

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// NewQuestionClaim is the body that claims a question.
type NewQuestionClaim struct {
	Queue string `json:"queue,omitempty" maxLength:"70" pattern:"^[A-Za-z0-9][A-Za-z0-9_-]*$" doc:"The queue: the name behind pull: in the case type." example:"checks"`
	Own   bool   `json:"own,omitempty" doc:"In place of a queue: claim the questions that your own submissions cause, those of this token or user. While you claim them, they come to you in place of the URL, if you may put the case type."`
	Wait  int    `json:"wait,omitempty" minimum:"0" maximum:"30" doc:"How many seconds to wait if there is no question; the answer comes as soon as there is one." example:"30"`
}

// ClaimedQuestion is the answer to a claim.
type ClaimedQuestion struct {
	Question *OpenQuestion `json:"question,omitempty" doc:"The oldest question that nobody has claimed; absent: there was none."`
}

// OpenQuestion is a question that waits for an answer.
type OpenQuestion struct {
	ID           string            `json:"id" doc:"Its id, for the answer." example:"opn_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	Queue        string            `json:"queue" doc:"The queue that it was in; empty: it is your own." example:"checks"`
	CaseType     string            `json:"case_type" doc:"The key of the case type whose callback it is." example:"kyc"`
	Callback     string            `json:"callback" doc:"The name of the callback, for people." example:"kyc/submit"`
	Path         string            `json:"path" doc:"The path and the query of the callback's URL, as configured; empty: it has none." example:"/kyc/submit"`
	Deadline     rest.Time         `json:"deadline" doc:"When nobody waits for the answer any more."`
	ClaimedUntil rest.Time         `json:"claimed_until" doc:"When another worker may claim it: after 10 seconds, or half of the time that was left. Your answer counts after that too, if it is the first."`
	Headers      map[string]string `json:"headers" doc:"The headers that a URL would be called with, webhook-id and webhook-signature among them." example:"{\"webhook-id\": \"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy\"}"`
	Body         rest.Value        `json:"body" doc:"The question, byte for byte as a URL would get it: the signature is of these bytes."`
}

// NewAnswer is the body that answers a question.
type NewAnswer struct {
	Status  int               `json:"status,omitempty" minimum:"200" maximum:"599" doc:"The HTTP status that the callback answers with. Absent: 200." example:"200"`
	Headers map[string]string `json:"headers,omitempty" doc:"The headers that it answers with; Client-Context and Retry-After have a meaning." example:"{\"Retry-After\": \"2\"}"`
	Body    answerBody        `json:"body,omitempty" doc:"The body that it answers with: an object, or a text that is taken as it is. Absent: it accepts." example:"{\"warnings\": [\"The client is new.\"]}"`
}

// answerBody is the body of an answer: JSON, or a text that is one.
type answerBody []byte

// UnmarshalJSON takes an object as it is written, and a text without its quotes.
func (b *answerBody) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	if raw[0] != '"' {
		*b = append((*b)[:0], raw...)
		return nil
	}
	var text string
	err := json.Unmarshal(raw, &text)
	*b = answerBody(text)
	return err
}

// Schema describes any value.
func (answerBody) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

type shownOpenQuestion struct {
	Body rest.Reply[ClaimedQuestion]
}

// workerHandler has the operations of workers that pull questions.
type workerHandler struct {
	service   *casework.Workers
	ids       rest.SealedIDs
	followers *rest.Followers
}

func (h workerHandler) register(k *rest.Kernel) {
	const tag = "questions"
	rest.HandleBody(k, rest.Operation{
		ID: access.ClaimQuestion, Pattern: "POST /v1/questions/claim", Tag: tag,
		Summary: "Claim a question",
		Description: "For workers that pull the questions of callbacks whose url is pull:QUEUE, so that nothing has " +
			"to be exposed. The caller gets the oldest question that nobody has claimed, of those whose callbacks " +
			"are shown no more than the caller may see. A question whose worker is gone can be claimed again after a while, so it may " +
			"come twice: the first answer wins.",
		Problems: []int{http.StatusTooManyRequests},
	}, h.claim)
	rest.HandleBody(k, rest.Operation{
		ID: access.AnswerQuestion, Pattern: "POST /v1/questions/{id}/answer", Tag: tag,
		Summary: "Answer a question",
		Description: "The answer means what it would as that of a URL. 409: another answer came first. 410: nobody " +
			"waits for it any more.",
		Problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone},
	}, h.answer)
}

func (h workerHandler) claim(ctx context.Context, _ *struct{}, body NewQuestionClaim) (*shownOpenQuestion, error) {
	p := rest.PrincipalOf(ctx)
	done, err := h.followers.Enter(p)
	if err != nil {
		return nil, err
	}
	defer done()
	q, err := h.service.Claim(ctx, p, casework.Claim{
		Queue: body.Queue, Own: body.Own, Wait: time.Duration(body.Wait) * time.Second, Stop: h.followers.Stop,
	})
	if err != nil {
		return nil, err
	}
	var out ClaimedQuestion
	if q != nil {
		out.Question = h.show(*q)
	}
	reply, err := rest.NewReply(out)
	return &shownOpenQuestion{reply}, err
}

func (h workerHandler) show(q store.OpenQuestion) *OpenQuestion {
	return &OpenQuestion{
		ID:           h.ids.Seal(q.Tenant, q.ID),
		Queue:        q.Queue,
		CaseType:     q.CaseType,
		Callback:     q.Callback,
		Path:         q.Path,
		Deadline:     rest.Time(q.Deadline),
		ClaimedUntil: rest.Time(q.ClaimedUntil),
		Headers:      q.Header,
		Body:         rest.Value(q.Body),
	}
}

func (h workerHandler) answer(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"100" doc:"The id of the question." example:"opn_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
}, body NewAnswer) (*rest.NoContent, error) {
	if body.Status == 0 {
		body.Status = http.StatusOK
	}
	p := rest.PrincipalOf(ctx)
	return &rest.NoContent{}, h.service.Answer(ctx, p, h.ids.Open(p.Tenant, in.ID), store.PulledAnswer{
		Status: body.Status, Header: body.Headers, Body: body.Body,
	})
}
