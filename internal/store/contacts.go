package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
)

// contactRow is a row of the contacts.
type contactRow struct {
	cases.Contact
	search  string // written, and never read
	details int    // bytes
}

var contactColumns = columns[contactRow]{
	intColumn("id", func(r *contactRow) *int64 { return &r.ID }),
	intColumn("tenant", func(r *contactRow) *int64 { return &r.Tenant }),
	jsonColumn("details", func(r *contactRow) *event.ContactDetails { return &r.ContactDetails }).
		counted(func(r *contactRow) *int { return &r.details }),
	intColumn("version", func(r *contactRow) *int64 { return &r.Version }),
	timeColumn("created_at", func(r *contactRow) *time.Time { return &r.CreatedAt }),
	timeColumn("modified_at", func(r *contactRow) *time.Time { return &r.ModifiedAt }),
}

var contactSearch = columns[contactRow]{textColumn("search", func(r *contactRow) *string { return &r.search })}

var (
	contactInserted = slices.Concat(contactColumns, contactSearch)
	contactUpdated  = slices.Concat(contactColumns.only("details", "modified_at"), contactSearch)
)

var (
	contactSelect = `select ` + contactColumns.names() + ` from contacts `
	contactGet    = define(contactSelect + `where tenant = $1 and id = $2 and not deleted`)
	contactLock   = define(`update contacts set version = version
		where tenant = $1 and id = $2 and not deleted
		returning ` + contactColumns.names())
	contactInsert = define(`insert into contacts (folding, ` + contactInserted.names() + `)
		values (1, ` + contactInserted.parameters(1) + `)`)
	contactUpdate = define(`update contacts
		set ` + contactUpdated.assignments(4) + `, folding = 1, version = version + 1
		where tenant = $1 and id = $2 and version = $3
		returning version`)
	contactDrop = define(`delete from contacts where tenant = $1 and id = $2 and version = $3 returning version + 1`)
	contactHide = define(`update contacts set deleted = true, version = version + 1
		where tenant = $1 and id = $2 and version = $3 returning version`)
	contactList = define(contactSelect + `
		where tenant = $1 and not deleted
			and ($2 = '' or search like $2 escape '\' or ($3 <> '' and search like $3 escape '\'))
			and (created_at < $4 or (created_at = $4 and id < $5))
		order by created_at desc, id desc limit $6`)
	contactsByID = define(contactSelect + `
		where tenant = $1 and id in (select r.id from rows($2: id bigint) as r)`)

	caseContactsSet = define(`update cases set contacts = $3 where tenant = $1 and id = $2`)
	linkInsert      = define(`insert into case_contacts (tenant, contact, case_id, role) values ($1, $2, $3, $4)`)
	linkDrop        = define(`delete from case_contacts
		where tenant = $1 and contact = $2 and case_id = $3 and role = $4`)
	linksOfContact = define(`select l.case_id, l.role
		from case_contacts l join cases c on c.tenant = l.tenant and c.id = l.case_id
		where l.tenant = $1 and l.contact = $2
			and (l.case_id > $3 or (l.case_id = $3 and l.role > $4))
			and ($7 >= 2 or c.classification = 'PUBLIC')
			and ($7 >= 3 or c.classification <> 'RESTRICTED') and $7 >= 1
			and c.type not in (select r.key from rows($6: key text) as r)
			and c.type || '/' || c.state not in (select r.key from rows($6: key text) as r)
		order by l.case_id, l.role limit $5`)
	linksDropCase = define(`delete from case_contacts where tenant = $1 and case_id = $2`)

	// Deleted contacts that are kept for a case. The lock serialises concurrent transactions that remove the last
	// links, so that the later one sees that no link is left.
	keptLock = define(`update contacts set version = version where tenant = $1 and deleted
		and id in (select r.id from rows($2: id bigint) as r) returning id`)
	keptDrop = define(`delete from contacts where tenant = $1 and deleted
		and id in (select r.id from rows($2: id bigint) as r)
		and not exists (select 1 from case_contacts l where l.tenant = $1 and l.contact = contacts.id)`)
)

// maxContacts is the highest number of links of a case: all of them are in its snapshots.
const maxContacts = 200

// ContactFilter selects contacts; empty fields select all.
type ContactFilter struct {
	// Text occurs in names, business name, email or phones, in any spelling and with any spacing of digits.
	Text  string
	After Position // the last contact of the previous page
	Limit int
}

// Link is a case that a contact is linked to, and the contact's role in it.
type Link struct {
	CaseID int64
	Role   string
}

// Contact returns a contact.
func (r reader) Contact(ctx context.Context, tenant, id int64) (cases.Contact, error) {
	rows, err := r.q.query(ctx, contactGet, tenant, id)
	return one(rows, err, scanContact(), contactMissing(id))
}

