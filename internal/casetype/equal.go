package casetype

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/casehook/casehook/internal/schema"
)

// Equal reports whether two values of data are the same. Numbers are compared exactly, whatever their size
// and spelling: 10, 10.0 and 1e1 are the same. Texts are the same if readers can't tell them apart,
// composed or decomposed; letter case matters.
func Equal(a, b any) bool { return schema.Equal(a, b) }

// FingerprintLength is that of every fingerprint.
const FingerprintLength = 16

// Fingerprint returns a text that a field with a value shares with the field with an equal value, and with nothing else.
func Fingerprint(field string, value any) string {
	raw, err := json.Marshal([]any{field, canonical(value)})
	if err != nil {
		panic(fmt.Sprintf("casetype: data of JSON can't be encoded: %v", err))
	}
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])[:FingerprintLength]
}

// canonical returns a value in which equal numbers are spelt alike.
func canonical(value any) any {
	switch value := value.(type) {
	case json.Number:
		form, ok := schema.SortableNumber(value)
		if !ok {
			form = string(value)
		}
		return []any{"number", form}
	case []any:
		all := make([]any, len(value)+1)
		all[0] = "list"
		for i, item := range value {
			all[i+1] = canonical(item)
		}
		return all
	case map[string]any:
		all := make(map[string]any, len(value))
		for name, member := range value {
			all[name] = canonical(member)
		}
		return all
	}
	return value
}
