package people

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
)

// exportTime bounds the time of an export.
const exportTime = time.Minute

// exportFormat is a format of an export.
type exportFormat struct {
	media, file string
	writer      func(io.Writer) recordWriter
}

var exportFormats = map[string]exportFormat{
	"csv":   {"text/csv; charset=utf-8", "audit.csv", newTableWriter},
	"jsonl": {"application/jsonl", "audit.jsonl", newLineWriter},
}

// recordWriter writes records of the audit as a file.
type recordWriter interface {
	write(AuditRecord) error
	flush() error
}

// exported is an answer that is a file, which is written while it is read.
type exported struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        func(huma.Context)
}

func (h auditHandler) registerExport() {
	op := rest.Handle(h.kernel, rest.Operation{
		ID: access.ExportAudit, Pattern: "GET /v1/audit/export", Tag: "audit",
		Summary: "Export the audit",
		Description: "The same records as a file: the newest 10,000. To go on, send the time of the last one as " +
			"until. An answer that breaks off is not whole: an export ends after a minute; narrow it then.",
		Problems: []int{http.StatusBadRequest},
	}, h.export)
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	op.Responses["200"] = &huma.Response{
		Description: "A table whose first line names the columns, or a record on each line.",
		Content:     map[string]*huma.MediaType{"text/csv": text, "application/jsonl": text},
	}
}

func (h auditHandler) export(ctx context.Context, in *struct {
	InAudit
	Format string `query:"format" enum:"csv,jsonl" default:"csv" doc:"csv: a table. jsonl: a JSON object on each line."`
}) (*exported, error) {
	p, format := rest.PrincipalOf(ctx), exportFormats[in.Format]
	read, err := h.guard.ExportRecords(ctx, p, in.query())
	if err != nil {
		return nil, err
	}
	return &exported{format.media, `attachment; filename="` + format.file + `"`, func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		if r.Method == http.MethodHead {
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), exportTime)
		defer cancel()
		out := format.writer(w)
		for more := true; more; {
			var page []access.Record
			if page, more, err = read(ctx); err == nil {
				err = h.writePage(p, out, page)
			}
			if err != nil {
				panic(http.ErrAbortHandler) // nobody takes a part for the whole
			}
		}
	}}, nil
}

func (h auditHandler) writePage(p access.Principal, out recordWriter, page []access.Record) error {
	for _, r := range page {
		if err := out.write(h.showRecord(p, r)); err != nil {
			return err
		}
	}
	return out.flush()
}

// lineWriter writes a JSON object on each line.
type lineWriter struct{ encoder *json.Encoder }

func newLineWriter(w io.Writer) recordWriter {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return lineWriter{encoder}
}

func (l lineWriter) write(r AuditRecord) error { return l.encoder.Encode(r) }
func (l lineWriter) flush() error              { return nil }

// tableWriter writes CSV.
type tableWriter struct{ table *csv.Writer }

func newTableWriter(w io.Writer) recordWriter {
	t := tableWriter{csv.NewWriter(w)}
	_ = t.table.Write([]string{ // flush returns the error
		"id", "at", "action", "subject", "source", "name", "user_id", "token_id", "address", "detail",
	})
	return t
}

func (t tableWriter) write(r AuditRecord) error {
	user := ""
	if r.By.UserID != 0 {
		user = strconv.FormatInt(r.By.UserID, 10)
	}
	at, err := r.At.MarshalJSON()
	if err != nil {
		return err
	}
	cells := []string{
		r.ID, strings.Trim(string(at), `"`), r.Action, r.Subject, string(r.By.Source), r.By.Name, user, r.By.TokenID,
		r.By.Address, string(r.Detail),
	}
	for i, cell := range cells {
		cells[i] = plainCell(cell)
	}
	return t.table.Write(cells)
}

func (t tableWriter) flush() error {
	t.table.Flush()
	return t.table.Error()
}

// plainCell returns a text that no spreadsheet takes for a formula.
func plainCell(text string) string {
	const begins = "=+-@|%＝＋－＠"
	trimmed := strings.TrimLeft(text, " \t\r\n\u00a0\ufeff")
	if first, _ := utf8.DecodeRuneInString(trimmed); trimmed != "" && strings.ContainsRune(begins, first) {
		return "'" + text
	}
	return text
}
