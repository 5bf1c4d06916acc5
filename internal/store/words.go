package store

import (
	"iter"
	"slices"
	"strings"
	"unicode"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/spelling"
)

// A search looks for words. Both engines get them as text that is split here already, so that neither's idea of a
// word, nor a database's locale, decides what is found.
const (
	maxWord     = 64      // characters; what follows them is left out, of texts and of searches
	maxSearched = 100_000 // bytes of the words of one clearance; PostgreSQL has room for 1 MiB in all
	maxAround   = 30_000  // bytes of the words around a case, of one clearance
)

// unspaced are scripts that put no spaces between words. Each of their characters counts as a word.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
	unicode.So,
}

// wordsOf splits a key into words: letters and digits, with the marks on them. All else separates words. A character of
// a script without spaces, or a symbol such as an emoji, is a word.
func wordsOf(key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var word []rune
		alone := false // the word is a character of such a script
		for _, r := range key {
			isMark, isAlone := unicode.IsMark(r), r > unicode.MaxASCII && unicode.In(r, unspaced...)
			isPart := isMark || isAlone || unicode.IsLetter(r) || unicode.IsNumber(r)
			goesOn := isMark || isPart && !isAlone && !alone
			if len(word) > 0 && !goesOn {
				if !yield(string(word)) {
					return
				}
				word = word[:0]
			}
			if !isMark || len(word) == 0 { // a mark leaves what it stands on as it is
				alone = isAlone
			}
			if isPart && len(word) < maxWord {
				word = append(word, r)
			}
		}
		if len(word) > 0 {
			yield(string(word))
		}
	}
}

// wordText returns the words of a key with a space between two, up to maxSearched.
func wordText(key string) string { return wordTextUpTo(key, maxSearched) }

// wordTextUpTo is wordText for another limit in bytes.
func wordTextUpTo(key string, most int) string {
	var b strings.Builder
	for word := range wordsOf(key) {
		if b.Len()+len(word) >= most {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// phrase is a part of a search: words that have to stand beside each other.
type phrase struct {
	words []string
	open  bool // the last word may go on
}

// phrases splits a search into what has to be found: between quotation marks whole words, elsewhere what stands
// between spaces, whose last word is the beginning of one.
func phrases(text string) (all []phrase) {
	add := func(part string, open bool) {
		if found := slices.Collect(wordsOf(part)); len(found) > 0 {
			all = append(all, phrase{found, open})
		}
	}
	for i, part := range strings.Split(spelling.Key(text), `"`) {
		if i%2 == 1 {
			add(part, strings.Count(text, `"`) == i) // the mark that ends it is not typed yet
			continue
		}
		for _, word := range strings.Fields(part) {
			add(word, true)
		}
	}
	return all
}

// tenantWord begins the word that a tenant's cases have in SQLite, so that a search reads the index of the tenant
// alone. It is no character of a word.
const tenantWord = "\uF8FF"

// wordQuery returns the query of an engine for phrases in the texts of a clearance.
func (d dialect) wordQuery(tenant string, all []phrase, clearance casetype.Classification) string {
	level := clearance.Level()
	parts := make([]string, len(all))
	if d == postgres {
		weights := "ABC"[:level]
		for i, p := range all {
			lexemes := make([]string, len(p.words))
			for j, word := range p.words {
				prefix := ""
				if p.open && j == len(p.words)-1 {
					prefix = "*"
				}
				lexemes[j] = "'" + word + "':" + prefix + weights
			}
			parts[i] = strings.Join(lexemes, " <-> ")
		}
		return "'#" + tenant + "' & " + strings.Join(parts, " & ")
	}
	for i, p := range all {
		parts[i] = `"` + strings.Join(p.words, " ") + `"`
		if p.open {
			parts[i] += " *"
		}
	}
	columns := strings.Join([]string{"search", "search_private", "search_restricted"}[:level], " ")
	return `tenant : "` + tenantWord + tenant + `" AND {` + columns + `} : (` + strings.Join(parts, " AND ") + `)`
}
