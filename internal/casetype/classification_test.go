package casetype_test

import (
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

func TestAClearanceSeesWhatIsClassifiedAtMostAsHigh(t *testing.T) {
	all := []casetype.Classification{casetype.Public, casetype.Private, casetype.Restricted}
	for i, clearance := range all {
		for j, class := range all {
			if got, want := clearance.Sees(class), j <= i; got != want {
				t.Errorf("%s sees %s: %v, want %v", clearance, class, got, want)
			}
		}
		if clearance.Sees("SECRET") || clearance.Sees("") {
			t.Errorf("%s sees what is wrongly marked", clearance)
		}
	}
	for _, none := range []casetype.Classification{"", "TOP"} {
		if none.Sees(casetype.Public) {
			t.Errorf("the clearance %q sees something", none)
		}
	}
}
