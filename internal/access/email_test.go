package access

import "testing"

// NormalEmail folds only ASCII: an address that merely looks like a user's is not theirs.
func TestAnAddressFoldsASCIIAlone(t *testing.T) {
	for email, want := range map[string]string{
		" Ada@Example.ORG\n":   "ada@example.org",
		"AZ.az.09@[`{":         "az.az.09@[`{",
		"\u212aim@example.org": "\u212aim@example.org", // the Kelvin sign, which Unicode folds to k
		"\u0130da@example.org": "\u0130da@example.org", // I with a dot above
		"Ädmin@example.org":    "Ädmin@example.org",
		"ſam@example.org":      "ſam@example.org", // the long s
	} {
		if got := NormalEmail(email); got != want {
			t.Errorf("%q becomes %q, want %q", email, got, want)
		}
	}
}

func TestFoldedAddressesAreEqualIfReadersConfuseThem(t *testing.T) {
	for _, pair := range [][2]string{
		{"kim@example.org", "\u212aim@example.org"}, {"sam@example.org", "ſam@example.org"}, {"ädmin@example.org", "ÄDMIN@example.org"},
		{"ädmin@example.org", "a\u0308dmin@example.org"}, {"strasse@example.org", "straße@example.org"}, {"ada@example.org", "ａｄａ@example.org"},
		{"ida@example.org", "\u0130da@example.org"}, {"ida@example.org", "ıda@example.org"}, {"ada@example.org", "ad\u200ba@example.org"},
	} {
		if FoldedEmail(pair[0]) != FoldedEmail(pair[1]) {
			t.Errorf("%q and %q are folded differently", pair[0], pair[1])
		}
	}
	if FoldedEmail("ada@example.org") == FoldedEmail("ida@example.org") {
		t.Error("different addresses are folded alike")
	}
}
