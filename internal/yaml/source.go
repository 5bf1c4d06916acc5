package yaml

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// input is a text in the form in which the library reads it as YAML 1.2.
type input struct {
	text    []byte
	restore *strings.Replacer // of scalars; nil: nothing is replaced
}

// prepare refuses texts for whose faults the library reports no line, and replaces constructs that the library reads
// differently from YAML 1.2. Lines and columns stay the same.
func prepare(source []byte) (input, *Fault) {
	if problem := unprintable(source); problem != nil {
		return input{}, problem
	}
	text, problem := directives(source)
	if problem != nil {
		return input{}, problem
	}
	return standIns(text)
}

// unprintable finds bytes that are no character, or one that YAML does not allow.
func unprintable(source []byte) *Fault {
	if i := invalid(source); i >= 0 {
		return &Fault{Position: positionIn(source, i), Message: notUTF8}
	}
	i := bytes.IndexFunc(source, func(c rune) bool {
		return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == '\ufffe' || c == '\uffff'
	})
	if i < 0 {
		return nil
	}
	c, _ := utf8.DecodeRune(source[i:])
	return &Fault{Position: positionIn(source, i),
		Message: fmt.Sprintf("holds the character %U, which YAML may not", c)}
}

var version = regexp.MustCompile(`^%YAML[ \t]+([^ \t\r\n]+)`)

// directives refuses versions of YAML other than 1.2, and hides a directive for 1.2 from the library, which
// implements only 1.1.
func directives(source []byte) ([]byte, *Fault) {
	for begin := 0; begin < len(source); {
		end := begin + bytes.IndexAny(source[begin:], "\r\n") + 1
		if end == begin {
			end = len(source)
		}
		line := source[begin:end]
		if len(bytes.TrimSpace(line)) > 0 && line[0] != '#' && line[0] != '%' {
			break
		}
		if found := version.FindSubmatchIndex(line); found != nil {
			if says := string(line[found[2]:found[3]]); says != "1.2" {
				message := fmt.Sprintf("is YAML %.20s; only YAML 1.2 is read here", says)
				return nil, &Fault{Position: positionIn(source, begin), Message: message}
			}
			source = bytes.Clone(source)
			source[begin+found[3]-1] = '1'
		}
		begin = end
	}
	return source, nil
}

// The separators that end a line in YAML 1.1 and are text in 1.2.
var separators = []string{"\u0085", "\u2028", "\u2029"}

// Private characters, which stand in for separators where a text does not use them.
const firstPrivate, lastPrivate = '\ue000', '\uf8ff'

// standIns replaces separators by other characters, one for one. A text that uses all
// private characters is refused.
func standIns(source []byte) (input, *Fault) {
	var used [lastPrivate - firstPrivate + 1]bool
	text := string(source)
	if !strings.ContainsAny(text, strings.Join(separators, "")) {
		return input{text: source}, nil
	}
	for _, c := range text {
		if c >= firstPrivate && c <= lastPrivate {
			used[c-firstPrivate] = true
		}
	}
	var there, back []string
	next := 0
	for _, separator := range separators {
		for next < len(used) && used[next] {
			next++
		}
		if next == len(used) {
			return input{}, &Fault{Position: Position{1, 1}, Message: "uses all private characters of Unicode"}
		}
		standIn := string(rune(firstPrivate + next))
		there, back = append(there, separator, standIn), append(back, standIn, separator)
		next++
	}
	return input{[]byte(strings.NewReplacer(there...).Replace(text)), strings.NewReplacer(back...)}, nil
}
