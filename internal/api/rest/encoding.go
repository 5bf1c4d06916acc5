package rest

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/casehook/casehook/internal/fault"
)

// encodingOverhead is the number of bytes by which compression may lengthen a body.
const encodingOverhead = 64 << 10

// Body returns the decoded body of the request. It reads at most limit bytes, counted after decoding.
func (x *Exchange) Body(limit int64) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(strings.Join(x.Request.Header.Values("Content-Encoding"), ",")))
	switch coding {
	case "", "identity":
		if x.Request.ContentLength > limit { // before the body is read
			return nil, &http.MaxBytesError{Limit: limit}
		}
		return http.MaxBytesReader(x.ResponseWriter, x.Request.Body, limit), nil
	case "gzip", "x-gzip":
		sent := http.MaxBytesReader(x.ResponseWriter, x.Request.Body, limit+encodingOverhead)
		return http.MaxBytesReader(x.ResponseWriter, &gzipReader{sent: sent}, limit), nil
	}
	x.Header().Set("Accept-Encoding", "gzip")
	return nil, fault.New(fault.UnsupportedMedia, "request.content_encoding",
		"The body's Content-Encoding is %q; send gzip, or leave the body as it is.", coding)
}

// gzipReader decodes gzip. It reads the header at the first Read.
type gzipReader struct {
	sent    io.ReadCloser
	decoded *gzip.Reader
}

func (u *gzipReader) Read(b []byte) (n int, err error) {
	if u.decoded == nil {
		if u.decoded, err = gzip.NewReader(u.sent); err != nil {
			return 0, notGzip(err)
		}
	}
	n, err = u.decoded.Read(b)
	return n, notGzip(err)
}

func (u *gzipReader) Close() error { return u.sent.Close() }

// notGzip returns a refusal for the decoder's own errors, and other errors unchanged.
func notGzip(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return fault.Wrap(err, fault.Invalid, "request.not_gzip",
			"The body is not gzip, although its Content-Encoding says so. Compress it, or leave out the header.")
	}
	return err
}
