package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// borrowed is a definition with keys and names of other systems.
const borrowed = `
key: 2nd_Permit-Type
fields:
  type: object
  properties:
    3rdParty: {type: string, indexed: true}
    a-b: {type: integer, indexed: true}
    a&b(c): {type: string, indexed: true}
states: [{key: 1stState}, {key: SecondState, final: true}]
transitions:
  - {key: 0-Create, to: 1stState}
  - {key: MoveOn, from: [1stState], to: SecondState, precondition: '"a-b" in data && data["a-b"] > 1'}
`

func TestKeysOfOtherSystemsAreUsedAsTheyAreSpelt(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		put := func(source, key string) answer {
			return w.do("PUT", "/v1/case-types/"+key, source, "Content-Type", "application/yaml")
		}
		put(borrowed, "2nd_Permit-Type").is(201, "")
		put(strings.Replace(borrowed, "2nd_Permit-Type", "2ND_PERMIT-TYPE", 1), "2ND_PERMIT-TYPE").is(201, "")
		var ids []string
		for _, data := range []string{
			`{"3rdParty": "Ada", "a-b": 2, "a&b(c)": "x=1"}`, `{"3rdParty": "Bo", "a-b": 1}`,
		} {
			made := w.post("/v1/case-types/2nd_Permit-Type/cases", `{"data": `+data+`, "transition": "0-Create"}`)
			ids = append(ids, made.is(201, "").text("id"))
		}
		for query, want := range map[string][]string{
			"sort=data.3rdParty": {ids[0], ids[1]}, "sort=-data.3rdParty": {ids[1], ids[0]},
			"where=" + url.QueryEscape("data.a-b>=2"):       {ids[0]},
			"where=" + url.QueryEscape("data.a&b(c)=x=1"):   {ids[0]},
			"sort=" + url.QueryEscape("data.a&b(c)"):        {ids[0]},
			"state=1stState":                                {ids[1], ids[0]},
			"state=1STSTATE":                                nil,
			"where=" + url.QueryEscape("data.3rdParty>Ada"): {ids[1]},
		} {
			if got := w.ids("type=2nd_Permit-Type&"+query, "50"); !slices.Equal(got, want) {
				t.Errorf("%s: the cases are %v, want %v", query, got, want)
			}
		}
		if got := w.ids("type=2ND_PERMIT-TYPE", "50"); got != nil {
			t.Errorf("the type in other letters has the cases %v", got)
		}
		w.post("/v1/cases/"+ids[1]+"/transitions/MoveOn", `{}`).is(422, "case.precondition_failed")
		w.post("/v1/cases/"+ids[0]+"/transitions/moveon", `{}`).is(404, "transition.not_found")
		w.post("/v1/cases/"+ids[0]+"/transitions/MoveOn", `{"data": {"a&b(c)": null}}`).is(200, "")
		w.get("/v1/case-types/2nd_Permit-Type/openapi").is(200, "")
	})
}
