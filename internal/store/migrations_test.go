package store

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/pgtest"
)

// released lists the numbers of the migrations that databases may have. Databases apply new ones in the order of their
// numbers, so a new one must be the last here.
var released = []string{
	"00001", "00002", "00003", "00004", "00005", "00006", "00007", "00008", "00009", "00010", "00011", "00012",
	"00013", "00014", "00015", "00016", "00017", "00018", "00020", "00021", "00024", "00025", "00026", "00027", "00028",
	"00029", "00030", "00031", "00032", "00033", "00034", "00035", "00036", "00037", "00039", "00040",
	"00041", "00042", "00043", "00044", "00046", "00047", "00048", "00049", "00053", "00054", "00055", "00059",
	"00061", "00062", "00063", "00064", "00065", "00066", "00067",
}

func TestMigrationsComeInOneOrderOnBothEngines(t *testing.T) {
	if !slices.IsSorted(released) {
		t.Error("a migration comes before one that databases have had: give it a higher number")
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		files, err := migrations.ReadDir("migrations/" + engine)
		if err != nil {
			t.Fatal(err)
		}
		var numbers []string
		for _, f := range files {
			number, _, _ := strings.Cut(f.Name(), "_")
			numbers = append(numbers, number)
		}
		if !slices.Equal(numbers, released) {
			t.Errorf("the migrations of %s are %v; want %v", engine, numbers, released)
		}
	}
}

func TestADatabaseOfANewerCasehookIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "casehook.db")
	url := pgtest.URL(t)
	for driver, o := range map[string]Options{"sqlite": {Path: path, Key: testKey}, "pgx": {URL: url, Key: testKey}} {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open(driver, o.Path+o.URL)
		if err != nil {
			t.Fatal(err)
		}
		exec(t.Context(), t, db, "insert into goose_db_version (version_id, is_applied) values (99000, true)")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), o)
		if code := fault.As(err).Code; code != "store.newer" || !strings.Contains(err.Error(), "99000") {
			t.Errorf("%s: %v", driver, err)
		}
	}
}
