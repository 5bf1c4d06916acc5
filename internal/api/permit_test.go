package api_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/wire/wiretest"
)

// TestThePermitOfTheExamplesAsksAtAllFourPoints goes through the application for a permit as a form does.
func TestThePermitOfTheExamplesAsksAtAllFourPoints(t *testing.T) {
	t.Parallel()
	w := start(t)
	service := &neighbours{}
	service.reset()
	server := httptest.NewServer(wiretest.Callback(t, service))
	t.Cleanup(server.Close)
	definition, err := os.ReadFile("../../examples/permit.yaml")
	must(t, err)
	w.do("PUT", "/v1/case-types/permit", strings.ReplaceAll(string(definition), "${CASEHOOK_VAR_PERMITS}", server.URL),
		"Content-Type", "application/yaml").is(201, "")
	f := family{world: w, t: t, neighbours: service, key: "permit"}

	f.answer("start", says(`{"data": {"months": 6, "resident": "Ada"}}`))
	begun := w.get("/v1/starts?type=permit&transition=apply").is(200, "").json()
	f.question("start", map[string]any{"case_details.case_data": `{"months":12}`})

	f.answer("page", says(`{"data": {"resident": "Ada", "zone": "R", "months": 3}}`))
	page := w.post("/v1/page-checks", `{"type": "permit", "transition": "apply", "page": "resident",
		"data": {"resident": "Ada", "zone": "R"}}`).is(200, "").json()
	if diff := cmp.Diff("3", fmt.Sprint(page["data"].(map[string]any)["months"])); diff != "" {
		t.Errorf("the page (-want +got):\n%s", diff)
	}

	apply := func(data string) answer {
		return w.post("/v1/case-types/permit/cases",
			`{"transition": "apply", "start_token": "`+fmt.Sprint(begun["token"])+`", "data": `+data+`}`)
	}
	apply(`{"resident": "Ada", "plate": "AB 12", "zone": "C", "months": 24}`).is(422, "rule.refused")
	apply(`{"resident": "Ada", "plate": "AB 12", "months": 3}`).is(422, "rule.warnings")
	f.wasAsked("submit", 0) // the rules come first

	f.answer("submit", says(`{"override_state": "waiting"}`))
	f.answer("submitted", says(`{"confirmation_header": "# You are in the queue"}`))
	made := apply(`{"resident": "Ada", "plate": "AB 12", "zone": "R", "months": 3}`).is(201, "")
	f.question("submit", map[string]any{"case_details.case_data.fee_pence": 1200.0, "case_details.state": "applied"})
	f.parts("the permit", made.body, map[string]any{"state": "waiting", "data.fee_pence": 1200.0,
		"confirmation.header": "# You are in the queue"})
}
