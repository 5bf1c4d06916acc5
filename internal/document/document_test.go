package document_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/fault"
)

// contract uses all markup.
const contract = `# Contract
## Parties
This contract is made between
Acme Corp and {client}.

- Ελένη Παπαδοπούλου, Αθήνα
- Юлия Щербакова, Москва
- Zoë Łukasiewicz-Őry, Besançon
- Nguyễn Thị Ánh Tuyết and 🙂

---

| Item | Amount (€) |
|------|-----------:|
| Fee  | 1 000      |
| Tax  | 200        |

Signed:\
Jane Doe
`

var created = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

func render(t testing.TB, text string) []byte {
	t.Helper()
	return renderWith(t, builtIn, text)
}

// builtIn is the fonts of a machine that has no others.
var builtIn = document.NewFonts(nil, nil)

func renderWith(t testing.TB, fonts *document.Fonts, text string) []byte {
	t.Helper()
	pdf, err := fonts.Render(t.Context(), document.Doc{
		Title: "Contract KYC-0042", Author: "Jane (Doe) Ł", Created: created, Text: text,
	})
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

var quietly sync.Once

// pages validates a PDF, and returns the text of its pages: in each line, characters
// from left to right.
func pages(t testing.TB, pdf []byte) (ctx *model.Context, contents []string) {
	t.Helper()
	quietly.Do(api.DisableConfigDir) // else it writes into the home directory
	ctx, err := api.ReadAndValidate(bytes.NewReader(pdf), model.NewDefaultConfiguration())
	if err != nil {
		t.Fatalf("not a valid PDF: %v", err)
	}
	fonts := codes(t, ctx)
	for n := 1; n <= ctx.PageCount; n++ {
		r, err := pdfcpu.ExtractPageContent(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, drawn(string(content), fonts))
	}
	return ctx, contents
}

// codes returns the text that each code of each font stands for.
func codes(t testing.TB, ctx *model.Context) map[string]map[string]string {
	t.Helper()
	_, _, inherited, err := ctx.PageDict(1, false)
	if err != nil {
		t.Fatal(err)
	}
	fonts, err := ctx.DereferenceDict(inherited.Resources["Font"])
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]string{}
	for name, o := range fonts {
		font, err := ctx.DereferenceDict(o)
		if err != nil {
			t.Fatal(err)
		}
		stream, _, err := ctx.DereferenceStreamDict(font["ToUnicode"])
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Decode(); err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for _, line := range mapping.FindAllStringSubmatch(string(stream.Content), -1) {
			texts[line[1]] = fromUTF16(t, line[2])
		}
		found[name] = texts
	}
	return found
}

var (
	mapping = regexp.MustCompile(`(?m)^<(....)> <(.*)>$`)
	showing = regexp.MustCompile(`(?m)/(F\d+) [\d.]+ Tf$|<([0-9a-f]+)>|^(ET)$`)
)

func fromUTF16(t testing.TB, digits string) string {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	var units []uint16
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}

// drawn returns the text that a page's content shows.
func drawn(content string, fonts map[string]map[string]string) string {
	var b strings.Builder
	font := ""
	for _, found := range showing.FindAllStringSubmatch(content, -1) {
		switch {
		case found[1] != "":
			font = found[1]
		case found[3] != "":
			b.WriteByte('\n')
		}
		for code := range slices.Chunk([]byte(found[2]), 4) {
			b.WriteString(fonts[font][string(code)])
		}
	}
	return b.String()
}

func TestRenderMakesAValidPDFWithItsText(t *testing.T) {
	ctx, contents := pages(t, render(t, contract))
	if len(contents) != 1 {
		t.Fatalf("%d pages, want 1", len(contents))
	}
	for _, want := range []string{
		"Contract", "Parties", "This contract is made between Acme Corp and {client}.", "Ελένη Παπαδοπούλου, Αθήνα",
		"Юлия Щербакова, Москва", "Zoë Łukasiewicz-Őry, Besançon", "Nguyễn Thị Ánh Tuyết and 🙂", "Item", "Amount", "1 000", "Tax",
		"Signed:", "Jane Doe", "Contract KYC-0042", "1",
	} {
		if !strings.Contains(contents[0], want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if ctx.Title != "Contract KYC-0042" || ctx.Author != "Jane (Doe) Ł" {
		t.Errorf("title %q, author %q", ctx.Title, ctx.Author)
	}
}

func TestRenderIsDeterministic(t *testing.T) {
	first := render(t, contract)
	for range 5 {
		if !bytes.Equal(first, render(t, contract)) {
			t.Fatal("the same input gave other bytes")
		}
	}
	if !bytes.Contains(first, []byte("D:20260314150926")) {
		t.Error("the creation date is not the input's")
	}
	undated := document.Doc{Text: "x"}
	pdf, err := builtIn.Render(t.Context(), undated)
	if err != nil || !bytes.Contains(pdf, []byte("D:19700101000000")) {
		t.Errorf("a document without a date is not from 1970, or %v", err)
	}
}

func TestRendersMayRunAtOnce(t *testing.T) {
	want := render(t, contract)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if pdf, err := builtIn.Render(t.Context(), document.Doc{
				Title: "Contract KYC-0042", Author: "Jane (Doe) Ł", Created: created, Text: contract,
			}); err != nil || !bytes.Equal(pdf, want) {
				t.Errorf("another PDF, or %v", err)
			}
		})
	}
	wg.Wait()
}

