package cases

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// contactsPage is a page of the list of contacts.
type contactsPage struct {
	Rows    []cases.Contact
	Text    string
	Next    string
	Creates bool
}

func (h handler) contacts(ctx context.Context, r *ui.Request) (ui.View, error) {
	page := contactsPage{
		Text: strings.TrimSpace(r.Query("q")), Creates: r.Principal.Role.Permits(access.CreateContact),
	}
	f := store.ContactFilter{Text: page.Text, Limit: 50}
	if err := r.Position("console contacts", &f.After); err != nil {
		return ui.View{}, err
	}
	found, err := h.services.Contacts.Contacts(ctx, r.Principal, f)
	if err != nil {
		return ui.View{}, err
	}
	page.Rows = found.Items
	if n := len(found.Items); found.More && n > 0 {
		last := store.Position{CreatedAt: found.Items[n-1].CreatedAt, ID: found.Items[n-1].ID}
		if page.Next, err = r.Cursor("console contacts", last); err != nil {
			return ui.View{}, err
		}
	}
	return ui.View{
		Title: "Contacts", Section: "/contacts", Body: contactsTemplate(page), Call: "GET /v1/contacts",
	}, nil
}

// contactName returns the name under which people know a contact.
func contactName(d event.ContactDetails) string {
	names := strings.Join([]string{d.Title, d.FirstName, d.MiddleName, d.LastName}, " ")
	person := strings.Join(strings.Fields(names), " ")
	if d.IsBusiness {
		return cmp.Or(d.BusinessName, person, "(no name)")
	}
	return cmp.Or(person, d.BusinessName, d.Email, "(no name)")
}

// contactField is a field of a contact's form.
type contactField struct {
	Name, Title string
	value       func(*details) *string
	Value       string
}

// details is short for what a field's value is a part of.
type details = event.ContactDetails

// contactFields are the fields of a contact, in the order of the form.
func contactFields() []contactField {
	text := func(name, title string, value func(*details) *string) contactField {
		return contactField{Name: name, Title: title, value: value}
	}
	return []contactField{
		text("business_name", "Business", func(d *details) *string { return &d.BusinessName }),
		text("title", "Title", func(d *details) *string { return &d.Title }),
		text("first_name", "First name", func(d *details) *string { return &d.FirstName }),
		text("middle_name", "Middle name", func(d *details) *string { return &d.MiddleName }),
		text("last_name", "Last name", func(d *details) *string { return &d.LastName }),
		text("email", "E-mail", func(d *details) *string { return &d.Email }),
		text("mobile_phone", "Mobile", func(d *details) *string { return &d.MobilePhone }),
		text("home_phone", "Phone at home", func(d *details) *string { return &d.HomePhone }),
		text("work_phone", "Phone at work", func(d *details) *string { return &d.WorkPhone }),
		text("preferred_contact_method", "Preferred", func(d *details) *string { return &d.Preferred }),
		text("address_line1", "Address", func(d *details) *string { return &d.AddressLine1 }),
		text("address_line2", "Line 2", func(d *details) *string { return &d.AddressLine2 }),
		text("address_line3", "Line 3", func(d *details) *string { return &d.AddressLine3 }),
		text("city", "City", func(d *details) *string { return &d.City }),
		text("state", "State or county", func(d *details) *string { return &d.StateOrCounty }),
		text("postcode", "Postcode", func(d *details) *string { return &d.Postcode }),
		text("country_code", "Country code", func(d *details) *string { return &d.CountryCode }),
	}
}

// contactPage shows a contact: its form, its cases and its history.
type contactPage struct {
	ID         int64 // 0: a new one
	Version    int64
	Name       string
	IsBusiness bool
	Fields     []contactField
	Faults     []ui.Fault
	Cases      []contactCase
	Events     []contactEvent
	Edits      bool
	Saved      bool
}

type contactCase struct {
	ID                    int64
	Role, Reference, Name string
}

type contactEvent struct {
	Version   int64
	At        time.Time
	Who, What string
	Diff      []diffLine
}

func (h handler) newContact(_ context.Context, _ *ui.Request) (ui.View, error) {
	return contactView(contactPage{Fields: contactFields(), Edits: true}), nil
}

func contactView(page contactPage) ui.View {
	view := ui.View{
		Title: cmp.Or(page.Name, "New contact"), Section: "/contacts", Body: contactTemplate(page),
		Call: "POST /v1/contacts",
	}
	if page.ID != 0 {
		view.Call = "GET /v1/contacts/" + strconv.FormatInt(page.ID, 10)
	}
	if len(page.Faults) > 0 {
		view.Status = http.StatusUnprocessableEntity
	}
	return view
}

