package ccd

import (
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/sheets"
)

// grants are the profiles that may create, read and update something.
type grants struct{ create, read, update []string }

// onlyAdmins are the roles of something that no profile may do. Administrators may do it anyway.
var onlyAdmins = []string{"admin"}

// granted collects the profiles of the rows of a sheet on access, by what the column names.
func (t *typeImporter) granted(sheet, column string, known func(id string) bool) map[string]*grants {
	all := map[string]*grants{}
	for _, row := range t.im.of(sheet, t.id) {
		id, profile := row.ID(column), row.ID(sheets.AccessProfile)
		if !known(id) {
			t.im.note(row.At(column), "%s.%s: there is no %s in %s; the row is ignored", sheet, column, id, t.id)
			continue
		}
		t.roles[profile] = true
		g := all[id]
		if g == nil {
			g = &grants{}
			all[id] = g
		}
		for _, letter := range strings.ToUpper(row.ID("CRUD")) {
			switch letter {
			case 'C':
				g.create = append(g.create, profile)
			case 'R':
				g.read = append(g.read, profile)
			case 'U':
				g.update = append(g.update, profile)
			case 'D', ' ', ',':
			default:
				t.im.note(row.At("CRUD"), "%s.CRUD: %q is no right, and is ignored", sheet, string(letter))
			}
		}
	}
	for _, g := range all {
		for _, list := range []*[]string{&g.create, &g.read, &g.update} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
	}
	return all
}

// tree returns the access to a field or a state.
func (g *grants) tree() tree {
	if g == nil {
		g = &grants{}
	}
	or := func(profiles []string) []string {
		if len(profiles) == 0 {
			return onlyAdmins
		}
		return profiles
	}
	return tree{{"create", or(g.create)}, {"read", or(g.read)}, {"update", or(g.update)}}
}

// access returns the access to fields and states.
func (t *typeImporter) access() tree {
	hasData := func(id string) bool {
		row, ok := t.fields[id]
		return ok && t.im.sort(typeOf(row)) != noDataSort
	}
	byField := t.granted(sheets.FieldAccess, "CaseFieldID", func(id string) bool { _, ok := t.fields[id]; return ok })
	byState := t.granted(sheets.StateAccess, "CaseStateID", func(id string) bool { return t.known[id] })
	fields, states := tree{}, tree{}
	for _, id := range sortedKeys(t.fields) {
		if hasData(id) {
			fields = append(fields, member{id, byField[id].tree()})
		}
	}
	for _, row := range t.states {
		states = append(states, member{row.ID("ID"), byState[row.ID("ID")].tree()})
	}
	t.noteMembers(byField)
	return tree{{"fields", fields}, {"states", states}}
}

// noteMembers notes the members to which a profile had less access than to their field.
func (t *typeImporter) noteMembers(byField map[string]*grants) {
	for _, row := range t.im.of(sheets.MemberAccess, t.id) {
		g := byField[row.ID("CaseFieldID")]
		if g == nil {
			continue
		}
		profile, rights := row.ID(sheets.AccessProfile), strings.ToUpper(row.ID("CRUD"))
		for letter, profiles := range map[string][]string{"C": g.create, "R": g.read, "U": g.update} {
			if slices.Contains(profiles, profile) && !strings.Contains(rights, letter) {
				t.im.note(row.Place(), "AuthorisationComplexType: a member had less access than its field, and has "+
					"the field's now")
				break
			}
		}
	}
}

// isCaseRole reports whether a profile is granted case by case.
func isCaseRole(profile string) bool { return strings.HasPrefix(profile, "[") }

// allRoles declares the access profiles of the type.
func (t *typeImporter) allRoles() tree {
	for _, row := range t.im.of(sheets.TypeAccess, t.id) {
		t.roles[row.ID(sheets.AccessProfile)] = true
	}
	for _, row := range t.im.of(sheets.CaseRoles, t.id) {
		t.roles[row.ID("ID")] = true
	}
	t.roleMap()
	made := tree{}
	for _, profile := range sortedKeys(t.roles) {
		of := tree{}
		if isCaseRole(profile) {
			of = tree{{"of", "case"}}
		}
		made = append(made, member{profile, of})
	}
	return made
}

// roleMap maps each access profile to the roles of tokens that have it.
func (t *typeImporter) roleMap() tree {
	roles := map[string][]string{}
	for _, row := range t.im.of(sheets.RoleToAccessProfiles, t.id) {
		if yes(row.ID("Disabled")) {
			continue
		}
		role := strings.TrimPrefix(row.ID("RoleName"), "idam:")
		for profile := range strings.SplitSeq(row.ID("AccessProfiles"), ",") {
			if profile = strings.TrimSpace(profile); profile != "" {
				t.roles[profile] = true
				if profile != role {
					roles[profile] = append(roles[profile], role)
				}
			}
		}
	}
	made := tree(nil)
	for _, profile := range sortedKeys(roles) {
		list := roles[profile]
		slices.Sort(list)
		made = append(made, member{profile, slices.Compact(list)})
	}
	return made
}
