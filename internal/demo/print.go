package demo

import (
	"fmt"
	"io"
	"strings"
)

// printer prints the story as it happens.
type printer struct {
	out   io.Writer
	color bool
}

// The colours, as SGR codes.
const (
	bold  = "1"
	faint = "2"
	red   = "31"
	green = "32"
	cyan  = "36"
)

func (p *printer) paint(code, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p *printer) title(text string) { p.line("%s", p.paint(bold, text)) }

func (p *printer) place(name, url string) { p.line("  %-17s %s", name, p.paint(cyan, url)) }

func (p *printer) chapter(text string) { p.line("\n%s", p.paint(bold, text)) }

func (p *printer) step(n int, title string) { p.line("\n%2d  %s", n, p.paint(bold, title)) }

func (p *printer) called(c call, status int) {
	text := fmt.Sprintf("%s %s -> %d", c.Method, c.Path, status)
	p.line("    %s", p.paint(faint, text))
}

// says prints the description of an answer, which may have several lines.
func (p *printer) says(text string) {
	for line := range strings.Lines(text) {
		p.line("    %s", strings.TrimRight(line, "\n"))
	}
}

func (p *printer) question(q question) {
	p.request(request{verb: "asked", subject: q.Path, attempt: q.Attempt, signature: q.Signature})
}

func (p *printer) arrival(a arrival) {
	p.request(request{
		verb:      "told",
		subject:   a.Trigger,
		version:   fmt.Sprintf("v%d", a.Version),
		id:        short(a.ID),
		attempt:   a.Attempt,
		signature: a.Signature,
		refused:   a.Refused,
	})
}

// request is a request that Casehook sent.
type request struct {
	verb      string
	subject   string // the path of a callback, or the trigger of a message
	version   string
	id        string
	attempt   int
	signature error // nil: it is right
	refused   bool
}

// request prints a request in columns.
func (p *printer) request(r request) {
	mark := p.paint(green, "signature ✓")
	if r.signature != nil {
		mark = p.paint(red, "signature ✗ "+r.signature.Error())
	}
	if r.refused {
		mark += p.paint(red, "  refused with 503")
	}
	p.line("      %s  %-22s  %-3s  %-12s  attempt %d  %s", p.paint(cyan, fmt.Sprintf("%-5s", r.verb)),
		r.subject, r.version, r.id, r.attempt, mark)
}

// short returns the beginning of a webhook-id.
func short(id string) string {
	const most = 11
	if len(id) <= most {
		return id
	}
	return id[:most] + "…"
}

func (p *printer) passed(arrived, questions int) {
	p.line("\n%s",
		p.paint(green,
			fmt.Sprintf("✓ %d webhooks arrived, in order, and %d questions were asked; every signature was right.",
				arrived, questions)))
}

func (p *printer) farewell(s Server, signIn string) {
	p.line("\nThe server stays up. Open its console: there are cases, a refused submission, and an endpoint that fails.")
	p.line("\n  %s\n", signIn)
	p.place("API", s.URL)
	p.place("documentation", s.URL+"/docs")
	p.place("admin token", s.Token)
	p.place("data", s.Data+" (removed at the end)")
	p.line("\nTry it:\n\n  curl -H 'Authorization: Bearer %s' %s/v1/cases\n\nPress Ctrl-C to stop.", s.Token, s.URL)
}
