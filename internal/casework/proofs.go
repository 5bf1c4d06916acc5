package casework

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
)

// Upload is a file that a user sends. Its name and media type are the sender's
// claims.
type Upload struct {
	Key       string // of the proof in the case type; of a document of a field empty
	Filename  string
	MediaType string
	Body      io.Reader
}

// MaxUpload returns how many bytes one proof may have.
func (s *Files) MaxUpload() int64 { return s.maxUpload }

// UploadProof attaches a file to a case. The contents are stored first, as a stream; their hash becomes part of
// once.Request.
func (s *Files) UploadProof(
	ctx context.Context, p access.Principal, caseID int64, u Upload, once authz.Once,
) (cases.Attachment, error) {
	p, err := s.guard.PermitCase(ctx, p, access.UploadProof, caseID)
	if err != nil {
		return cases.Attachment{}, err
	}
	v, err := s.cases.caseView(ctx, p, caseID)
	if err != nil {
		return cases.Attachment{}, err
	}
	if _, ok := v.Definition.Proof(u.Key); !ok {
		return cases.Attachment{}, fault.In("proof.unknown_key",
			"The case type does not define this proof: see fields. Name one that it defines.",
			fault.Field{Path: "/key", Message: fmt.Sprintf("is not a proof of %s", v.Type)})
	}
	a := cases.Attachment{
		ID: id.New("prf"), CaseID: caseID, Key: u.Key, Filename: filename(u.Filename), By: p.Actor, At: s.now(),
		Clearance: casetype.Public,
	}
	if err := s.contents.receive(ctx, &a, u, s.maxUpload); err != nil {
		return cases.Attachment{}, err
	}
	once = once.With(u.Key + "\n" + a.Filename + "\n" + a.MediaType + "\n" + a.SHA256)
	return s.attachProof(ctx, p, a, once)
}

// attachProof saves the row of a proof whose contents are stored, unless that was done before.
func (s *Files) attachProof(
	ctx context.Context, p access.Principal, a cases.Attachment, once authz.Once,
) (cases.Attachment, error) {
	files := []cases.Attachment{a}
	tried, always, answer := false, func(cases.Case) error { return nil }, func() any { return files[0] }
	err := s.guard.Once(ctx, p, once, func() error {
		tried = true // attach discards the contents itself
		return s.attach(ctx, p, addition{cases.Proof, files, answer, always}, once)
	})
	if !tried {
		s.contents.discard(ctx, a.Blob)
	}
	if err != nil {
		return cases.Attachment{}, err
	}
	return files[0], nil
}

// receive stores the contents of a file that a user sends, and sets what follows from them.
func (s *contents) receive(ctx context.Context, a *cases.Attachment, u Upload, limit int64) error {
	body := &sender{r: u.Body}
	head := make([]byte, sniffed)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return body.fault(err)
	}
	head = head[:n]
	a.MediaType = mediaType(u.MediaType, head)
	if err := s.keep(ctx, a, io.MultiReader(bytes.NewReader(head), body), limit); err != nil {
		return body.fault(err)
	}
	return nil
}

// sniffed is the number of bytes of a file that decide on its media type.
const sniffed = 512

// sender reads a body, and distinguishes its failures from those of our disk.
type sender struct {
	r   io.Reader
	err error
}

func (s *sender) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// fault returns the error of a body that broke off, if it did.
func (s *sender) fault(err error) error {
	var known *fault.Error
	if s.err == nil || errors.As(err, &known) {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "proof.incomplete",
		"The upload ended before the file was complete. Nothing was saved; send it again.")
}

const unknownType = "application/octet-stream"

// mediaType returns the media type of a file: that of its first bytes if they are specific, else the sender's claim. It
// never returns a type that a browser would run.
func mediaType(claimed string, head []byte) string {
	shown, _, _ := mime.ParseMediaType(http.DetectContentType(head))
	claim, _, err := mime.ParseMediaType(claimed)
	if err != nil || len(claim) > 100 || !strings.Contains(claim, "/") || !input.Printable(claim) {
		claim = unknownType
	}
	if active(shown) || active(claim) {
		return unknownType
	}
	switch shown {
	case "text/plain", "application/zip", "application/x-gzip", unknownType: // many formats look like these
		if claim != unknownType {
			return claim
		}
	}
	return shown
}

// active reports whether a browser may run a file of this type.
func active(mediaType string) bool {
	for _, part := range []string{"html", "xml", "script", "svg", "x-shockwave"} {
		if strings.Contains(mediaType, part) && !strings.Contains(mediaType, "officedocument") {
			return true
		}
	}
	return false
}

const maxFilename = 120 // characters

// filename returns a name that is safe on any system and in any header. It is "file" if nothing of the given name can
// be used.
func filename(name string) string {
	name = strings.ToValidUTF8(name, "_")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c', r == '\u200d': // join letters and emoji, or keep them apart
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // some change the direction of text
			return -1
		case strings.ContainsRune(`"<>:|?*;%`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.Trim(name, ". ")
	if utf8.RuneCountInString(name) > maxFilename { // keep the end, which has the extension
		runes := []rune(name)
		name = strings.TrimLeft(string(runes[len(runes)-maxFilename:]), ". ")
	}
	if name == "" {
		return "file"
	}
	return name
}
