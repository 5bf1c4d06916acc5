//go:build unix

package bench

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKeeperEndsItsProcessAndRemovesTheFolder(t *testing.T) {
	for name, test := range map[string]struct {
		orders string
		kept   bool
	}{"at the end": {"", false}, "but is told to keep the folder": {keepWord + "\n", true}} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "kept")
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			err := keep(t.Context(), []string{folder, "sleep", "600"}, strings.NewReader(test.orders), io.Discard)
			if err == nil || !strings.Contains(err.Error(), "interrupt") {
				t.Errorf("the process ended otherwise: %v", err)
			}
			if _, err := os.Stat(folder); os.IsNotExist(err) == test.kept {
				t.Errorf("the folder: %v", err)
			}
		})
	}
}
