package schema

func (v *validation) checkBranches(b *branches, value any, rest *remainder) bool {
	fits := true
	if b.not != nil && v.silently(b.not, value, rest) {
		v.complain("matches a schema that it must not match")
		fits = false
	}
	for _, n := range b.all {
		if v.more(fits) {
			fits = v.same(n, value, rest) && fits
		}
	}
	if len(b.any) > 0 && v.more(fits) {
		fits = v.checkAny(b.any, value, rest) && fits
	}
	if len(b.one) > 0 && v.more(fits) {
		fits = v.checkOne(b.one, value, rest) && fits
	}
	if b.when != nil && v.more(fits) {
		n := b.otherwise
		if v.silently(b.when, value, rest) {
			n = b.then
		}
		fits = (n == nil || v.same(n, value, rest)) && fits
	}
	return fits
}

// checkAny validates by all branches while rest needs it, otherwise up to the first that fits.
func (v *validation) checkAny(all []*node, value any, rest *remainder) bool {
	begin, fits := len(v.found), false
	ends := make([]int, 0, len(all))
	for _, n := range all {
		if v.same(n, value, rest) {
			if fits = true; rest.empty() {
				break
			}
		}
		ends = append(ends, len(v.found)-begin)
	}
	return v.close(begin, ends, fits)
}

// checkOne validates by all branches up to the second that fits.
func (v *validation) checkOne(all []*node, value any, rest *remainder) bool {
	begin, fits := len(v.found), false
	ends := make([]int, 0, len(all))
	for _, n := range all {
		switch {
		case !fits:
			fits = v.same(n, value, rest)
			ends = append(ends, len(v.found)-begin)
		case v.silently(n, value, rest):
			v.found = v.found[:begin]
			v.complain("fits more than one of the forms of which it must fit one")
			return false
		}
	}
	return v.close(begin, ends, fits)
}

// close replaces the complaints of the branches by one, or by none if one of them fits.
func (v *validation) close(begin int, ends []int, fits bool) bool {
	found := v.found[begin:]
	v.found = v.found[:begin]
	if !fits && !v.silent() {
		v.complain("fits none of the allowed forms: " + forms(found, ends, len(v.path)))
	}
	return fits
}
