package backup

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Manifest describes one backup.
type Manifest struct {
	Version   int              `json:"version"` // of this format
	At        time.Time        `json:"at"`      // the moment that the tables show
	Casehook  string           `json:"casehook"`
	Engine    string           `json:"engine"`
	Schema    int64            `json:"schema"`
	Tables    []Table          `json:"tables"` // in the order in which they are loaded
	Sequences map[string]int64 `json:"sequences"`
	Files     Files            `json:"files"`
	Bytes     int64            `json:"bytes"` // of rows and files, before they are compressed
}

// Table has the rows of a table.
type Table struct {
	Name    string         `json:"name"`
	Columns []store.Column `json:"columns"`
	Rows    int64          `json:"rows"`
	Chunks  []string       `json:"chunks"`
}

// Files has the contents of attachments. Its rows have a key, a size in bytes, and the names of the pieces.
type Files struct {
	Count  int64    `json:"count"`
	Bytes  int64    `json:"bytes"`
	Chunks []string `json:"chunks"`
}

const manifestVersion = 1

// ID is the manifest's name in its place, and in commands.
func (m Manifest) ID() string { return m.At.UTC().Format(idFormat) }

const (
	idFormat  = "20060102T150405.000Z"
	manifests = "backups/"
	chunks    = "chunks/"
	running   = "running/"
)

// Entry is a backup in a list.
type Entry struct {
	ID string
	At time.Time
}

// List returns the backups at a place, the oldest first.
func List(ctx context.Context, p Place) (all []Entry, err error) {
	for item, err := range p.List(ctx, manifests) {
		if err != nil {
			return nil, err
		}
		id := strings.TrimPrefix(item.Name, manifests)
		if at, err := time.Parse(idFormat, id); err == nil {
			all = append(all, Entry{id, at})
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// Find reads a backup's manifest; the newest one's if id is empty.
func Find(ctx context.Context, p Place, key []byte, id string) (Manifest, error) {
	s, err := newSealer(key)
	if err != nil {
		return Manifest{}, err
	}
	all, err := List(ctx, p)
	if err != nil {
		return Manifest{}, err
	}
	if len(all) == 0 {
		return Manifest{}, fault.New(fault.NotFound, "backup.none", "There is no backup at %s.", p)
	}
	if id == "" {
		id = all[len(all)-1].ID
	}
	if !slices.ContainsFunc(all, func(e Entry) bool { return e.ID == id }) {
		return Manifest{}, fault.New(fault.NotFound, "backup.none",
			"There is no backup %q at %s. The newest is %s; casehook backups lists all.", id, p, all[len(all)-1].ID)
	}
	return s.manifest(ctx, p, id)
}

func (s *sealer) manifest(ctx context.Context, p Place, id string) (m Manifest, err error) {
	path := manifests + id
	sealed, err := p.Get(ctx, path)
	if err != nil {
		return m, err
	}
	content, err := s.open(sealed, path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return m, errDamaged(path, err)
	}
	if m.Version != manifestVersion {
		return m, fault.New(fault.Invalid, "backup.version",
			"The backup %s has the format %d, and this Casehook reads format %d. Use the version that made it, %s.",
			id, m.Version, manifestVersion, m.Casehook)
	}
	return m, nil
}

// chunk reads a chunk, and checks that it is what its name says.
func (s *sealer) chunk(ctx context.Context, p Place, name string) ([]byte, error) {
	if len(name) != 64 {
		return nil, errDamaged("a manifest", fmt.Errorf("%q is not the name of a chunk", name))
	}
	path := chunkPath(name)
	sealed, err := p.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	return s.open(sealed, path)
}
