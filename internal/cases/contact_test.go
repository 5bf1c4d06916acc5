package cases_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/event"
)

// ada returns a person with the required details, changed.
func ada(change func(*event.ContactDetails)) event.ContactDetails {
	d := event.ContactDetails{FirstName: "Ada", LastName: "Lovelace"}
	change(&d)
	return d
}

func paths(d event.ContactDetails) string {
	var all []string
	for _, f := range cases.CheckContact(cases.CleanContact(d)) {
		all = append(all, f.Path)
	}
	return strings.Join(all, " ")
}

func TestRequiredDetailsOfAContact(t *testing.T) {
	for _, c := range []struct {
		name string
		d    event.ContactDetails
		want string
	}{
		{"nothing", event.ContactDetails{}, "/first_name /last_name"},
		{"a person", ada(func(*event.ContactDetails) {}), ""},
		{"a person without a last name", ada(func(d *event.ContactDetails) { d.LastName = " \t" }), "/last_name"},
		{"a person with the name of a business alone", event.ContactDetails{BusinessName: "Acme"}, "/first_name /last_name"},
		{"a person who works for one", ada(func(d *event.ContactDetails) { d.BusinessName = "Acme" }), ""},
		{"a business", event.ContactDetails{IsBusiness: true, BusinessName: "Acme"}, ""},
		{"a business without a name", event.ContactDetails{IsBusiness: true, FirstName: "Ada", LastName: "Lovelace"}, "/business_name"},
		{"a business with a person", ada(func(d *event.ContactDetails) { d.IsBusiness, d.BusinessName = true, "Acme" }), ""},
		{"all that is wrong, in order", event.ContactDetails{
			IsBusiness: true, Title: "a\x00b", Email: "x", MobilePhone: "x", HomePhone: "12", WorkPhone: "+", Preferred: "pigeon", Postcode: strings.Repeat("9", 21), CountryCode: "gb",
		}, "/business_name /title /email /mobile_phone /home_phone /work_phone /preferred_contact_method /postcode /country_code"},
	} {
		if got := paths(c.d); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestValidValuesOfEachFieldOfAContact(t *testing.T) {
	long := strings.Repeat("ü", 64)
	for path, c := range map[string]struct {
		set           func(*event.ContactDetails, string)
		taken, refuse []string
	}{
		"/email": {func(d *event.ContactDetails, s string) { d.Email = s },
			[]string{
				strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." +
					strings.Repeat("d", 61), // 254 bytes
				"a@b.co", "ann.o'neil+claims@mail.example.co.uk", "büro@müller.example", "用户@例え.テスト", "a_b-c@xn--mller-kva.example", " a@b.co\n",
			},
			[]string{
				strings.Repeat("a", 65) + "@b.co", "a@" + strings.Repeat("b", 64) + ".co",
				"a@" + strings.Repeat("ü.", 84) + "d", // 255 bytes
				"a", "@b.co", "a@", "a@b", "a@b.", "a@.b.co", "a@b..co", ".a@b.co", "a.@b.co", "a..b@c.co", "a b@c.co", "a@b c.co", "a@b@c.co", "a@-b.co", "a@b-.co",
				"Ann <a@b.co>", "a@b.co,c@d.co", "a@b.co\r\nBcc: c@d.co", `"a"@b.co`, "a@[192.0.2.1]", long + "@b.co", "a@" + long + ".co", "a@" + strings.Repeat("b.", 130) + "co", "a@b_c.co",
			}},
		"/mobile_phone": {func(d *event.ContactDetails, s string) { d.MobilePhone = s },
			[]string{"112", "999", "000",
				"+44 7700 900123", "(020) 7946-0018 ext. 7", "1.800.555.0100x12", "+1 (800) 555/0100,,7#", strings.Repeat("1", 20)},
			[]string{"11", "call me", "44+7700900123", "++447700900123", strings.Repeat("1", 21), "12345 ٣٤٥", "1 2 3" + strings.Repeat(" ", 40) + "4"}},
		"/preferred_contact_method": {func(d *event.ContactDetails, s string) { d.Preferred = s },
			cases.ContactMethods, []string{"Email", "phone", "fax"}},
		"/country_code": {func(d *event.ContactDetails, s string) { d.CountryCode = s }, []string{"GB", "DE", " CH "}, []string{"G", "GBR", "gb", "G1", "ÄÖ", "Ⅷ"}},
		"/first_name": {func(d *event.ContactDetails, s string) { d.FirstName = s },
			[]string{"Zoë", "李", "Jean-Luc O'Neil", "<b>", strings.Repeat("é", 100)}, []string{"", "\u200b\x01", "a\nb", "a\u0085b", "\xff", strings.Repeat("é", 101)}},
		"/address_line2": {func(d *event.ContactDetails, s string) { d.AddressLine2 = s },
			[]string{"", strings.Repeat("x", 200)}, []string{"a\tb", strings.Repeat("x", 201)}},
	} {
		for _, s := range c.taken {
			if got := paths(ada(func(d *event.ContactDetails) { c.set(d, s) })); got != "" {
				t.Errorf("%s refuses %q: %s", path, s, got)
			}
		}
		for _, s := range c.refuse {
			if got := paths(ada(func(d *event.ContactDetails) { c.set(d, s) })); got != path {
				t.Errorf("%s accepts %q: %q", path, s, got)
			}
		}
	}
}

// anyContact draws details whose texts are often valid, or almost.
func anyContact(t *rapid.T) event.ContactDetails {
	text := rapid.OneOf(rapid.SampledFrom([]string{
		"", " ", "Ada", "ada@example.com", "a@b", "+44 7700 900123", "GB", "gb", "email", "post", "a\x00b", "\xff", "\u2028", "x\ny", strings.Repeat("y", 300), "DROP TABLE", `"`, "12",
	}), rapid.String())
	d := event.ContactDetails{IsBusiness: rapid.Bool().Draw(t, "is_business")}
	v := reflect.ValueOf(&d).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			v.Field(i).SetString(text.Draw(t, v.Type().Field(i).Name))
		}
	}
	return d
}

