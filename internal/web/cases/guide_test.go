package cases_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/web/webtest"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// service is the service of permits: it answers by the last part of the path, and remembers what it was asked.
type service struct {
	t *testing.T

	mu      sync.Mutex
	answers map[string]string
	asked   []string
	data    map[string]map[string]any // of the latest question, by path
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var question struct {
		Details struct {
			Data map[string]any `json:"case_data"`
		} `json:"case_details"`
	}
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
		s.t.Error(err)
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, name)
	s.data[name] = question.Details.Data
	answer := s.answers[name]
	if answer == "" {
		answer = "{}"
	}
	if _, err := io.WriteString(w, answer); err != nil {
		s.t.Error(err)
	}
}

func (s *service) answer(name, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[name] = body
}

// takeAsked returns who was asked since the last call.
func (s *service) takeAsked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// permit starts a server with the example's permits, some of it replaced, and their service.
func permit(t *testing.T, replace ...string) (*webtest.World, *service) {
	t.Helper()
	s := &service{t: t, answers: map[string]string{}, data: map[string]map[string]any{}}
	server := httptest.NewServer(wiretest.Callback(t, s))
	t.Cleanup(server.Close)
	w := webtest.Start(t, "PERMITS", server.URL)
	definition, err := os.ReadFile("../../../examples/permit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(replace...).Replace(string(definition))
	w.API(http.MethodPut, "/v1/case-types/permit", []byte(changed), nil)
	return w, s
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// fill returns a form with what its page has hidden in it, and names and values that are entered.
func fill(page webtest.Page, entered ...string) url.Values {
	form := url.Values{}
	for _, found := range hiddenInput.FindAllStringSubmatch(page.HTML, -1) {
		form.Set(found[1], html.UnescapeString(found[2]))
	}
	for i := 0; i < len(entered); i += 2 {
		form.Add(entered[i], entered[i+1])
	}
	return form
}

func (s *service) wasAsked(want ...string) {
	s.t.Helper()
	if got := s.takeAsked(); !slices.Equal(got, want) {
		s.t.Errorf("asked were %v, want %v", got, want)
	}
}

func TestAFormIsFilledInPageByPage(t *testing.T) {
	t.Parallel()
	w, s := permit(t)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	s.answer("start", `{"data": {"months": 6, "resident": "Ada"}}`)
	first := ada.Get("/cases/new?type=permit")
	wants(t, first, http.StatusOK, "New Parking permit", "1 of 3", "Who parks", "What is parked", "Zone optional",
		"Centre", "asks /page first")
	wantsNot(t, first, "data/plate", `value="back"`)
	if !strings.Contains(first.HTML, `value="Ada"`) {
		t.Error("the form lacks what about_to_start put in")
	}
	s.wasAsked("start")

	empty := ada.Post("/cases/new", fill(first, "data/resident", " "))
	wants(t, empty, http.StatusUnprocessableEntity, "1 of 3", "Resident : is required.", "Nothing was saved")
	s.wasAsked()
	s.answer("page", `{"errors": ["No more permits for <Ada>."]}`)
	refused := ada.Post("/cases/new", fill(empty, "data/resident", "Ada L", "data/zone", "R"))
	wants(t, refused, http.StatusUnprocessableEntity, "1 of 3", "refused the page", "“No more permits for <Ada>.”")
	s.answer("page", `{"warnings": ["The zone is full."]}`)
	warned := ada.Post("/cases/new", fill(refused, "data/resident", "Ada L", "data/zone", "R"))
	wants(t, warned, http.StatusUnprocessableEntity, "“The zone is full.”", "Continue anyway")
	_, form, _ := strings.Cut(warned.HTML, `id="guided"`)
	if first := form[strings.Index(form, "<button"):]; strings.HasPrefix(first, `<button class="button" name="ignore_warning"`) {
		t.Error("the enter key passes the warning")
	}
	if !strings.Contains(warned.HTML, `<option value="R" selected>Riverside</option>`) {
		t.Error("the page lost what was entered")
	}
	s.answer("page", `{"data": {"resident": "Ada L", "zone": "R", "months": 3}, "warnings": ["The zone is full."]}`)
	second := ada.Post("/cases/new",
		fill(warned, "data/resident", "Ada L", "data/zone", "R", "ignore_warning", "true"))
	wants(t, second, http.StatusOK, "2 of 3", "How many months?", "Number plate", "Back")
	if !strings.Contains(second.HTML, `id="data/months" name="data/months" value="3"`) {
		t.Error("the page lacks what mid_event put in")
	}
	s.wasAsked("page", "page", "page")

	back := ada.Post("/cases/new", fill(second, "data/plate", "AB 12", "data/months", "x", "go", "back"))
	wants(t, back, http.StatusOK, "1 of 3")
	again := ada.Post("/cases/new",
		fill(back, "data/resident", "Ada L", "data/zone", "R", "ignore_warning", "true"))
	wants(t, again, http.StatusOK, "2 of 3")
	if !strings.Contains(again.HTML, `value="AB 12"`) {
		t.Error("going back and on again lost what was entered")
	}
	unfit := ada.Post("/cases/new", fill(again, "data/plate", "AB 12", "data/months", "x"))
	wants(t, unfit, http.StatusUnprocessableEntity, "2 of 3", "How many months? : is text")
	check := ada.Post("/cases/new", fill(unfit, "data/plate", "AB 12", "data/months", "24"))
	wants(t, check, http.StatusOK, "3 of 3", "Check your answers", "Resident Ada L", "Zone Riverside",
		"How many months? 24", "asks /submit first", "Apply")
	changed := ada.Post("/cases/new", fill(check, "go", "page:resident"))
	wants(t, changed, http.StatusOK, "1 of 3")
	s.takeAsked()

	s.answer("submit", `{"override_state": "waiting"}`)
	s.answer("submitted", `{"confirmation_header": "# You are in the queue"}`)
	made := ada.Post("/cases/new", fill(check))
	wants(t, made, http.StatusOK, "PP-00001", "Ada L, AB 12", "Waiting for a place", "You are in the queue")
	s.wasAsked("submit", "submitted")
	path, _, _ := strings.Cut(made.Path, "?")
	var saved struct {
		Data map[string]any `json:"data"`
	}
	w.API(http.MethodGet, "/v1"+path, nil, &saved)
	want := map[string]any{"resident": "Ada L", "zone": "R", "plate": "AB 12", "months": 24.0, "fee_pence": 9600.0}
	for name, value := range want {
		if saved.Data[name] != value {
			t.Errorf("%s is %v, want %v", name, saved.Data[name], value)
		}
	}
}

// conditional is a case type whose form has pages and fields under conditions, members of a field, and a label.
const conditional = `
key: parking
fields:
  type: object
  properties:
    kind: {enum: [car, bike], x-labels: {car: A car}}
    plate: {title: Number plate, type: string}
    engine: {type: string}
    tax: {title: Tax number, type: string}
    site:
      type: object
      properties: {city: {type: string}, zone: {type: string}, floor: {type: integer}}
    note: {type: string}
states: [{key: asked, final: true}]
transitions:
  - key: ask
    to: asked
    fields: [kind, plate, engine, tax, site]
    defaults: {note: put in, site.floor: 2}
    pages:
      - key: "1"
        fields:
          - {name: kind, use: mandatory}
          - {name: plate, use: mandatory, show_if: 'kind="car"'}
          - {label: "Bikes **park** free.", show_if: 'kind="bike"'}
      - key: "2"
        name: The engine
        show_if: kind="car"
        fields: [{name: engine}, {name: tax, show_if: 'engine="*"'}]
      - key: "3"
        name: The place
        fields:
          - {label: "For ${kind}, at ${site.city}, ${site.floor}"}
          - {name: site, use: complex}
          - {name: site.city, use: mandatory, label: In which city?}
          - {name: site.floor, use: readonly}
          - {name: note, label: What we know}
`

func TestPagesAndFieldsAreShownUnderConditions(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	w.API(http.MethodPut, "/v1/case-types/parking", []byte(conditional), nil)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	send := func(page webtest.Page, entered ...string) webtest.Page {
		return ada.Post("/cases/new", fill(page, entered...))
	}
	first := ada.Get("/cases/new?type=parking")
	wants(t, first, http.StatusOK, "1 of 3", "Page 1", "A car")
	wantsNot(t, first, "data/plate", "free.")
	bike := send(first, "data/kind", "bike", "go", "update")
	wants(t, bike, http.StatusOK, "1 of 3", "Bikes park free.")
	car := send(bike, "data/kind", "car")
	wants(t, car, http.StatusOK, "1 of 4", "There is more to fill in on this page", "Number plate")
	wantsNot(t, car, "free.", "is required")
	wants(t, send(car, "data/kind", "car"), http.StatusUnprocessableEntity, "Number plate : is required.")
	engine := send(car, "data/kind", "car", "data/plate", "AB 12")
	wants(t, engine, http.StatusOK, "2 of 4", "The engine")
	wantsNot(t, engine, "data/tax")
	taxed := send(engine, "data/engine", "diesel")
	wants(t, taxed, http.StatusOK, "2 of 4", "Tax number optional")
	place := send(taxed, "data/engine", "diesel", "data/tax", "7 777 7")
	wants(t, place, http.StatusOK, "3 of 4", "For A car, at , 2", "Floor 2", "What we know put in")
	wantsNot(t, place, "data/site/floor", "data/site/zone", `name="data/note"`)
	wants(t, send(place, "data/site/city", ""), http.StatusUnprocessableEntity, "In which city? : is required.")
	check := send(place, "data/site/city", "<Bern>")
	wants(t, check, http.StatusOK, "Check your answers", "Kind A car", "Engine diesel", "Tax number 7 777 7",
		"Site, city <Bern>", "Site, floor 2", "Set for you Note put in")

	kind := send(check, "go", "page:1")
	place = send(kind, "data/kind", "bike", "data/plate", "AB 12")
	wants(t, place, http.StatusOK, "2 of 3", "For bike, at <Bern>, 2")
	check = send(place, "data/site/city", "<Bern>")
	main := check.HTML[strings.Index(check.HTML, "<main"):]
	for _, dropped := range []string{"AB 12", "diesel", "7 777 7"} {
		if strings.Contains(main, dropped) {
			t.Errorf("the answers have %s, which is hidden", dropped)
		}
	}
	made := send(check)
	wants(t, made, http.StatusOK, "PARKING-1")
	path, _, _ := strings.Cut(made.Path, "?")
	var saved struct {
		Data map[string]any `json:"data"`
	}
	w.API(http.MethodGet, "/v1"+path, nil, &saved)
	want := map[string]any{"kind": "bike", "site": map[string]any{"city": "<Bern>", "floor": 2.0}, "note": "put in"}
	if diff := cmp.Diff(want, saved.Data); diff != "" {
		t.Error(diff)
	}
}

// started is a case type whose transitions begin with a callback, without pages.
const started = `
key: visit
fields:
  type: object
  properties: {place: {type: string}, day: {type: string}, fee: {type: integer}}
states: [{key: open}, {key: done, final: true}]
edit: correct
transitions:
  - {key: open, to: open}
  - {key: correct, from: [open], defaults: {day: Monday}}
  - key: close
    name: Close it
    from: [open]
    to: done
    fields: [day]
    about_to_start: {url: "${CASEHOOK_VAR_PERMITS}/start"}
    submitted: {url: "${CASEHOOK_VAR_PERMITS}/submitted"}
`

// visit makes a case of the type, and returns its path.
func visit(w *webtest.World) string {
	var made struct {
		ID int64 `json:"id"`
	}
	w.API(http.MethodPut, "/v1/case-types/visit", []byte(started), nil)
	w.API(http.MethodPost, "/v1/case-types/visit/cases", map[string]any{"data": map[string]any{"place": "Bern"}}, &made)
	return fmt.Sprintf("/cases/%d", made.ID)
}

func TestATransitionIsStartedBeforeItIsSubmitted(t *testing.T) {
	t.Parallel()
	w, s := permit(t)
	path := visit(w)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	page := ada.Get(path)
	wants(t, page, http.StatusOK, "correct", "Close it")
	wantsNot(t, page, `name="data/day"`) // the edit has a page of its own
	s.wasAsked()
	if edit := ada.Get(path + "/transitions/correct"); !strings.Contains(edit.HTML, `name="data/day" value="Monday"`) {
		t.Error("the form of the edit lacks its default")
	}

	close := path + "/transitions/close"
	s.answer("start", `{"errors": ["It is <too> early."]}`)
	early := ada.Get(close)
	wants(t, early, http.StatusUnprocessableEntity, "refused the start", "“It is <too> early.”", "Try again")
	wantsNot(t, early, "data/day")
	s.answer("start", `{"warnings": ["It is late."], "data": {"place": "Bern", "day": "Friday", "fee": 5}}`)
	late := ada.Post(close, fill(early))
	wants(t, late, http.StatusUnprocessableEntity, "“It is late.”", "Continue anyway")
	form := ada.Post(close, fill(late, "ignore_warning", "true"))
	wants(t, form, http.StatusOK, "Close it", "goes to done")
	if !strings.Contains(form.HTML, `name="data/day" value="Friday"`) {
		t.Error("the form lacks what about_to_start put in")
	}
	wantsNot(t, form, "data/fee", "1 of")
	s.answer("submitted",
		`{"confirmation_header": "# Done", "confirmation_body": "*Home* <script>x</script>[Go](javascript:x)."}`)
	done := ada.Post(close, fill(form, "data/day", "Sunday"))
	wants(t, done, http.StatusOK, "moved it from open to done", "Confirmation Done Home x Go .")
	wantsNot(t, done, "<script>x", "javascript:")
	s.wasAsked("start", "start", "start", "submitted")
	var saved struct {
		Data map[string]any `json:"data"`
	}
	w.API(http.MethodGet, "/v1"+path, nil, &saved)
	want := map[string]any{"place": "Bern", "day": "Sunday", "fee": 5.0}
	if diff := cmp.Diff(want, saved.Data); diff != "" {
		t.Error(diff)
	}
	viewer := w.Person("vic@example.org", "viewer", "RESTRICTED")
	wants(t, viewer.Get(close), http.StatusForbidden)
}

func TestAStartOfACaseThatChangedIsMadeAgain(t *testing.T) {
	t.Parallel()
	w, s := permit(t)
	path := visit(w)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	form := ada.Get(path + "/transitions/close")
	w.API(http.MethodPatch, "/v1"+path, map[string]any{"data": map[string]any{"place": "Basel"}}, nil)
	again := ada.Post(path+"/transitions/close", fill(form, "data/day", "Sunday"))
	wants(t, again, http.StatusUnprocessableEntity, "Somebody changed the case while you worked on it")
	if !strings.Contains(again.HTML, `value="Sunday"`) {
		t.Error("the form lost what was entered")
	}
	s.wasAsked("start", "start")
	wants(t, ada.Post(path+"/transitions/close", fill(again, "data/day", "Sunday")), http.StatusOK,
		"moved it from open to done")
	forged := fill(form, "data/day", "Sunday")
	forged.Set("state", `{"token": "forged", "data": {}}`)
	wants(t, ada.Post(path+"/transitions/close", forged), http.StatusUnprocessableEntity, "can't be submitted")
	forged.Set("state", "{")
	wants(t, ada.Post(path+"/transitions/close", forged), http.StatusBadRequest, "Send it again")
}

func TestALinkElsewhereStartsNoTransition(t *testing.T) {
	t.Parallel()
	w, s := permit(t)
	path := visit(w)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED").Led("cross-site")
	waits := ada.Get(path + "/transitions/close")
	wants(t, waits, http.StatusOK, "when you press the button", "Begin")
	s.wasAsked()
	wants(t, ada.Led("same-origin").Post(path+"/transitions/close", fill(waits)), http.StatusOK, "Day")
	s.wasAsked("start")
}

func TestAnIncompletePageIsNotSubmitted(t *testing.T) {
	t.Parallel()
	w, _ := permit(t, "{ name: resident, use: mandatory }", "{ name: resident }",
		"- { name: zone }", `- { name: zone, use: mandatory, show_if: 'months="1"' }`)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	first := ada.Get("/cases/new?type=permit")
	second := ada.Post("/cases/new", fill(first, "data/resident", "Ada"))
	check := ada.Post("/cases/new", fill(second, "data/plate", "AB 12", "data/months", "1"))
	wants(t, check, http.StatusOK, "Check your answers")
	wants(t, ada.Post("/cases/new", fill(check)), http.StatusUnprocessableEntity, "1 of 3", "Zone : is required.")
}

func TestARuleThatRefusesIsShownAtTheAnswers(t *testing.T) {
	t.Parallel()
	w, s := permit(t)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	first := ada.Get("/cases/new?type=permit")
	second := ada.Post("/cases/new", fill(first, "data/resident", "Ada", "data/zone", "C"))
	check := ada.Post("/cases/new", fill(second, "data/plate", "ab", "data/months", "24"))
	wants(t, check, http.StatusUnprocessableEntity, "2 of 3", "Number plate : does not match")
	check = ada.Post("/cases/new", fill(check, "data/plate", "AB 12", "data/months", "24"))
	refused := ada.Post("/cases/new", fill(check))
	wants(t, refused, http.StatusUnprocessableEntity, "Check your answers",
		"“Permits of the centre last 12 months at most.”")
	s.takeAsked()
	second = ada.Post("/cases/new", fill(refused, "go", "page:vehicle"))
	check = ada.Post("/cases/new", fill(second, "data/plate", "AB 12", "data/months", "12"))
	wants(t, ada.Post("/cases/new", fill(check)), http.StatusOK, "PP-00001")
	s.wasAsked("submit", "submitted")
}

// offered is a case type with values of CCD's types that bring along what may be chosen, or ids.
const offered = `
key: offered
fields:
  type: object
  properties:
    desk: {x-casehook-type: dynamic_list}
    days: {x-casehook-type: dynamic_multi_select_list}
    guests:
      x-casehook-type: collection
      items: {type: object, properties: {name: {type: string}, age: {type: integer, minimum: 1}}}
states: [{key: open}]
edit: edit
transitions:
  - {key: open, to: open, about_to_start: {url: "${CASEHOOK_VAR_PERMITS}/start"}}
  - {key: edit, from: [open]}
`

func TestCallbacksOfferWhatMayBeChosen(t *testing.T) {
	t.Parallel()
	w, s := permit(t)
	w.API(http.MethodPut, "/v1/case-types/offered", []byte(offered), nil)
	s.answer("start", `{"data": {
		"desk": {"value": null, "list_items": [{"code": "d1", "label": "Desk <1>"}, {"code": "d2", "label": "Desk 2"}]},
		"days": {"value": [{"code": "m", "label": "Monday"}],
			"list_items": [{"code": "m", "label": "Monday"}, {"code": "t", "label": "Tuesday"}]},
		"guests": [{"id": "g1", "value": {"name": "Bea"}}]}}`)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	form := ada.Get("/cases/new?type=offered")
	wants(t, form, http.StatusOK, "Desk <1> Desk 2", "Monday", "Tuesday", "Guests")
	if !strings.Contains(form.HTML, `value="m" checked`) {
		t.Error("what is chosen is not checked")
	}
	wrong := ada.Post("/cases/new", fill(form, "data/desk", "d2", "data/days", "t", "data/guests/0/value/name", "Bea",
		"data/guests/0/value/age", "0"))
	wants(t, wrong, http.StatusUnprocessableEntity, "Guests: Age : is below 1")
	made := ada.Post("/cases/new", fill(wrong, "data/desk", "d2", "data/days", "t", "data/guests/0/value/name", "Bea",
		"data/guests/0/value/age", "7", "data/guests/1/value/name", "Cid"))
	wants(t, made, http.StatusOK, "Desk Desk 2", "Days Tuesday", "Guests Name: Bea, Age: 7; Name: Cid")
	var saved struct {
		Data struct {
			Desk   map[string]any
			Guests []map[string]any
		}
	}
	path, _, _ := strings.Cut(made.Path, "?")
	w.API(http.MethodGet, "/v1"+path, nil, &saved)
	want := map[string]any{"code": "d2", "label": "Desk 2"}
	if diff := cmp.Diff(want, saved.Data.Desk["value"]); diff != "" || len(saved.Data.Desk["list_items"].([]any)) != 2 {
		t.Errorf("the desk is %v", saved.Data.Desk)
	}
	if len(saved.Data.Guests) != 2 || saved.Data.Guests[0]["id"] != "g1" || saved.Data.Guests[1]["id"] == "" {
		t.Errorf("the guests are %v", saved.Data.Guests)
	}
	same := fill(made, "data/desk", "d2", "data/days", "t", "data/guests/0/value/name", "Bea",
		"data/guests/0/value/age", "7", "data/guests/1/value/name", "Cid")
	if again := ada.Post(path, same); !strings.Contains(again.Path, "?saved=1") {
		t.Errorf("sending the form unchanged leads to %s", again.Path)
	}
}

func TestAFormOfAnImportedDefinitionIsFilledIn(t *testing.T) {
	t.Parallel()
	s := &service{t: t, answers: map[string]string{}, data: map[string]map[string]any{}}
	server := httptest.NewServer(wiretest.Callback(t, s))
	t.Cleanup(server.Close)
	w := webtest.Start(t, "GARDEN_URL", server.URL, "NOTES_HOST", strings.TrimPrefix(server.URL, "http://"))
	definition, err := os.ReadFile("../../ccd/testdata/GardenPlot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w.API(http.MethodPut, "/v1/case-types/GardenPlot", definition, nil)
	ada := w.Person("ada@example.org", "admin", "RESTRICTED")
	form := ada.Get("/cases/new?type=GardenPlot&transition=ask")
	wants(t, form, http.StatusOK, "About you", "Flowers", "Where we write to optional", "1 of 2")
	s.wasAsked("start")
	form = ada.Post("/cases/new", fill(form, "data/gardener", "Ada *L*", "data/use", "food", "data/mail", "no"))
	wants(t, form, http.StatusUnprocessableEntity, "Where we write to : is not")
	form = ada.Post("/cases/new", fill(form, "data/gardener", "Ada *L*", "data/use", "food"))
	wants(t, form, http.StatusOK, "The plot", "A plot for Ada *L*", "Its colour", "Locked?", "Name", "Sides")
	s.wasAsked("page-one")
	form = ada.Post("/cases/new", fill(form, "data/shed/colour", "green", "data/shed/locked", "Yes", "data/sides", "N"))
	wants(t, form, http.StatusOK, "Check your answers", "Use Food", "Shed, colour green", "Shed, locked Yes")
	made := ada.Post("/cases/new", fill(form))
	wants(t, made, http.StatusOK, "Asked for", "Add a remark")
	s.wasAsked("submit", "done")
	path, _, _ := strings.Cut(made.Path, "?")
	for _, transition := range []string{"correct", "remark", "decide"} {
		wants(t, ada.Get(path+"/transitions/"+transition), http.StatusOK, "Check your answers", "Page 1", "1 of 2")
	}
}

func TestPagesArePreviewed(t *testing.T) {
	t.Parallel()
	w, s := permit(t)
	w.API(http.MethodPut, "/v1/case-types/parking", []byte(conditional), nil)
	admin := w.Person("ada@example.org", "admin", "RESTRICTED")
	wants(t, admin.Get("/types/permit/forms"), http.StatusOK, "Who parks asks /page when it is left",
		"How many months?")
	wants(t, admin.Get("/types/parking/forms"), http.StatusOK, `The engine shown if kind="car"`, "Tax number",
		"In which city?")
	s.wasAsked()
}

// guarded is a case type whose form has a field that not everybody sees, a condition that reads it, and one that not
// everybody sets.
const guarded = `
key: guarded
fields:
  type: object
  properties: {secret: {type: string, x-classification: RESTRICTED}, note: {type: string}, sum: {type: integer}}
states: [{key: open}]
access: {fields: {sum: {update: [manager]}}}
transitions:
  - {key: create, to: open}
  - key: review
    from: [open]
    precondition: has(data.secret)
    required: [note]
    pages:
      - key: "1"
        show_if: secret!="none"
        fields:
          - {name: secret}
          - {name: note, show_if: 'secret="hush"'}
          - {label: "It is ${secret}."}
          - {name: sum, use: mandatory}
`

func TestAFormShowsWhatItsReaderMaySee(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	w.API(http.MethodPut, "/v1/case-types/guarded", []byte(guarded), nil)
	var made struct {
		ID int64 `json:"id"`
	}
	w.API(http.MethodPost, "/v1/case-types/guarded/cases",
		map[string]any{"data": map[string]any{"secret": "hush", "sum": 7}}, &made)
	path := fmt.Sprintf("/cases/%d/transitions/review", made.ID)
	all := w.Person("ada@example.org", "manager", "RESTRICTED").Get(path)
	wants(t, all, http.StatusOK, "Secret optional", "Note It is hush.")
	bob := w.Person("bob@example.org", "caseworker", "PRIVATE")
	some := bob.Get(path)
	wants(t, some, http.StatusOK, "Sum 7")
	wantsNot(t, some, "hush", "It is", "Secret", "data/note", `name="data/sum"`)
	wantsNot(t, bob.Get("/types/guarded"), "secret")
	wantsNot(t, bob.Get("/types/guarded/forms"), "secret", "It is")
	check := bob.Post(path, fill(some, "data/sum", "8", "data/secret", "told", "data/note", "x"))
	wants(t, check, http.StatusOK, "No field changes.")
	forged := fill(check)
	forged.Set("state", strings.Replace(forged.Get("state"), `"data":{}`, `"data":{"secret":"told","sum":8}`, 1))
	wants(t, bob.Post(path, forged), http.StatusUnprocessableEntity, "is not a field", "may not be set")
}
