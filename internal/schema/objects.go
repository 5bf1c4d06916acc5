package schema

import "slices"

func (v *validation) checkObject(r *objectRules, members map[string]any, rest *remainder) bool {
	fits := true
	if len(members) < r.least {
		v.complain("has fewer entries than %d", r.least)
		fits = false
	}
	if r.most >= 0 && len(members) > r.most {
		v.complain("has more entries than %d", r.most)
		fits = false
	}
	fits = v.checkRequired(r.required, members, "is required") && fits
	if len(r.properties) > 0 || len(r.patterns) > 0 || r.additional != nil || r.names != nil {
		if v.more(fits) {
			fits = v.checkMembers(r, members, rest) && fits
		}
	}
	for _, c := range r.conditionals {
		if _, given := members[c.name]; given && v.more(fits) {
			fits = v.same(c.node, members, rest) && fits
		}
	}
	v.spend(len(r.conditionals) + len(r.needs))
	for _, d := range r.needs {
		if _, given := members[d.name]; given && v.more(fits) {
			fits = v.checkRequired(d.required, members, "is required when "+d.name+" is given") && fits
		}
	}
	return fits
}

func (v *validation) checkRequired(required []string, members map[string]any, message string) bool {
	v.spend(len(required) / 2)
	fits := true
	for _, name := range required {
		if _, given := members[name]; !given {
			v.complainOf(name, message)
			if fits = false; v.silent() {
				return false
			}
		}
	}
	return fits
}

// checkMembers validates names and members, in their order.
func (v *validation) checkMembers(r *objectRules, members map[string]any, rest *remainder) bool {
	v.spend(2 + 2*len(members))
	begin, fits := len(v.names), true
	for name := range members {
		v.names = append(v.names, name)
	}
	names := v.names[begin:]
	slices.Sort(names)
	for _, name := range names {
		if fits = v.checkMember(r, name, members[name], rest) && fits; !v.more(fits) {
			break
		}
	}
	v.names = v.names[:begin]
	return fits
}

func (v *validation) checkMember(r *objectRules, name string, value any, rest *remainder) bool {
	described, fits := false, true
	if n, ok := r.properties[name]; ok {
		described = true
		fits = v.part(n, value, token{name, -1})
	}
	for _, p := range r.patterns {
		if v.matches(p.pattern, name) {
			described = true
			fits = v.part(p.node, value, token{name, -1}) && fits
		}
	}
	if !described && r.additional != nil {
		described = true
		if r.additional.never {
			v.complainOf(name, "is not a known name here").Unknown = true
			fits = false
		} else {
			fits = v.part(r.additional, value, token{name, -1})
		}
	}
	if described && rest != nil {
		delete(rest.names, name)
	}
	if r.names != nil && v.more(fits) {
		fits = v.part(r.names, name, token{name, -1}) && fits
	}
	return fits
}