func TestAccentsAreComposedAndInvisibleCharactersRemoved(t *testing.T) {
	_, contents := pages(t, render(t, "Zoe\u0308 A\u00adnn\u200ba\tB\ufeffC"))
	if !strings.Contains(contents[0], "Zoë Anna BC") {
		t.Errorf("content: %q", contents[0])
	}
}

func TestLongTablesBreakPagesAndRepeatTheirHeader(t *testing.T) {
	var b strings.Builder
	b.WriteString("| Number | Text |\n|---|---|\n")
	for i := range 200 {
		fmt.Fprintf(&b, "| row%dx | something |\n", i)
	}
	_, contents := pages(t, render(t, b.String()))
	if len(contents) < 4 {
		t.Fatalf("%d pages", len(contents))
	}
	for i, content := range contents {
		if !strings.Contains(content, "Number") {
			t.Errorf("page %d has no header", i+1)
		}
	}
	all := strings.Join(contents, "")
	for i := range 200 {
		if n := strings.Count(all, fmt.Sprintf("row%dx", i)); n != 1 {
			t.Errorf("row %d is there %d times", i, n)
		}
	}
}

func TestARowHigherThanAPageLosesNothing(t *testing.T) {
	var b strings.Builder
	b.WriteString("| A | B |\n|---|---|\n| short | ")
	for i := range 3000 {
		fmt.Fprintf(&b, "w%dx ", i)
	}
	b.WriteString("|\n")
	_, contents := pages(t, render(t, b.String()))
	all := strings.Join(contents, "")
	if len(contents) < 3 {
		t.Errorf("%d pages", len(contents))
	}
	for i := range 3000 {
		if !strings.Contains(all, fmt.Sprintf("w%dx", i)) {
			t.Fatalf("word %d is lost", i)
		}
	}
}

var textShare = flag.Int("text.share", 8, "hostile texts are of one in so many of the bytes that a text may have")

func TestHostileTextIsRenderedOrRefusedInTime(t *testing.T) {
	most := document.MaxText / *textShare
	fill := func(s string) string { return strings.Repeat(s, most/4/len(s)) }
	full := func(s string) string { return strings.Repeat(s, most/len(s)) }
	tests := map[string]string{
		"one word":            full("x"),
		"words":               full("word "),
		"lines":               full("a\n\n"),
		"list items":          fill("- a\n"),
		"headings":            fill("# a\n"),
		"rules":               fill("---\n"),
		"rows":                fill("|a|b\n"),
		"one row":             fill("|"),
		"a cell among many":   "|1|2|3|4|5|6|7|8|9|10|11|" + strings.Repeat("x", most-100),
		"a high header":       "|" + strings.Repeat("h ", most/20) + "|\n|-|\n" + strings.Repeat("|a|\n", 100),
		"line separators":     fill("\u2028"),
		"backslashes":         fill(`\`),
		"control characters":  fill("\x00\x01\x1b\x7f\u0085"),
		"not UTF-8":           fill("\xff\xfe\xed\xa0\x80"),
		"combining marks":     "a" + fill("\u0301")[1:],
		"outside the plane":   fill("🙂"),
		"brackets and escape": fill("()\\)("),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			pdf, err := builtIn.Render(t.Context(), document.Doc{Title: text, Author: text, Text: text})
			if f := fault.As(err); err != nil && (!errors.Is(err, fault.Unprocessable) ||
				f.Code != "document.too_large" && f.Code != "document.no_font") {
				t.Fatal(err)
			}
			if err == nil && !bytes.HasPrefix(pdf, []byte("%PDF-")) {
				t.Error("no PDF")
			}
			t.Logf("%d bytes, %v", len(pdf), err)
		})
	}
	beyond := strings.Repeat("x", document.MaxText+1)
	if _, err := builtIn.Render(t.Context(), document.Doc{Text: beyond}); !errors.Is(err, fault.Unprocessable) {
		t.Errorf("beyond MaxText: %v", err)
	}
}

func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		contract, "", "|", "|\\|", "# ", "-", "- ", "\\", "---", "|a\n|-\n|", "\u2028", "\xff", "()\\",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, title, text string) {
		if len(text) > 1<<16 {
			return
		}
		pdf, err := builtIn.Render(t.Context(), document.Doc{Title: title, Author: title, Created: created, Text: text})
		if errors.Is(err, fault.Unprocessable) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		pages(t, pdf)
	})
}
