package document_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/fault"
)

// found returns the text that pdftotext finds in a PDF, without the marks of direction that it adds.
func found(t *testing.T, pdf []byte) string {
	t.Helper()
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftotext, of poppler-utils: %v", err)
	}
	return strings.NewReplacer("\u202a", "", "\u202b", "", "\u202c", "").Replace(string(out))
}

func TestTextOfEachScriptIsFoundAgain(t *testing.T) {
	tests := map[string]string{
		"Vietnamese":  "Nguyễn Thị Ánh Tuyết, phường Bến Nghé, Quận 1",
		"Greek":       "Ελένη Παπαδοπούλου, Ἀθῆναι",
		"Cyrillic":    "Юлия Щербакова, Қазақстан, Україна",
		"Arabic":      "هذا عقد بين السيد محمد والسيدة فاطمة",
		"Persian":     "قرارداد پژمان گچ‌کار",
		"Urdu":        "یہ معاہدہ ٹھیک ہے",
		"Hebrew":      "זהו חוזה בין דוד כהן",
		"Hindi":       "यह अनुबंध श्री राजेन्द्र प्रसाद और श्रीमती लक्ष्मी के बीच है। क्षत्रिय, विद्यार्थी, कि",
		"Marathi":     "हा करार दऱ्याखोऱ्यातील आहे",
		"Thai":        "สัญญานี้ทำขึ้นระหว่างนายสมชายกับนางสาวน้ำฝน ผู้ใหญ่ ป้ำ",
		"emoji":       "🙂 👍🏽 👨‍👩‍👧 🇩🇪",
		"several":     "Acme Corp ก 5 हिन्दी",
		"ligatures":   "office affair fluffy",
		"money":       "€ 1 000,50 ₫ ₹ ₪ ₽ £",
		"two letters": "Straße STRASSE ﬁn Ǆep",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			for _, template := range []string{"%", "# %", "- %", "| % |\n|---|\n| x |"} {
				pdf := render(t, strings.Replace(template, "%", text, 1))
				pages(t, pdf)
				if got := found(t, pdf); !strings.Contains(singleSpaced(got), text) {
					t.Errorf("%q came out as %q", text, got)
				}
			}
		})
	}
}

