package schema

// fewItems is the number of items up to which each is compared with each other.
const fewItems = 8

func (v *validation) checkList(r *listRules, items []any, rest *remainder) bool {
	fits := true
	if len(items) < r.least {
		v.complain("has fewer than %s", count(r.least, "item"))
		fits = false
	}
	if r.most >= 0 && len(items) > r.most {
		v.complain("has more than %s", count(r.most, "item"))
		fits = false
	}
	if r.unique && v.more(fits) {
		if i, j, twice := v.duplicates(items); twice {
			v.complain("holds the same item twice, at %d and %d", i, j)
			fits = false
		}
	}
	if r.ids && v.more(fits) {
		fits = v.checkIDs(items) && fits
	}
	for i, item := range items {
		n := r.rest
		if i < len(r.first) {
			n = r.first[i]
		}
		if n == nil || !v.more(fits) {
			break
		}
		fits = v.part(n, item, token{index: i}) && fits
	}
	if r.contains != nil && v.more(fits) {
		fits = v.checkContains(r, items, rest) && fits
	}
	return fits
}

// duplicates finds the first item that equals an earlier one.
func (v *validation) duplicates(items []any) (first, second int, found bool) {
	same := func(a, b any) bool {
		is, err := equal(v.budget, a, b)
		v.must(err)
		return is
	}
	if len(items) <= fewItems {
		for j := range items {
			for i := range j {
				if same(items[i], items[j]) {
					return i, j, true
				}
			}
		}
		return 0, 0, false
	}
	v.spend(4 * len(items))
	byHash := make(map[uint64]int, len(items)) // the last item with the hash
	before := make([]int, len(items))          // and the one before it; -1: none
	for j, item := range items {
		h, err := hash(v.budget, item)
		v.must(err)
		before[j] = -1
		if i, known := byHash[h]; known {
			before[j] = i
		}
		for i := before[j]; i >= 0; i = before[i] {
			if same(items[i], item) {
				return i, j, true
			}
		}
		byHash[h] = j
	}
	return 0, 0, false
}

func (v *validation) checkContains(r *listRules, items []any, rest *remainder) bool {
	least := r.leastMatches
	if least < 0 {
		least = 1
	}
	begin, matches := len(v.found), 0
	for i, item := range items {
		if matches >= least && r.mostMatches < 0 && rest.empty() {
			break
		}
		if v.part(r.contains, item, token{index: i}) {
			matches++
			if rest != nil {
				delete(rest.items, i)
			}
		}
	}
	fits := matches >= least
	switch {
	case fits:
		v.found = v.found[:begin]
	case len(v.found) > begin: // the item's complaint is more exact
	case r.leastMatches < 0:
		v.complain("holds no item of the form that it must hold")
	default:
		v.complain("holds fewer than %d items of the form that it must hold", r.leastMatches)
	}
	if r.mostMatches >= 0 && matches > r.mostMatches {
		v.complain("holds more than %d items of the form that it may hold", r.mostMatches)
		fits = false
	}
	return fits
}
