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

// orAdmins returns profiles, or the administrators if there are none.
func orAdmins(profiles []string) []string {
	if len(profiles) == 0 {
		return onlyAdmins
	}
	return profiles
}

// access returns the access to the cases and to their fields.
func (t *typeImporter) access() tree {
	cases := t.granted(sheets.TypeAccess, "CaseTypeID", func(string) bool { return true })[t.id]
	if cases == nil {
		cases = &grants{}
	}
	write := slices.Concat(cases.create, cases.update)
	slices.Sort(write)
	write = slices.Compact(write)
	for _, profile := range write {
		if slices.Contains(cases.create, profile) != slices.Contains(cases.update, profile) {
			t.im.note(t.row.Place(), "AuthorisationCaseType: a profile with C or U may create and change cases, as "+
				"far as roles of transitions let it")
		}
	}
	byField := t.granted(sheets.FieldAccess, "CaseFieldID", func(id string) bool { _, ok := t.fields[id]; return ok })
	fields := tree{}
	for _, id := range sortedKeys(t.fields) {
		row, g := t.fields[id], byField[id]
		if t.im.sort(typeOf(row)) == noDataSort {
			continue
		}
		if g == nil {
			g = &grants{}
		}
		own := tree(nil)
		if lacks(cases.read, g.read) {
			own = own.with("read", orAdmins(g.read))
		}
		own = append(own, member{"create", orAdmins(g.create)}, member{"update", orAdmins(g.update)})
		fields = append(fields, member{id, own})
	}
	t.noteMembers(byField)
	return tree{{"read", orAdmins(cases.read)}, {"write", orAdmins(write)}}.
		with("states", t.accessToStates(cases)).with("fields", fields)
}

// lacks reports whether some of the profiles are not in a list.
func lacks(profiles, in []string) bool {
	return slices.ContainsFunc(profiles, func(profile string) bool { return !slices.Contains(in, profile) })
}

// accessToStates returns the access to cases in states in which a profile has less than in others.
func (t *typeImporter) accessToStates(cases *grants) (states tree) {
	byState := t.granted(sheets.StateAccess, "CaseStateID", func(id string) bool { return t.known[id] })
	for _, row := range t.states {
		g := byState[row.ID("ID")]
		if g == nil {
			g = &grants{}
		}
		own := tree(nil)
		if lacks(cases.read, g.read) {
			own = own.with("read", orAdmins(g.read))
		}
		if lacks(cases.update, g.update) {
			own = own.with("update", orAdmins(g.update))
		}
		if len(own) > 0 {
			states = append(states, member{row.ID("ID"), own})
		}
	}
	return states
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

// ownRoles are the roles that users and tokens of Casehook have. They need no declaration.
var ownRoles = []string{"admin", "manager", "caseworker", "viewer"}

// allRoles declares the access profiles and the case roles of the type.
func (t *typeImporter) allRoles() tree {
	for _, row := range t.im.of(sheets.CaseRoles, t.id) {
		t.roles[row.ID("ID")] = true
	}
	t.roleMap()
	made := tree{}
	for _, profile := range sortedKeys(t.roles) {
		if !slices.Contains(ownRoles, profile) {
			of := tree{}
			if strings.HasPrefix(profile, "[") {
				of = tree{{"of", "case"}}
			}
			made = append(made, member{profile, of})
		}
	}
	return made
}

// roleMap maps access profiles to the roles of users that have them.
func (t *typeImporter) roleMap() tree {
	roles := map[string][]string{}
	for _, row := range t.im.of(sheets.RoleToAccessProfiles, t.id) {
		if yes(row.ID("Disabled")) {
			continue
		}
		role := strings.TrimPrefix(row.ID("RoleName"), "idam:")
		for profile := range strings.SplitSeq(row.ID("AccessProfiles"), ",") {
			if profile = strings.TrimSpace(profile); profile == "" {
				continue
			}
			t.roles[profile] = true
			inBrackets := strings.HasPrefix(role, "[")
			if inBrackets {
				t.roles[role] = true
			}
			if role != "" && (role != profile || !inBrackets) {
				roles[profile] = append(roles[profile], role)
			}
		}
	}
	made := tree(nil)
	for _, profile := range sortedKeys(roles) {
		list := roles[profile]
		slices.Sort(list)
		if !slices.Contains(ownRoles, profile) {
			made = append(made, member{profile, slices.Compact(list)})
		}
	}
	return made
}

// noteRoles notes what is left out of the sheets on roles.
func (t *typeImporter) noteRoles() {
	for _, row := range t.im.of(sheets.CaseRoles, t.id) {
		t.im.noteColumns(row, lostOfRoles)
	}
	for _, row := range t.im.of(sheets.RoleToAccessProfiles, t.id) {
		t.im.noteColumns(row, lostOfRoleMaps)
		if yes(row.ID("Disabled")) {
			t.im.note(row.At("Disabled"), "RoleToAccessProfiles.Disabled: a disabled row is left out")
			continue
		}
		if yes(row.ID("ReadOnly")) {
			t.im.note(row.At("ReadOnly"), "RoleToAccessProfiles.ReadOnly: a role that may only read has all that its "+
				"access profiles may do")
		}
	}
}
