package hooks_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/wire"
)

func TestTheCatalogueHasEachTrigger(t *testing.T) {
	t.Parallel()
	w := start(t)
	page := w.manager.Get("/catalogue")
	for _, trigger := range wire.Triggers() {
		want(t, page, 200, trigger.Name, trigger.Description, `id="`+trigger.Name+`"`, "/docs#webhook-"+trigger.Name)
	}
	want(t, page, 200, "Goes to crm", "/endpoints/new?trigger=case_created", "webhook.NewVerifier", "timingSafeEqual",
		"hmac.compare_digest")
	want(t, w.console.Person("vi@example.com", "viewer", "RESTRICTED").Get("/catalogue"), 403)
}

// The Go receiver that the catalogue shows is a program that compiles.
func TestTheReceiverInGoCompiles(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile(filepath.Join("samples", "verify.go.txt"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(path, code, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"vet"}
	if flags := os.Getenv("CASEHOOK_RACE_FLAGS"); flags != "" { // of these tests: nothing is compiled anew
		args = append(append(args, "-race"), strings.Split(flags, "\n")...)
	}
	if out, err := exec.CommandContext(t.Context(), "go", append(args, path)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
