package casetype

import (
	"slices"
	"strings"
)

// Classification is a level of secrecy, or a clearance to see it.
//
// That of a field which only some roles may read ends in these: PRIVATE|clerk,officer. Of data with several such fields
// it has all their lists: PRIVATE|clerk,officer|auditor. A clearance by which such fields are seen ends in the roles of
// who has it: PRIVATE caseworker clerk. It needs a role of each list. One without roles sees no such field, so
// whoever compares levels alone shows too little, never too much.
type Classification string

// The levels, from lowest to highest.
const (
	Public     Classification = "PUBLIC"
	Private    Classification = "PRIVATE"
	Restricted Classification = "RESTRICTED"
)

// everyRole stands for all roles, as administrators have them. A list that has it alone is for them.
const everyRole = "*"

// maxLists bounds the lists of a classification. One with more is left to administrators.
const maxLists = 8

// Classifications lists the levels from lowest to highest.
func Classifications() []Classification { return []Classification{Public, Private, Restricted} }

// LimitedTo returns the classification of something that only some roles may read.
func (c Classification) LimitedTo(roles []string) Classification {
	list := slices.Sorted(slices.Values(roles))
	if len(list) == 0 {
		list = []string{everyRole}
	}
	return c + "|" + Classification(strings.Join(slices.Compact(list), ","))
}

// WithRoles returns a clearance with the roles of who has it.
func (c Classification) WithRoles(roles ...string) Classification {
	if c == "" {
		return ""
	}
	return c.Plain() + " " + Classification(strings.Join(roles, " "))
}

// WithAllRoles returns a clearance that sees fields whatever roles may read them.
func (c Classification) WithAllRoles() Classification { return c.WithRoles(everyRole) }

// Plain returns the level alone.
func (c Classification) Plain() Classification {
	if end := strings.IndexAny(string(c), "| "); end >= 0 {
		return c[:end]
	}
	return c
}

// AtMost returns the classification with its level lowered to another one's.
func (c Classification) AtMost(bound Classification) Classification {
	level := c.Plain()
	return Lower(level, bound) + c[len(level):]
}

// Limited reports whether only some roles may read what is classified so.
func (c Classification) Limited() bool { return strings.Contains(string(c), "|") }

// rank orders the levels. An unknown one ranks above all, so that no caller sees a field that is wrongly classified.
func (c Classification) rank() int {
	switch c.Plain() {
	case Public:
		return 1
	case Private:
		return 2
	case Restricted:
		return 3
	}
	return 4
}

// Level returns the level as a number, from 1 for the lowest, or 0 for an unknown one, which as a clearance sees
// nothing.
func (c Classification) Level() int {
	if level := c.rank(); level <= Restricted.rank() {
		return level
	}
	return 0
}

// Sees reports whether a clearance c may see something of the classification other. An empty clearance sees nothing.
func (c Classification) Sees(other Classification) bool {
	if c == "" || c.rank() > Restricted.rank() || other.rank() > c.rank() {
		return false
	}
	_, lists, limited := strings.Cut(string(other), "|")
	if !limited {
		return true
	}
	for list := range strings.SplitSeq(lists, "|") {
		if !c.inList(list) {
			return false
		}
	}
	return true
}

// Includes reports whether a clearance c sees all that the clearance other sees.
func (c Classification) Includes(other Classification) bool {
	_, roles, _ := strings.Cut(string(other), " ")
	lacks := func(role string) bool { return !c.inList(role) }
	return c.Sees(other.Plain()) && !slices.ContainsFunc(strings.Fields(roles), lacks)
}

// inList reports whether a list, with commas between two roles, has one of the clearance's.
func (c Classification) inList(list string) bool {
	_, roles, _ := strings.Cut(string(c), " ")
	for role := range strings.SplitSeq(roles, " ") {
		if role == everyRole {
			return true
		}
		for one := range strings.SplitSeq(list, ",") {
			if one == role && role != "" {
				return true
			}
		}
	}
	return false
}

// SeesClass is Sees for classifications as the journal writes them: "" is PUBLIC.
func (c Classification) SeesClass(class string) bool {
	if class == "" {
		return c.Sees(Public)
	}
	return c.Sees(Classification(class))
}

// Higher returns the higher of two classifications, with the lists of both. Empty is the lowest.
func Higher(a, b Classification) Classification {
	higher := a
	if a == "" || b != "" && b.rank() > a.rank() {
		higher = b
	}
	if !a.Limited() && !b.Limited() || a == b {
		return higher
	}
	var lists []string
	for _, c := range []Classification{a, b} {
		if _, own, limited := strings.Cut(string(c), "|"); limited {
			lists = append(lists, strings.Split(own, "|")...)
		}
	}
	slices.Sort(lists)
	if lists = slices.Compact(lists); len(lists) > maxLists {
		lists = []string{everyRole}
	}
	return higher.Plain() + "|" + Classification(strings.Join(lists, "|"))
}

// Lower returns the lower of two clearances, without roles. Empty, which sees nothing, is the lowest.
func Lower(a, b Classification) Classification {
	a, b = a.Plain(), b.Plain()
	if a == "" || b == "" {
		return ""
	}
	if a.rank() < b.rank() {
		return a
	}
	return b
}