func contactID(r *ui.Request) (int64, error) {
	id, err := strconv.ParseInt(r.Path("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, fault.New(fault.NotFound, "contact.not_found", "There is no contact %q.", r.Path("id"))
	}
	return id, nil
}

func (h handler) showContact(ctx context.Context, r *ui.Request) (ui.View, error) {
	page, err := h.readContact(ctx, r)
	page.Saved = r.Query("saved") != ""
	return contactView(page), err
}

// readContact reads the page of a contact.
func (h handler) readContact(ctx context.Context, r *ui.Request) (page contactPage, err error) {
	id, err := contactID(r)
	if err != nil {
		return page, err
	}
	c, err := h.services.Contacts.Contact(ctx, r.Principal, id)
	if err != nil {
		return page, err
	}
	page = contactPage{
		ID: c.ID, Version: c.Version, Name: contactName(c.ContactDetails), IsBusiness: c.IsBusiness,
		Edits: r.Principal.Role.Permits(access.UpdateContact),
	}
	for _, f := range contactFields() {
		f.Value = *f.value(&c.ContactDetails)
		page.Fields = append(page.Fields, f)
	}
	links, err := h.services.Contacts.ContactCases(ctx, r.Principal, id, store.Link{}, maxFiles)
	if err != nil {
		return page, err
	}
	for _, l := range links {
		found, err := h.services.Cases.Case(ctx, r.Principal, l.CaseID)
		if err != nil {
			return page, err
		}
		page.Cases = append(page.Cases, contactCase{l.CaseID, l.Role, found.Reference, found.Name})
	}
	page.Events, err = h.contactEvents(ctx, r.Principal, id)
	return page, err
}

func (h handler) contactEvents(ctx context.Context, p access.Principal, id int64) (all []contactEvent, err error) {
	found, err := h.services.Contacts.ContactHistory(ctx, p, id, 0, eventsPerPage)
	if err != nil {
		return nil, err
	}
	for _, e := range found.Items {
		shown := contactEvent{Version: e.Version, At: e.At, Who: p.Redact(e.Actor).Title(), What: "created the contact"}
		for _, f := range e.Facts {
			if !event.ContactUpdated.Is(f) {
				continue
			}
			changed, err := event.ContactUpdated.Decode(f)
			if err != nil {
				return nil, err
			}
			shown.What = "changed " + ui.Count(len(changed.Changes), "field")
			for _, c := range changed.Changes {
				title := strings.ReplaceAll(c.Path, "_", " ")
				shown.Diff = append(shown.Diff, field{}.compare(title, decoded(c.Before), decoded(c.After))...)
			}
		}
		all = append(all, shown)
	}
	return all, nil
}

// readDetails reads a contact's form.
func readDetails(form url.Values, d *event.ContactDetails) {
	d.IsBusiness = form.Get("is_business") != ""
	for _, f := range contactFields() {
		*f.value(d) = strings.TrimSpace(form.Get(f.Name))
	}
}

// failContact shows a form that could not be saved.
func failContact(r *ui.Request, page contactPage, err error) (ui.View, error) {
	titles := map[string]string{}
	page.Fields = nil
	for _, f := range contactFields() {
		f.Value = r.Form(f.Name)
		titles[f.Name] = f.Title
		page.Fields = append(page.Fields, f)
	}
	page.IsBusiness = r.Form("is_business") != ""
	page.Faults, err = ui.FaultsOf(err, func(path string) (id, title string) {
		id = strings.TrimPrefix(path, "/")
		return id, cmp.Or(titles[id], id)
	})
	return contactView(page), err
}

func (h handler) createContact(ctx context.Context, r *ui.Request) (ui.View, error) {
	var d event.ContactDetails
	readDetails(r.HTTP.PostForm, &d)
	made, err := h.services.Contacts.CreateContact(ctx, r.Principal, d, authz.Once{})
	if err != nil {
		return failContact(r, contactPage{Edits: true}, err)
	}
	return ui.Redirect("/contacts/" + strconv.FormatInt(made.ID, 10)), nil
}

func (h handler) updateContact(ctx context.Context, r *ui.Request) (ui.View, error) {
	page, err := h.readContact(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	var versions casework.Revisions
	if n, err := strconv.ParseInt(r.Form("version"), 10, 64); err == nil {
		versions = casework.Revisions{n}
	}
	_, err = h.services.Contacts.UpdateContact(ctx, r.Principal, page.ID, versions, func(d *event.ContactDetails) {
		readDetails(r.HTTP.PostForm, d)
	})
	if err != nil {
		return failContact(r, page, err)
	}
	return ui.Redirect("/contacts/" + strconv.FormatInt(page.ID, 10) + "?saved=1"), nil
}