func singleSpaced(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestDecomposedTextIsComposed(t *testing.T) {
	for decomposed, want := range map[string]string{
		"Vie\u0323\u0302t": "Việt", "Zoe\u0308": "Zoë", "Α\u0313θήνα": "Ἀθήνα", "и\u0306": "й", "क\u093c": "क़",
	} {
		if !strings.Contains(found(t, render(t, decomposed)), want) {
			t.Errorf("%q lacks %q", decomposed, want)
		}
	}
}

// drawn returns characters from left to right, as they are seen.
func TestTextFromRightToLeftIsInItsOrder(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a word", "שלום", "םולש"},
		{"a number keeps its direction", "סעיף 12 בלבד", "דבלב 12 ףיעס"},
		{"a sum", "סכום 1,000.50", "1,000.50 םוכס"},
		{"Latin among Hebrew", "חברת Acme Corp כאן", "ןאכ Acme Corp תרבח"},
		{"Hebrew among Latin", "He said שלום עולם twice", "He said םלוע םולש twice"},
		{"a number behind Hebrew among Latin", "left (שלום 45) today", "left (45 םולש) today"},
		{"brackets, which the font mirrors", "דוד (כהן) לוי", "יול )ןהכ( דוד"},
		{"Arabic digits", "رقم ٣٠", "٣٠ مقر"},
		{"isolates", "a \u2067שלום b\u2069 c", "a b םולש c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, contents := pages(t, render(t, test.text))
			if got := strings.ReplaceAll(contents[0], "\u2067", ""); !strings.Contains(got, test.want) {
				t.Errorf("%q is drawn as %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestRightToLeftTextIsAlignedToTheRight(t *testing.T) {
	text := "שלום עולם\n\n- פריט\n\nhello\n"
	cmd := exec.Command("pdftotext", "-bbox", "-", "-")
	cmd.Stdin = bytes.NewReader(render(t, text))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	edges := map[string]string{"םולש": `xMax="538.5`, "hello": `xMin="56.6`, "•": `xMax="532.9`}
	for word, edge := range edges {
		at := ""
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, ">"+word+"<") {
				at = line
				break
			}
		}
		if !strings.Contains(at, edge) {
			t.Errorf("%s is at %q, want %s", word, at, edge)
		}
	}
}

func TestCharactersThatNoFontHasAreRefusedByName(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"Chinese":            {"合同", []string{"U+5408 (合, Han)", "U+540C (同, Han)", "Noto Sans CJK", "folder fonts"}},
		"Japanese":           {"あ", []string{"U+3042 (あ, Hiragana)", "Noto Sans CJK"}},
		"Korean":             {"계", []string{"U+ACC4 (계, Hangul)", "Noto Sans CJK"}},
		"Tamil":              {"தமிழ்", []string{"U+0BA4 (த, Tamil)", "U+0BBF (◌ி, Tamil)", "Noto Sans Tamil"}},
		"Linear B":           {"𐀀", []string{"U+10000 (𐀀, Linear B)", "Noto Sans Linear B"}},
		"a symbol":           {"𝔸", []string{"U+1D538 (𝔸)", "Noto Sans Math"}},
		"of private use":     {"\ue000", []string{"U+E000"}},
		"unassigned":         {"\u0378", []string{"U+0378"}},
		"a control":          {"a\x07b", []string{"U+0007 (control character)", "remove"}},
		"in a heading":       {"# 合", []string{"U+5408"}},
		"in a table":         {"| a | 合 |", []string{"U+5408"}},
		"very many":          {every(0x4e00, 0x4e40), []string{"U+4E00", "and 44 more"}},
		"far behind":         {strings.Repeat("word ", 1000) + "合", []string{"U+5408"}},
		"a mark on a letter": {"a\u0eb8", []string{"U+0EB8 (◌ຸ, Lao)"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			pdf, err := builtIn.Render(t.Context(), document.Doc{Text: test.text})
			f := fault.As(err)
			if !errors.Is(err, fault.Unprocessable) || f.Code != "document.no_font" || pdf != nil {
				t.Fatalf("%d bytes, %v", len(pdf), err)
			}
			for _, want := range test.want {
				if !strings.Contains(f.Detail, want) {
					t.Errorf("%q lacks %q", f.Detail, want)
				}
			}
		})
	}
	_, err := builtIn.Render(t.Context(), document.Doc{Title: "合"})
	if f := fault.As(err); f.Code != "document.no_font" {
		t.Errorf("a title with characters that no font has: %v", err)
	}
}

func every(from, to rune) string {
	var b strings.Builder
	for r := from; r < to; r++ {
		b.WriteRune(r)
	}
	return b.String()
}

const contractInChinese = "本合同由李明签订。契約"

func TestFontsOfAFolderAreFoundWithoutARestart(t *testing.T) {
	folder := t.TempDir()
	fonts := document.NewFonts([]string{filepath.Join(t.TempDir(), "missing"), folder}, nil)
	if _, err := fonts.Render(t.Context(),
		document.Doc{Text: contractInChinese}); fault.As(err).Code != "document.no_font" {
		t.Fatalf("without a font: %v", err)
	}
	font, err := os.ReadFile("testdata/fonts/NotoSansCJK-Subset.ttc")
	if err != nil {
		t.Fatal(err)
	}
	for name, contents := range map[string][]byte{"cjk.ttc": font, "broken.ttf": font[:100], "notes.txt": []byte("x")} {
		if err := os.WriteFile(filepath.Join(folder, name), contents, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pdf := renderWith(t, fonts, contractInChinese)
	pages(t, pdf)
	if got := found(t, pdf); !strings.Contains(got, contractInChinese) {
		t.Errorf("found %q", got)
	}
	if !bytes.Equal(pdf, renderWith(t, fonts, contractInChinese)) {
		t.Error("the same input and fonts gave other bytes")
	}
	if !bytes.Equal(render(t, contract), renderWith(t, fonts, contract)) {
		t.Error("a folder of fonts changed a document that needs none of them")
	}
}

func TestOfTheSystemsFontsNotoAloneIsUsed(t *testing.T) {
	if pdf := renderWith(t, document.NewFonts(nil, []string{"testdata/fonts"}), contractInChinese); len(pdf) == 0 {
		t.Error("Noto Sans CJK is not used")
	}
}

// Chinese, Japanese and Korean share characters that each draws in its own way.
func TestCharactersAreDrawnAsTheirLanguageDoes(t *testing.T) {
	fonts := document.NewFonts([]string{"testdata/fonts"}, nil)
	for text, want := range map[string]string{"骨": "NotoSansCJKSC", "骨あ": "NotoSansCJKJP", "骨ア": "NotoSansCJKJP"} {
		if pdf := renderWith(t, fonts, text); !bytes.Contains(pdf, []byte("+"+want)) {
			t.Errorf("%s is not set in %s", text, want)
		}
	}
}

func TestLinesOfChineseBreakBetweenCharacters(t *testing.T) {
	fonts := document.NewFonts([]string{"testdata/fonts"}, nil)
	_, contents := pages(t, renderWith(t, fonts, strings.Repeat("合同，", 60)))
	lines := strings.Split(contents[0], "\n")
	if len(lines) < 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "，") {
			t.Error("a line begins with a comma")
		}
	}
}

func TestNamesInMetadataKeepTheirLetters(t *testing.T) {
	for _, name := range []string{"عقد", "חוזה", "हिन्दी", "ภาษาไทย", "Việt", "🙂"} {
		pdf, err := builtIn.Render(t.Context(), document.Doc{Title: name, Author: name})
		if err != nil {
			t.Fatal(err)
		}
		if ctx, _ := pages(t, pdf); ctx.Title != name || ctx.Author != name {
			t.Errorf("title %q, author %q, want %q", ctx.Title, ctx.Author, name)
		}
	}
}

func TestRenderingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := builtIn.Render(ctx, document.Doc{Text: contract}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}
