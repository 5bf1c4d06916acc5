package document

import (
	"slices"

	"golang.org/x/text/unicode/bidi"
)

// This file computes the direction of each character of a paragraph (Unicode Standard Annex 9).
// golang.org/x/text/unicode/bidi has the characters' classes, but pairs no brackets, and reports no
// levels, without which a number that follows a right-to-left word can't be placed.

// rightToLeft reports whether a paragraph goes from right to left, by its first letter outside of isolates
// (rules P2 and P3).
func rightToLeft(text []rune) bool {
	depth := 0
	for _, r := range text {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.LRI, bidi.RLI, bidi.FSI:
			depth++
		case bidi.PDI:
			depth = max(0, depth-1)
		case bidi.L:
			if depth == 0 {
				return false
			}
		case bidi.R, bidi.AL:
			if depth == 0 {
				return true
			}
		}
	}
	return false
}

// maxDepth is the greatest explicit level.
const maxDepth = 125

// embedding is an entry of the stack of rules X1 to X8.
type embedding struct {
	level    int
	override bidi.Class // ON: none
	isolate  bool
}

// directions is the state of the rules for one paragraph.
type directions struct {
	text    []rune
	classes []bidi.Class // as the rules change them
	given   []bidi.Class
	levels  []int
	base    int
	ends    []int  // of each isolate's first character, where its last is; len(text) if nowhere
	closes  []bool // a PDI that ends an isolate
}

// levels returns the embedding level of each character: text goes from right to
// left where it is odd.
func levels(text []rune, rtl bool) []int {
	p := directions{text: text, levels: make([]int, len(text))}
	if rtl {
		p.base = 1
	}
	for _, r := range text {
		class, _ := bidi.LookupRune(r)
		p.given = append(p.given, class.Class())
	}
	p.classes = slices.Clone(p.given)
	p.pairIsolates()
	p.explicit()
	for _, sequence := range p.sequences() {
		sequence.weak()
		sequence.brackets()
		sequence.neutral()
		sequence.implicit()
	}
	for i, class := range p.given {
		switch {
		case !removed(class):
		case i > 0:
			p.levels[i] = p.levels[i-1]
		default:
			p.levels[i] = p.base
		}
	}
	return p.levels
}

// removed reports whether a character only sets the direction of others (rule X9).
func removed(c bidi.Class) bool {
	switch c {
	case bidi.LRE, bidi.RLE, bidi.LRO, bidi.RLO, bidi.PDF, bidi.BN:
		return true
	}
	return false
}

func isInitiator(c bidi.Class) bool { return c == bidi.LRI || c == bidi.RLI || c == bidi.FSI }

// explicit sets levels by the characters for that (rules X1 to X8).
func (p *directions) explicit() {
	stack := []embedding{{p.base, bidi.ON, false}}
	overflow, isolateOverflow, isolates := 0, 0, 0
	for i, class := range p.given {
		top := stack[len(stack)-1]
		p.levels[i] = top.level
		switch class {
		case bidi.RLE, bidi.LRE, bidi.RLO, bidi.LRO:
			level := nextLevel(top.level, class == bidi.RLE || class == bidi.RLO)
			if level > maxDepth || overflow > 0 || isolateOverflow > 0 {
				if isolateOverflow == 0 {
					overflow++
				}
				continue
			}
			stack = append(stack, embedding{level, overrideOf(class), false})
		case bidi.RLI, bidi.LRI, bidi.FSI:
			p.override(i, top)
			level := nextLevel(top.level, class == bidi.RLI || class == bidi.FSI && rightToLeft(p.text[i+1:p.ends[i]]))
			if level > maxDepth || overflow > 0 || isolateOverflow > 0 {
				isolateOverflow++
				continue
			}
			isolates++
			stack = append(stack, embedding{level, bidi.ON, true})
		case bidi.PDI:
			switch {
			case isolateOverflow > 0:
				isolateOverflow--
			case isolates > 0:
				overflow = 0
				for !stack[len(stack)-1].isolate {
					stack = stack[:len(stack)-1]
				}
				stack = stack[:len(stack)-1]
				isolates--
			}
			top = stack[len(stack)-1]
			p.levels[i] = top.level
			p.override(i, top)
		case bidi.PDF:
			switch {
			case isolateOverflow > 0:
			case overflow > 0:
				overflow--
			case !top.isolate && len(stack) > 1:
				stack = stack[:len(stack)-1]
			}
		default:
			if class != bidi.BN {
				p.override(i, top)
			}
		}
	}
}

