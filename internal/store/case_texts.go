package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/spelling"
)

// A case is also found by the words around it: those of its comments, of its files' names and of its contacts' names.
// They are made anew whenever one of these changes.

// The bounds of what is read for the words around a case.
const (
	mostAround = 1000 // comments, and as many files
	mostLinked = 500  // cases whose words follow a contact at once; those of the others follow in the background
)

var (
	// aroundList lists the texts around a case with the clearance that each takes, the newest first.
	aroundList = define(`select filename, clearance from (
			select filename, clearance from attachments where tenant = $1 and case_id = $2 order by id desc limit $3
		) as files
		union all select text, 'PUBLIC' from (
			select text from comments where tenant = $1 and case_id = $2 order by id desc limit $3
		) as written`)
	aroundContacts = define(`select k.details from case_contacts l {{bycase}} cross join contacts k
		where l.tenant = $1 and l.case_id = $2 and k.tenant = l.tenant and k.id = l.contact and not k.deleted
		order by k.id`)
	aroundSave = define(`insert into case_texts (tenant, case_id, search, search_private, search_restricted, folding)
		values ($1, $2, $3, $4, $5, 1)
		on conflict (tenant, case_id) do update set search = excluded.search,
			search_private = excluded.search_private, search_restricted = excluded.search_restricted, folding = 1
		where case_texts.folding = 0 or case_texts.search <> excluded.search
			or case_texts.search_private <> excluded.search_private
			or case_texts.search_restricted <> excluded.search_restricted`)
	aroundDrop = define(`delete from case_texts where tenant = $1 and case_id = $2`)

	aroundLinked = define(`select distinct case_id from case_contacts
		where tenant = $1 and contact = $2 order by case_id limit $3`)
	aroundLock = postgresOnly(`select id from cases where tenant = $1 and id in (
			select case_id from case_contacts where tenant = $1 and contact = $2 order by case_id limit $3
		) order by id for update`)
	aroundStale = define(`insert into case_texts (tenant, case_id, search, search_private, search_restricted, folding)
		select distinct tenant, case_id, '', '', '', 0 from case_contacts where tenant = $1 and contact = $2
		on conflict (tenant, case_id) do update set folding = 0`)
	aroundUnfolded = define(`select tenant, case_id from case_texts where folding = 0
		order by tenant, case_id limit $1`)
)

// saveAround makes the words around a case, which the caller has locked.
func (tx *Tx) saveAround(ctx context.Context, tenant, caseID int64) error {
	var texts [3]strings.Builder
	rows, err := tx.q.query(ctx, aroundContacts, tenant, caseID)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var d event.ContactDetails
		err = rows.Scan(&jsonTarget{name: "details", into: &d})
		writeValues(&texts[0], words(d.Title, d.FirstName, d.MiddleName, d.LastName))
		writeValues(&texts[0], d.BusinessName)
		return none, err
	})
	if err != nil {
		return err
	}
	rows, err = tx.q.query(ctx, aroundList, tenant, caseID, mostAround)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var text string
		var class casetype.Classification
		err = rows.Scan(&text, &class)
		if b := &texts[place(class)]; b.Len() < 4*maxAround { // keys may be shorter than their texts
			writeValues(b, text)
		}
		return none, err
	})
	if err != nil {
		return err
	}
	args := []any{tenant, caseID}
	for i := range texts {
		args = append(args, wordTextUpTo(spelling.Key(texts[i].String()), maxAround))
	}
	_, err = tx.q.exec(ctx, aroundSave, args...)
	return err
}

// LockCasesOf locks the cases that a contact is linked to, as far as their words follow the contact at once. Cases are
// locked before contacts.
func (tx *Tx) LockCasesOf(ctx context.Context, tenant, contact int64) error {
	if tx.dialect != postgres {
		return nil
	}
	rows, err := tx.q.query(ctx, aroundLock, tenant, contact, mostLinked)
	_, err = collect(rows, err, scanValue[int64])
	return err
}

// saveAroundContact makes the words around the cases that a contact is linked to.
func (tx *Tx) saveAroundContact(ctx context.Context, tenant, contact int64) error {
	rows, err := tx.q.query(ctx, aroundLinked, tenant, contact, mostLinked+1)
	linked, err := collect(rows, err, scanValue[int64])
	if err != nil {
		return err
	}
	if len(linked) > mostLinked {
		if _, err := tx.q.exec(ctx, aroundStale, tenant, contact); err != nil {
			return err
		}
		linked = linked[:mostLinked]
	}
	for _, id := range linked {
		if err := tx.saveAround(ctx, tenant, id); err != nil {
			return err
		}
	}
	return nil
}

// foldAround makes the words around some cases that have none yet, and reports whether there may be more.
func (s *Store) foldAround(ctx context.Context) (more bool, err error) {
	portion := 100
	if s.Nodes() {
		portion = 1 // nobody waits for more than one case
	}
	rows, err := s.q.query(ctx, aroundUnfolded, portion)
	type key struct{ tenant, id int64 }
	keys, err := collect(rows, err, func(rows *sql.Rows) (k key, err error) { return k, rows.Scan(&k.tenant, &k.id) })
	if err != nil || len(keys) == 0 {
		return false, err
	}
	return true, s.Update(ctx, func(tx *Tx) error {
		for _, k := range keys {
			if err := tx.LockCase(ctx, k.tenant, k.id); err != nil {
				return err
			}
			if err := tx.saveAround(ctx, k.tenant, k.id); err != nil {
				return err
			}
		}
		return nil
	})
}