// For any input: cleaning twice changes nothing more; each fault is listed once, in the published order; accepted
// text fits a line, and is unchanged by JSON; and valid details stay valid when they are cleaned.
func TestContactsAreCheckedByRules(t *testing.T) {
	order := map[string]int{}
	for i := range reflect.TypeFor[event.ContactDetails]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[event.ContactDetails]().Field(i).Tag.Get("json"), ",")
		order["/"+name] = i + 1
	}
	rapid.Check(t, func(t *rapid.T) {
		d := cases.CleanContact(anyContact(t))
		if diff := cmp.Diff(d, cases.CleanContact(d)); diff != "" {
			t.Fatal(diff)
		}
		wrong, last := cases.CheckContact(d), 0
		for _, f := range wrong {
			if order[f.Path] <= last || f.Message == "" {
				t.Fatalf("%q after %d: %v", f.Path, last, wrong)
			}
			last = order[f.Path]
		}
		if len(wrong) > 0 {
			return
		}
		raw, err := json.Marshal(d)
		if err != nil || !utf8.Valid(raw) || len(raw) > 10_000 {
			t.Fatalf("%q, %v", raw, err)
		}
		var again event.ContactDetails
		if err := json.Unmarshal(raw, &again); err != nil || again != d {
			t.Fatalf("%s came back as %+v, %v", raw, again, err)
		}
		if named := d.IsBusiness && d.BusinessName != "" || d.FirstName != "" && d.LastName != ""; !named ||
			strings.ContainsAny(d.Email, "\r\n ,;<>") {
			t.Fatalf("%+v was accepted", d)
		}
	})
}

// The changes between two contacts are exactly their differences.
func TestChangesOfAContactLeadFromOneToTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := anyContact(t), anyContact(t)
		before, after = utf8Only(before), utf8Only(after)
		if n := len(cases.ContactChanges(before, before)); n != 0 {
			t.Fatalf("%d changes between equals", n)
		}
		merged := map[string]json.RawMessage{}
		raw, err := json.Marshal(before)
		if err == nil {
			err = json.Unmarshal(raw, &merged)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases.ContactChanges(before, after) {
			if string(c.Before) == string(c.After) {
				t.Fatalf("%s stays %s", c.Path, c.After)
			}
			merged[c.Path] = c.After
		}
		raw, err = json.Marshal(merged)
		var got event.ContactDetails
		if err == nil {
			err = json.Unmarshal(raw, &got)
		}
		if err != nil || got != after {
			t.Fatalf("%s, %v:\n%s", raw, err, cmp.Diff(after, got))
		}
	})
}

func utf8Only(d event.ContactDetails) event.ContactDetails {
	v := reflect.ValueOf(&d).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			v.Field(i).SetString(strings.ToValidUTF8(v.Field(i).String(), "?"))
		}
	}
	return d
}

func FuzzCheckContact(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"first_name":"Ada","last_name":"L","email":"a@b.co","mobile_phone":"+44 7700"}`,
		`{"is_business":true,"business_name":"x","email":"a@b@c"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d event.ContactDetails
		if json.Unmarshal(raw, &d) != nil {
			return
		}
		d = cases.CleanContact(d)
		if len(cases.CheckContact(d)) > 0 {
			return
		}
		if at := strings.Count(d.Email, "@"); d.Email != "" && at != 1 || strings.ContainsAny(d.Email, " \r\n<>\"") {
			t.Errorf("the email %q was accepted", d.Email)
		}
		if n := len(cases.Digits(d.MobilePhone)); d.MobilePhone != "" && (n < 3 || n > 20) {
			t.Errorf("the phone %q was accepted", d.MobilePhone)
		}
		if d.CountryCode != "" && len(d.CountryCode) != 2 || !utf8.ValidString(d.FirstName+d.Email) {
			t.Errorf("%+v was accepted", d)
		}
	})
}

func TestRolesAreSlugs(t *testing.T) {
	for role, want := range map[string]bool{
		"claimant": true, "police-officer": true, "third_party_2": true, strings.Repeat("a", 50): true,
		"": false, "Claimant": false, "2nd": false, "-a": false, "a b": false, "a/b": false, "é": false, strings.Repeat("a", 51): false, "a\n": false,
	} {
		if got := cases.ValidRole(role); got != want {
			t.Errorf("%q: %t", role, got)
		}
	}
}

func TestLinksAreInOrderAndLeaveTheOthersAlone(t *testing.T) {
	link := func(id int64, role string) event.CaseContact { return event.CaseContact{ContactID: id, Role: role} }
	c := cases.Case{Contacts: []event.CaseContact{link(5, "claimant"), link(7, "insured")}}
	if diff := cmp.Diff([]event.CaseContact{link(5, "claimant"), link(6, "insured"), link(7, "insured")},
		c.Link(link(6, "insured"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]event.CaseContact{link(7, "insured")}, c.Unlink(link(5, "claimant"))); diff != "" {
		t.Error(diff)
	}
	if len(c.Contacts) != 2 || !c.Linked(link(7, "insured")) || c.Linked(link(7, "claimant")) {
		t.Errorf("%+v", c.Contacts)
	}
}
