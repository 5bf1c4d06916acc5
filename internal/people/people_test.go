package people

import (
	"testing"

	"github.com/casehook/casehook/internal/access"
)

func TestPasswordsCostWhatTheyShouldUnlessATestSaysOtherwise(t *testing.T) {
	t.Parallel()
	if got := (Config{}).withDefaults().PasswordCost; got != access.DefaultPasswordCost() {
		t.Errorf("a password costs %+v, want %+v", got, access.DefaultPasswordCost())
	}
}