func (p *directions) override(i int, e embedding) {
	if e.override != bidi.ON {
		p.classes[i] = e.override
	}
}

func overrideOf(c bidi.Class) bidi.Class {
	switch c {
	case bidi.RLO:
		return bidi.R
	case bidi.LRO:
		return bidi.L
	}
	return bidi.ON
}

// nextLevel returns the next odd or even level.
func nextLevel(level int, odd bool) int {
	if odd {
		return (level + 1) | 1
	}
	return (level + 2) &^ 1
}

// pairIsolates finds where isolates end (definition BD9).
func (p *directions) pairIsolates() {
	p.ends, p.closes = make([]int, len(p.given)), make([]bool, len(p.given))
	var open []int
	for i, class := range p.given {
		p.ends[i] = len(p.given)
		switch {
		case isInitiator(class):
			open = append(open, i)
		case class == bidi.PDI && len(open) > 0:
			p.ends[open[len(open)-1]], p.closes[i] = i, true
			open = open[:len(open)-1]
		}
	}
}

// sequence is an isolating run sequence: characters of one level that are adjacent, or have isolates
// between them.
type sequence struct {
	paragraph *directions
	at        []int // the characters
	level     int
	sos, eos  bidi.Class // what stands before and behind, L or R
}

// sequences joins runs of a level (definition BD13, rule X10).
func (p *directions) sequences() []sequence {
	runs, next := p.runs()
	var all []sequence
	for n, run := range runs {
		if p.closes[run[0]] {
			continue // part of another
		}
		s := sequence{paragraph: p, level: p.levels[run[0]]}
		before := p.base
		if n > 0 {
			before = p.levels[runs[n-1][0]]
		}
		for s.at = append(s.at, run...); ; s.at = append(s.at, runs[n]...) {
			last := s.at[len(s.at)-1]
			if !isInitiator(p.given[last]) || p.ends[last] == len(p.given) {
				break
			}
			n = next[p.ends[last]]
		}
		behind := p.base
		if n+1 < len(runs) && !isInitiator(p.given[s.at[len(s.at)-1]]) {
			behind = p.levels[runs[n+1][0]]
		}
		s.sos, s.eos = directionOf(max(s.level, before)), directionOf(max(s.level, behind))
		all = append(all, s)
	}
	return all
}

// runs splits the characters by their levels; next has the run of each character.
func (p *directions) runs() (runs [][]int, next []int) {
	next = make([]int, len(p.given))
	for i, class := range p.given {
		if removed(class) {
			continue
		}
		if len(runs) == 0 || p.levels[runs[len(runs)-1][0]] != p.levels[i] {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], i)
		next[i] = len(runs) - 1
	}
	return runs, next
}

func directionOf(level int) bidi.Class {
	if level%2 == 1 {
		return bidi.R
	}
	return bidi.L
}

// class returns the class of the sequence's nth character, or of its surroundings if there is none.
func (s *sequence) class(n int) bidi.Class {
	switch {
	case n < 0:
		return s.sos
	case n >= len(s.at):
		return s.eos
	}
	return s.paragraph.classes[s.at[n]]
}

func (s *sequence) set(n int, c bidi.Class) { s.paragraph.classes[s.at[n]] = c }

// weak resolves marks, numbers and their signs (rules W1 to W7).
func (s *sequence) weak() {
	strong := s.sos
	for n := range s.at { // W1 to W3
		switch c := s.class(n); c {
		case bidi.NSM:
			if before := s.class(n - 1); isInitiator(before) || before == bidi.PDI {
				s.set(n, bidi.ON)
			} else {
				s.set(n, before)
			}
			if strong == bidi.AL && s.class(n) == bidi.EN {
				s.set(n, bidi.AN)
			}
		case bidi.L, bidi.R, bidi.AL:
			strong = c
		case bidi.EN:
			if strong == bidi.AL {
				s.set(n, bidi.AN)
			}
		}
	}
	for n := range s.at {
		if s.class(n) == bidi.AL {
			s.set(n, bidi.R)
		}
	}
	for n := range s.at { // W4
		c, before, behind := s.class(n), s.class(n-1), s.class(n+1)
		inside := n > 0 && n < len(s.at)-1 && before == behind
		if inside && (before == bidi.EN && (c == bidi.ES || c == bidi.CS) || before == bidi.AN && c == bidi.CS) {
			s.set(n, before)
		}
	}
	s.signs()
	strong = s.sos
	for n := range s.at { // W6 and W7
		switch c := s.class(n); c {
		case bidi.ET, bidi.ES, bidi.CS:
			s.set(n, bidi.ON)
		case bidi.L, bidi.R:
			strong = c
		case bidi.EN:
			if strong == bidi.L {
				s.set(n, bidi.L)
			}
		}
	}
}

