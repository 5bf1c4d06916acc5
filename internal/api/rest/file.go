package rest

import (
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// File describes a file that is sent.
type File struct {
	Name      string
	MediaType string
	SHA256    string // of its contents, in hexadecimal
	At        time.Time
}

// SendFile streams a file. A browser saves it and does not show it: an uploaded file must not run as a page of this
// server.
func SendFile(w http.ResponseWriter, r *http.Request, file File, contents io.Reader) {
	h := w.Header()
	h.Set("Content-Type", file.MediaType)
	h.Set("Content-Disposition", "attachment")
	if named := mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}); named != "" {
		h.Set("Content-Disposition", named)
	}
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+file.SHA256+`"`)
	if seeker, ok := contents.(io.ReadSeeker); ok {
		http.ServeContent(&rangeWriter{ResponseWriter: w}, r, "", file.At, seeker)
		return
	}
	if r.Method != http.MethodHead {
		io.Copy(w, contents) // an error means that the client is gone
	}
}

// rangeWriter answers with a problem if a range can't be served or a condition is not met.
type rangeWriter struct {
	http.ResponseWriter
	refused bool
}

func (w *rangeWriter) WriteHeader(status int) {
	var p *Problem
	switch status {
	case http.StatusRequestedRangeNotSatisfiable:
		p = NewProblem(fault.New(fault.Invalid, "request.range",
			"The file does not have the range of bytes that the request asks for."))
	case http.StatusPreconditionFailed:
		p = NewProblem(fault.New(fault.Invalid, "request.precondition",
			"The file is not the one that If-Match or If-Unmodified-Since requires."))
	default:
		w.ResponseWriter.WriteHeader(status)
		return
	}
	p.SetStatus(status)
	p.Write(w.ResponseWriter)
	w.refused = true
}

// Write drops the text that http.ServeContent writes with a refusal.
func (w *rangeWriter) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
