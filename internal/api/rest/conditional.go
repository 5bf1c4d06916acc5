package rest

import (
	"cmp"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/fault"
)

// IfMatchHeader is embedded in the parameters of operations that change the content of
// a case or a contact.
type IfMatchHeader struct {
	IfMatch string `header:"If-Match" maxLength:"1000" doc:"The ETag of the content that the change is based on, a list of ETags, or *. A weak tag, W/\"r5\", names the same revision as \"r5\". If the content has changed meanwhile, the answer is 409 and nothing is saved." example:"\"r5\""`
}

var (
	// entityTag matches one member of If-Match (RFC 9110, section 8.8.3).
	entityTag = regexp.MustCompile(`^(?:W/)?"([^\x00-\x20"\x7f]*)"`)
	ownTag    = regexp.MustCompile(`^r([1-9][0-9]{0,17})$`)
)

// Revisions returns the revisions that If-Match names; nil: any. A tag that Casehook did not make names no revision,
// and so never matches. Weak tags count: a proxy that compresses an answer weakens its tag, but the revision in it is
// still exact.
func (in IfMatchHeader) Revisions() ([]int64, error) {
	rest := strings.Trim(in.IfMatch, " \t")
	if rest == "" || rest == "*" {
		return nil, nil
	}
	named, tags := []int64{}, 0
	for {
		rest = strings.TrimLeft(rest, " \t,") // empty members are skipped
		if rest == "" {
			break
		}
		tags++
		tag := entityTag.FindStringSubmatch(rest)
		if tag == nil {
			return nil, wrongIfMatch()
		}
		rest = strings.TrimLeft(rest[len(tag[0]):], " \t")
		if rest != "" && rest[0] != ',' {
			return nil, wrongIfMatch()
		}
		if own := ownTag.FindStringSubmatch(tag[1]); own != nil {
			revision, err := strconv.ParseInt(own[1], 10, 64)
			if err != nil {
				return nil, err
			}
			named = append(named, revision)
		}
	}
	if tags == 0 {
		return nil, wrongIfMatch()
	}
	return named, nil
}

func wrongIfMatch() error {
	return &fault.Error{
		Kind: fault.Invalid, Code: "request.if_match",
		Detail: `Send If-Match with an ETag as it was in the answer: "r5", with its quotation marks; ` +
			`a list of ETags, or * alone.`,
		Fields: []fault.Field{{Path: "header.If-Match", Message: "is neither an ETag, nor a list of ETags, nor *"}},
	}
}

// joinLists joins the lines of If-Match, since HTTP allows a list to be sent in several. An empty header is an empty
// list, and differs from a missing header.
func joinLists(h http.Header) {
	if lines := h.Values("If-Match"); len(lines) > 0 {
		h.Set("If-Match", cmp.Or(strings.Trim(strings.Join(lines, ", "), " \t"), ","))
	}
}

// ETag returns the entity tag of a revision.
func ETag(revision int64) string { return `"r` + strconv.FormatInt(revision, 10) + `"` }