// signs makes signs next to a number part of it (rule W5).
func (s *sequence) signs() {
	for n := 0; n < len(s.at); n++ {
		end := n
		for end < len(s.at) && s.class(end) == bidi.ET {
			end++
		}
		if end > n && (n > 0 && s.class(n-1) == bidi.EN || end < len(s.at) && s.class(end) == bidi.EN) {
			for i := n; i < end; i++ {
				s.set(i, bidi.EN)
			}
		}
		n = max(n, end-1)
	}
}

// brackets sets the direction of pairs to that of their contents (rule N0).
func (s *sequence) brackets() {
	embedding := directionOf(s.level)
	for _, pair := range s.pairs() {
		found := bidi.ON
		for n := pair[0] + 1; n < pair[1] && found != embedding; n++ {
			if c := strongOf(s.class(n)); c != bidi.ON {
				found = c
			}
		}
		if found == bidi.ON {
			continue
		}
		if found != embedding {
			found = embedding
			for n := pair[0] - 1; n >= -1; n-- {
				if c := strongOf(s.class(n)); c != bidi.ON {
					found = c
					break
				}
			}
		}
		for _, n := range pair {
			s.set(n, found)
			for n++; n < len(s.at) && s.paragraph.given[s.at[n]] == bidi.NSM; n++ {
				s.set(n, found)
			}
		}
	}
}

// strongOf returns L, R or ON; numbers count as R here.
func strongOf(c bidi.Class) bidi.Class {
	switch c {
	case bidi.L:
		return bidi.L
	case bidi.R, bidi.EN, bidi.AN:
		return bidi.R
	}
	return bidi.ON
}

// pairs finds pairs of brackets, in the order of the opening ones (definition BD16).
func (s *sequence) pairs() [][2]int {
	const most = 63 // open brackets
	type open struct {
		closing rune
		n       int
	}
	var opened []open
	var pairs [][2]int
	for n, at := range s.at {
		r := s.paragraph.text[at]
		class, _ := bidi.LookupRune(r)
		if s.class(n) != bidi.ON || !class.IsBracket() {
			continue
		}
		if class.IsOpeningBracket() {
			if len(opened) == most {
				return nil
			}
			opened = append(opened, open{closing(r), n})
			continue
		}
		for i := len(opened) - 1; i >= 0; i-- {
			if opened[i].closing == canonical(r) {
				pairs = append(pairs, [2]int{opened[i].n, n})
				opened = opened[:i]
				break
			}
		}
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return a[0] - b[0] })
	return pairs
}

// closing returns the bracket that closes r: for most, the next code point.
func closing(r rune) rune {
	reversed := []rune(bidi.ReverseString(string(r)))
	return canonical(reversed[0])
}

// canonical maps angle brackets to their equivalents.
func canonical(r rune) rune {
	switch r {
	case '\u2329':
		return '\u3008'
	case '\u232a':
		return '\u3009'
	}
	return r
}

// neutral sets the direction of neutral text to that of its neighbours if they agree, or else the paragraph's (rules
// N1 and N2).
func (s *sequence) neutral() {
	for n := 0; n < len(s.at); n++ {
		end := n
		for end < len(s.at) && isNeutral(s.class(end)) {
			end++
		}
		if end == n {
			continue
		}
		direction := directionOf(s.level)
		if before := strongOf(s.class(n - 1)); before == strongOf(s.class(end)) {
			direction = before
		}
		for ; n < end; n++ {
			s.set(n, direction)
		}
	}
}

func isNeutral(c bidi.Class) bool {
	return c == bidi.B || c == bidi.S || c == bidi.WS || c == bidi.ON || c == bidi.PDI || isInitiator(c)
}

// implicit sets the levels by the directions (rules I1 and I2).
func (s *sequence) implicit() {
	for n, at := range s.at {
		switch c := s.class(n); {
		case s.level%2 == 1 && c != bidi.R, s.level%2 == 0 && c == bidi.R:
			s.paragraph.levels[at]++
		case s.level%2 == 0 && (c == bidi.AN || c == bidi.EN):
			s.paragraph.levels[at] += 2
		}
	}
}