// Contacts lists contacts, newest first.
func (r reader) Contacts(ctx context.Context, tenant int64, f ContactFilter) (Page[cases.Contact], error) {
	text, digits := "", ""
	if f.Text != "" {
		var err error
		if text, err = likePattern(f.Text); err != nil {
			return Page[cases.Contact]{}, err
		}
		digits = digitsPattern(f.Text)
	}
	rows, err := r.q.query(ctx, contactList, tenant, text, digits, f.After.before(), f.After.ID, f.Limit+1)
	return collectPage(rows, err, f.Limit, sized(contactColumns, func(r *contactRow) (cases.Contact, int, error) {
		return r.Contact, r.details, nil
	}))
}

// ContactsByID returns contacts by id, including deleted ones that are kept for cases.
func (r reader) ContactsByID(ctx context.Context, tenant int64, ids []int64) (map[int64]cases.Contact, error) {
	list := make([][]any, len(ids))
	for i, id := range ids {
		list[i] = []any{id}
	}
	parameter, err := encodeRows(list)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, contactsByID, tenant, parameter)
	all, err := collect(rows, err, scanContact())
	found := make(map[int64]cases.Contact, len(all))
	for _, c := range all {
		found[c.ID] = c
	}
	return found, err
}

// LockContact returns a contact and locks it until the transaction ends.
func (tx *Tx) LockContact(ctx context.Context, tenant, id int64) (cases.Contact, error) {
	rows, err := tx.q.query(ctx, contactLock, tenant, id)
	return one(rows, err, scanContact(), contactMissing(id))
}

// InsertContact saves a new contact.
func (tx *Tx) InsertContact(ctx context.Context, c cases.Contact) error {
	row := contactRow{Contact: c, search: contactText(c.ContactDetails)}
	_, err := contactInserted.exec(ctx, tx.q, contactInsert, &row)
	return err
}

// UpdateContact saves a contact if its version is still c.Version, and returns it with its new version. Otherwise it
// returns a conflict.
func (tx *Tx) UpdateContact(ctx context.Context, c cases.Contact) (cases.Contact, error) {
	row := contactRow{Contact: c, search: contactText(c.ContactDetails)}
	rows, err := contactUpdated.query(ctx, tx.q, contactUpdate, &row, c.Tenant, c.ID, c.Version)
	version, err := one(rows, err, scanValue[int64], tx.contactMoved(ctx, c.Tenant, c.ID))
	if c.Version = version; err != nil {
		return c, err
	}
	return c, tx.saveAroundContact(ctx, c.Tenant, c.ID)
}

// DeleteContact removes a contact if its version is still c.Version, and returns its last version. Linked cases still
// show the contact until their last link is removed; no list or search returns it.
func (tx *Tx) DeleteContact(ctx context.Context, c cases.Contact) (int64, error) {
	links, err := tx.Links(ctx, c.Tenant, LinkFilter{Contact: c.ID, Clearance: casetype.Restricted, Limit: 1})
	if err != nil {
		return 0, err
	}
	drop := contactDrop
	if len(links) > 0 {
		drop = contactHide
	}
	rows, err := tx.q.query(ctx, drop, c.Tenant, c.ID, c.Version)
	version, err := one(rows, err, scanValue[int64], tx.contactMoved(ctx, c.Tenant, c.ID))
	if err != nil || len(links) == 0 {
		return version, err
	}
	return version, tx.saveAroundContact(ctx, c.Tenant, c.ID) // nobody finds it any more
}

// dropKept removes those of the contacts that are deleted and no longer linked to a case.
func (tx *Tx) dropKept(ctx context.Context, tenant int64, links ...event.CaseContact) error {
	if len(links) == 0 {
		return nil
	}
	ids := make([][]any, len(links))
	for i, link := range links {
		ids[i] = []any{link.ContactID}
	}
	list, err := encodeRows(ids)
	if err != nil {
		return err
	}
	rows, err := tx.q.query(ctx, keptLock, tenant, list)
	if kept, err := collect(rows, err, scanValue[int64]); err != nil || len(kept) == 0 {
		return err
	}
	_, err = tx.q.exec(ctx, keptDrop, tenant, list)
	return err
}

// LinkFilter selects the links of a contact to cases.
type LinkFilter struct {
	Contact   int64
	After     Link                    // the last link of the previous page
	Without   []string                // as [access.Reader] has it; links to these cases are left out
	Clearance casetype.Classification // links to cases above it are left out
	Limit     int
}

// Links lists the links of a contact, ordered by case and role.
func (r reader) Links(ctx context.Context, tenant int64, f LinkFilter) ([]Link, error) {
	list, err := keyRows(f.Without)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, linksOfContact, tenant, f.Contact, f.After.CaseID, f.After.Role, f.Limit, list,
		f.Clearance.Level())
	return collect(rows, err, func(rows *sql.Rows) (l Link, err error) {
		return l, rows.Scan(&l.CaseID, &l.Role)
	})
}

