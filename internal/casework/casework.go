// Package casework holds the use cases of cases: what people and programs do with cases and their
// types, files, labels and contacts. It authorises, checks, asks, and commits.
//
// The submit road, from [Submissions.Submit]:
//
//	load version v -> merge, check -> ask the callback -> check its answer ->
//	one transaction: the case at v+1 and one journal entry
//
// No transaction is open while a callback is asked. If the case's content moved
// meanwhile, nothing is saved and the caller gets an error.
package casework

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/store"
)

// Config is what the use cases of cases need.
type Config struct {
	Store       *store.Store
	Guard       *authz.Guard
	Definitions *definitions.Catalog
	Blobs       blob.Store
	Callbacks   *callback.Client

	Tenants Tenants

	MaxUpload int64           // bytes of one proof, or document of a field
	Documents string          // the path below which documents of fields are served; default /quickcase/documents/
	Hold      bool            // no callback is asked: a change that needs one is refused
	Fonts     *document.Fonts // of documents; nil: those that are built in
	Random    io.Reader
	Log       *slog.Logger
	Tracer    *observe.Tracer // nil: nothing is traced

	Worked func() // called whenever a job's results were saved; may be nil
}

// Tenants has the functions of tenants that the use cases of cases need.
type Tenants struct {
	// PublicURLOf returns a tenant's public URL.
	PublicURLOf func(store.Tenant) string
	// Variables returns the look-up of the variables that a tenant's callbacks may name.
	Variables func(ctx context.Context, tenant int64) (func(name string) (string, bool), error)
}

// Services are the use cases of cases.
type Services struct {
	Cases       *Cases
	Submissions *Submissions
	Switches    *Switches
	Questions   *Questions
	Backtests   *Backtests
	Workers     *Workers
	Shadows     *Shadows
	CaseTypes   *CaseTypes
	Migrations  *Migrations
	Comments    *Comments
	Labels      *Labels
	Contacts    *Contacts
	Files       *Files
	Documents   *FieldDocuments
	Jobs        *Jobs
	Owed        *Owed
	Presences   *Presences
}

// defaultMaxUpload bounds a proof where the configuration does not.
const defaultMaxUpload = 32 << 20

func (c Config) withDefaults() Config {
	if c.MaxUpload <= 0 {
		c.MaxUpload = defaultMaxUpload
	}
	c.Documents = cmp.Or(c.Documents, "/quickcase/documents/")
	if c.Fonts == nil {
		c.Fonts = document.NewFonts(nil, nil)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Worked == nil {
		c.Worked = func() {}
	}
	return c
}

// New returns the use cases of cases. Of the configuration's options, those that are zero get a
// default: real randomness, no log, proofs of up to 32 MiB.
func New(c Config) Services {
	c = c.withDefaults()
	now := c.Guard.Now // with the precision of the store
	core := &core{guard: c.Guard, now: now, definitions: c.Definitions, tenants: c.Tenants}
	contents := &contents{blobs: c.Blobs, log: c.Log}
	types := &CaseTypes{
		store: c.Store, guard: c.Guard, now: now, definitions: c.Definitions, tenants: c.Tenants, random: c.Random,
		unindexed: make(chan struct{}, 1),
	}
	questioner := newQuestioner(c, types)
	core.questioner = questioner
	cases := &Cases{
		store: c.Store, guard: c.Guard, now: now, definitions: c.Definitions, core: core, questioner: questioner,
		contents: contents, large: make(chan struct{}, mostLarge), searches: make(chan struct{}, mostSearches),
		mostSearched: mostSearched,
	}
	labels := &Labels{store: c.Store, guard: c.Guard, now: now, core: core}
	documents := newFieldDocuments(c, core, contents)
	submissions := newSubmissions(c, core, questioner, types)
	questions := &Questions{store: c.Store, guard: c.Guard, core: core, cases: cases}
	questioner.shadows = newShadows(c, types, questions)
	return Services{
		Cases:       cases,
		Submissions: submissions,
		Switches: &Switches{
			store: c.Store, guard: c.Guard, now: now, definitions: c.Definitions, core: core, questioner: questioner,
			random: c.Random,
		},
		Questions: questions,
		Backtests: &Backtests{
			store: c.Store, guard: c.Guard, submissions: submissions, questions: questions,
			asking: make(chan struct{}, allBacktests),
		},
		Workers:   &Workers{store: c.Store, guard: c.Guard},
		Shadows:   questioner.shadows,
		CaseTypes: types,
		Migrations: &Migrations{
			store: c.Store, guard: c.Guard, now: now, definitions: c.Definitions, core: core, types: types,
		},
		Comments:  &Comments{store: c.Store, guard: c.Guard, now: now, core: core},
		Labels:    labels,
		Contacts:  &Contacts{store: c.Store, guard: c.Guard, now: now, random: c.Random, core: core},
		Files:     newFiles(c, core, contents, cases, documents),
		Documents: documents,
		Presences: &Presences{store: c.Store, guard: c.Guard, now: now, cases: cases},
		Owed: &Owed{
			store: c.Store, definitions: c.Definitions, questioner: questioner, log: c.Log, worked: c.Worked,
		},
		Jobs: &Jobs{
			store: c.Store, guard: c.Guard, now: now, log: c.Log, hold: c.Hold, cases: cases, labels: labels,
			submissions: submissions, process: questioner.process, created: make(chan struct{}, 1), worked: c.Worked,
		},
	}
}

// core is shared by the use cases: it finds cases, shows them, and records changes.
type core struct {
	guard       *authz.Guard
	now         func() time.Time
	definitions *definitions.Catalog
	tenants     Tenants
	questioner  *questioner
	documents   *knownDocuments
}

// Submission is a transition that a caller submits.
type Submission struct {
	CaseID int64  // 0: create one
	Type   string // of the case to create
	// key; on creation it may be empty where the type has only one; for an edit it is empty
	Transition    string
	Edit          bool           // submit the type's edit transition, whichever that is
	Data          map[string]any // fields to set; null clears one
	Name          *string        // creation and edit only; "" returns to the type's template
	Color         *string        // creation and edit only; "" returns to the state's colour
	IgnoreWarning bool           // the callback's warnings do not stop it
	HeedWarnings  bool           // the submitter said so, and not nothing: CCD's dialect tells these apart
	Context       string         // Client-Context: base64 of JSON, for callbacks; empty: none
	IfRevision    Revisions      // the content revisions it may be based on; nil: whichever is current
	Note          event.Note     // for the history

	Start *StartRef // the start whose token the submitter presents; nil: none

	dry      bool             // it is not carried out
	operates access.Operation // which it is; empty: as its other fields say
}

// saidOfWarnings returns what the submitter said of ignoring warnings; nil: nothing.
func (in Submission) saidOfWarnings() *bool {
	if !in.IgnoreWarning && !in.HeedWarnings {
		return nil
	}
	return &in.IgnoreWarning
}

// View is a case with the type it works by, as it is shown.
type View struct {
	cases.Case
	Definition *casetype.Type
	URL        string

	Position store.Position // in the list that it was read from

	Transitions []string            // that the reader may submit now
	Blocked     []BlockedTransition // that wait for data

	Confirmation *Confirmation // of the submission that was saved; nil: nobody was asked
	Context      string        // Client-Context, with what callbacks answered
}
