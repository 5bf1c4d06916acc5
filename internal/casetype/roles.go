package casetype

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// builtInRoles are the roles of users and tokens.
var builtInRoles = []string{"admin", "manager", "caseworker", "viewer"}

// TypeRole is a role that a definition names besides those of users and tokens.
type TypeRole struct {
	Of string `json:"of,omitempty"` // OfCase, or empty: of the type
}

// OfCase says that a role is granted case by case.
const OfCase = "case"

// Creator is the role of a case that whoever creates the case is granted, if the type has it.
const Creator = "[CREATOR]"

// CaseRoles lists the roles that are granted case by case.
func (d *Definition) CaseRoles() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(d.Roles)) {
		if d.Roles[name].Of == OfCase {
			names = append(names, name)
		}
	}
	return names
}

// rolesOf returns the roles of users and tokens that a list means: its own, and those that have the roles of the type
// in it. An absent list stays absent, and an empty one has the administrators alone.
func (m RoleMap) rolesOf(list []string) []string {
	if list == nil {
		return nil
	}
	roles := []string{}
	for _, name := range list {
		for _, role := range m.having(name) {
			if !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// having returns the roles of users and tokens that have a role: those that it is mapped to, or the role itself.
func (m RoleMap) having(name string) []string {
	if mapped, ok := m[name]; ok {
		return mapped
	}
	return []string{name}
}

// RolesOf returns the roles that somebody with some roles of users and tokens has in the type: these, and those of the
// type.
func (d *Definition) RolesOf(held []string) []string {
	roles := slices.Clone(held)
	for _, name := range slices.Sorted(maps.Keys(d.RoleMap)) {
		has := func(role string) bool { return slices.Contains(held, role) }
		if !slices.Contains(roles, name) && slices.ContainsFunc(d.RoleMap[name], has) {
			roles = append(roles, name)
		}
	}
	return roles
}

// RoleMap holds the roles of users and tokens that have a role of the type, by that role. A role that is not in it is
// had by users and tokens with a further role of its name.
type RoleMap map[string][]string

// resolveRoles replaces the roles of the type by those of users and tokens.
func (d *Definition) resolveRoles() {
	d.Access.Read, d.Access.Write = d.RoleMap.rolesOf(d.Access.Read), d.RoleMap.rolesOf(d.Access.Write)
	for field, roles := range d.Access.Fields {
		d.Access.Fields[field] = FieldAccess{
			Read: d.RoleMap.rolesOf(roles.Read), Create: d.RoleMap.rolesOf(roles.Create),
			Update: d.RoleMap.rolesOf(roles.Update),
		}
	}
	for state, roles := range d.Access.States {
		d.Access.States[state] = StateAccess{
			Read: d.RoleMap.rolesOf(roles.Read), Update: d.RoleMap.rolesOf(roles.Update),
		}
	}
	for i := range d.Transitions {
		d.Transitions[i].Roles = d.RoleMap.rolesOf(d.Transitions[i].Roles)
	}
}

// Reading holds the roles of users and tokens that may read the cases of a type.
type Reading struct {
	Roles  []string            // nil: all
	States map[string][]string // further lists, for the cases in a state

	CaseRoles []string // roles that are granted case by case, some of which may be in the lists
	AllStates []string // the keys of all states
}

// Readers returns who may read the cases of a type, by the JSON of its definition as [Type.JSON] returns it.
func Readers(definitionJSON []byte) (Reading, error) {
	var d Definition
	err := json.Unmarshal(definitionJSON, &struct {
		Access  *Access              `json:"access"`
		Roles   *map[string]TypeRole `json:"roles"`
		RoleMap *RoleMap             `json:"role_map"`
		States  *[]State             `json:"states"`
	}{&d.Access, &d.Roles, &d.RoleMap, &d.States})
	d.resolveRoles()
	return d.Reading(), err
}

// Reading returns who may read the cases of the type.
func (d *Definition) Reading() Reading {
	r := Reading{Roles: d.Access.Read, CaseRoles: d.CaseRoles()}
	for _, s := range d.States {
		r.AllStates = append(r.AllStates, s.Key)
	}
	for state, access := range d.Access.States {
		if access.Read == nil {
			continue
		}
		if r.States == nil {
			r.States = map[string][]string{}
		}
		r.States[state] = access.Read
	}
	return r
}

// checkRoleNames checks the roles of the type, and each list of roles.
func (c *checker) checkRoleNames() {
	own := object(c.root()["roles"])
	names := slices.Concat(builtInRoles, slices.Sorted(maps.Keys(own)))
	mapped := object(c.root()["role_map"])
	for _, name := range slices.Sorted(maps.Keys(own)) {
		inBrackets, ofCase := strings.HasPrefix(name, "["), object(own[name])["of"] == OfCase
		if slices.Contains(builtInRoles, name) {
			c.fault(pointer("/roles", name), "is a role of users and tokens already: choose another name")
		} else if ofCase && !inBrackets {
			c.fault(pointer("/roles", name, "of"), "is for roles in brackets: call it [%s]", name)
		} else if inBrackets && !ofCase {
			c.warn(pointer("/roles", name), "is a role that nobody has: with of: case it is granted case by case")
		} else if list, is := mapped[name]; is && len(items(list)) == 0 {
			c.warn(pointer("/role_map", name), "is empty, so that nobody has the role: name the roles of users and "+
				"tokens that have it, or leave the list out: then those have it who have a further role of this name")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(mapped)) {
		if _, ok := own[name]; !ok {
			c.fault(pointer("/role_map", name), "is not one of roles%s", c.oneOf(name, slices.Sorted(maps.Keys(own))))
		}
	}
	check := func(list any, path string) {
		for i, name := range texts(list) {
			if name != "" && !slices.Contains(names, name) {
				c.fault(pointer(path, strconv.Itoa(i)), "%q is not a role%s", name, c.oneOf(name, names))
			}
		}
	}
	access := object(c.root()["access"])
	check(access["read"], "/access/read")
	check(access["write"], "/access/write")
	fields := object(access["fields"])
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		at := pointer("/access/fields", field)
		c.checkFieldName(field, at)
		check(object(fields[field])["read"], at+"/read")
		check(object(fields[field])["create"], at+"/create")
		check(object(fields[field])["update"], at+"/update")
	}
	states := object(access["states"])
	for _, state := range slices.Sorted(maps.Keys(states)) {
		at := pointer("/access/states", state)
		if !slices.Contains(c.stateKeys(), state) {
			c.fault(at, "is not a state%s", c.oneOf(state, c.stateKeys()))
		}
		check(object(states[state])["read"], at+"/read")
		check(object(states[state])["update"], at+"/update")
	}
	for i, item := range items(c.root()["transitions"]) {
		check(object(item)["roles"], pointer("", "transitions", strconv.Itoa(i), "roles"))
	}
}

// rolesIn returns the roles of users and tokens that a list means as it is written.
func (c *checker) rolesIn(list any) []string {
	m := RoleMap{}
	for name, roles := range object(c.root()["role_map"]) {
		m[name] = texts(roles)
	}
	return m.rolesOf(texts(list))
}