// LinkContact links a contact to a case in a role, and saves the case's next version and last activity. If the link
// exists, nothing changes.
func (tx *Tx) LinkContact(
	ctx context.Context, tenant, id int64, link event.CaseContact, by cases.Activity,
) (c cases.Case, changed bool, err error) {
	// Cases are locked before contacts, here as in a contact's deletion.
	if c, err = tx.lockCase(ctx, tenant, id); err != nil || c.Linked(link) {
		return c, false, err
	}
	if _, err := tx.LockContact(ctx, tenant, link.ContactID); err != nil {
		return c, false, err
	}
	if len(c.Contacts) >= maxContacts {
		return c, false, fault.New(fault.Conflict, "case.too_many_contacts",
			"The case already has %d contacts, which is the limit. Unlink one first.", maxContacts)
	}
	if _, err := tx.q.exec(ctx, linkInsert, tenant, link.ContactID, id, link.Role); err != nil {
		return c, false, err
	}
	return tx.setContacts(ctx, c, c.Link(link), by)
}

// UnlinkContact removes such a link, and likewise saves the case's next version. If there is no such link, nothing
// changes.
func (tx *Tx) UnlinkContact(
	ctx context.Context, tenant, id int64, link event.CaseContact, by cases.Activity,
) (c cases.Case, changed bool, err error) {
	if c, err = tx.lockCase(ctx, tenant, id); err != nil {
		return c, false, err
	}
	if !c.Linked(link) {
		_, err := tx.Contact(ctx, tenant, link.ContactID)
		return c, false, err
	}
	if _, err := tx.q.exec(ctx, linkDrop, tenant, link.ContactID, id, link.Role); err != nil {
		return c, false, err
	}
	if err := tx.dropKept(ctx, tenant, link); err != nil {
		return c, false, err
	}
	return tx.setContacts(ctx, c, c.Unlink(link), by)
}

// lockCase returns a case and locks it until the transaction ends.
func (tx *Tx) lockCase(ctx context.Context, tenant, id int64) (cases.Case, error) {
	if err := tx.LockCase(ctx, tenant, id); err != nil {
		return cases.Case{}, err
	}
	return tx.Case(ctx, tenant, id)
}

// setContacts writes the list of contacts in a locked case's row, and touches the case.
func (tx *Tx) setContacts(
	ctx context.Context, c cases.Case, contacts []event.CaseContact, by cases.Activity,
) (cases.Case, bool, error) {
	list, err := json.Marshal(append([]event.CaseContact{}, contacts...))
	if err != nil {
		return c, false, fmt.Errorf("encoding a case's contacts: %w", err)
	}
	if _, err := tx.q.exec(ctx, caseContactsSet, c.Tenant, c.ID, string(list)); err != nil {
		return c, false, err
	}
	if err := tx.saveAround(ctx, c.Tenant, c.ID); err != nil {
		return c, false, err
	}
	c, err = tx.TouchCase(ctx, c.Tenant, c.ID, by)
	return c, err == nil, err
}

// contactMoved explains why a conditional write found no row.
func (tx *Tx) contactMoved(ctx context.Context, tenant, id int64) func() error {
	return func() error {
		if _, err := tx.Contact(ctx, tenant, id); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "contact.version_conflict",
			"The contact changed meanwhile; nothing was saved. Load it again and repeat the change.")
	}
}

func contactMissing(id int64) func() error {
	return notFound("contact.not_found", "There is no contact %d.", id)
}

func scanContact() func(*sql.Rows) (cases.Contact, error) {
	return mapped(contactColumns, func(r *contactRow) (cases.Contact, error) { return r.Contact, nil })
}

// contactText returns the text of a contact that is searched, with one item per line: first the names as written, and
// last the digits of the phones.
func contactText(d event.ContactDetails) string {
	lines := []string{
		words(d.Title, d.FirstName, d.MiddleName, d.LastName), words(d.FirstName, d.LastName), d.BusinessName,
		d.Email, d.MobilePhone, d.HomePhone, d.WorkPhone,
	}
	for _, phone := range lines[4:] {
		lines = append(lines, cases.Digits(phone))
	}
	return spelling.Key(strings.Join(lines, "\n"))
}

func words(all ...string) string { return strings.Join(strings.Fields(strings.Join(all, " ")), " ") }

// digitsPattern returns a pattern for the digits of a phone number, or "" if the text is not a phone number.
func digitsPattern(text string) string {
	digits := cases.Digits(text)
	if len(digits) < 3 || strings.ContainsFunc(text, unicode.IsLetter) {
		return ""
	}
	return "%" + digits + "%"
}
