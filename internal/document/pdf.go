package document

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf16"
)

// pdf writes a file of numbered objects (ISO 32000-1, 7.5). Nothing in it depends
// on the time or on chance.
type pdf struct {
	out     bytes.Buffer
	offsets []int // of the objects; number 1 is the first
	packer  *zlib.Writer
}

func newPDF() *pdf {
	p := &pdf{}
	p.out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return p
}

// reserve returns the number of an object that is written later.
func (p *pdf) reserve() int {
	p.offsets = append(p.offsets, 0)
	return len(p.offsets)
}

func (p *pdf) object(number int, body string, args ...any) {
	p.offsets[number-1] = p.out.Len()
	fmt.Fprintf(&p.out, "%d 0 obj\n", number)
	fmt.Fprintf(&p.out, body, args...)
	p.out.WriteString("\nendobj\n")
}

// stream writes data, compressed, with entries for its dictionary.
func (p *pdf) stream(entries string, data []byte) (number int) {
	var packed bytes.Buffer
	if p.packer == nil {
		p.packer = zlib.NewWriter(&packed)
	} else {
		p.packer.Reset(&packed)
	}
	p.packer.Write(data) // into memory: it can't fail
	p.packer.Close()
	number = p.reserve()
	p.object(number, "<< /Length %d /Filter /FlateDecode %s>>\nstream\n%s\nendstream",
		packed.Len(), entries, packed.Bytes())
	return number
}

// close writes the table of objects, and returns the file.
func (p *pdf) close(catalog, info int) []byte {
	id := sha256.Sum256(p.out.Bytes())
	at := p.out.Len()
	fmt.Fprintf(&p.out, "xref\n0 %d\n0000000000 65535 f \n", len(p.offsets)+1)
	for _, offset := range p.offsets {
		fmt.Fprintf(&p.out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&p.out, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [<%x> <%x>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(p.offsets)+1, catalog, info, id[:16], id[:16], at)
	return p.out.Bytes()
}

// textString encodes a text outside of pages, such as a title, in UTF-16.
func textString(s string) string { return "<feff" + utf16Hex(s) + ">" }

func utf16Hex(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return hex.EncodeToString(b)
}

func date(t time.Time) string { return t.UTC().Format("(D:20060102150405Z)") }
