package casework

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/yaml"
)

// maxClientContext bounds Client-Context in base64, since it is a header.
const maxClientContext = 16 << 10 // bytes

// checkClientContext refuses a Client-Context that is not base64 of a JSON object.
func checkClientContext(text string) error {
	if text == "" {
		return nil
	}
	if _, ok := clientContext(text); !ok {
		refusal := fault.New(fault.Invalid, "request.client_context",
			"The header Client-Context is not base64 of a JSON object, of at most %d bytes.", maxClientContext)
		refusal.Fields = []fault.Field{{Path: "header.Client-Context", Message: "is not base64 of a JSON object"}}
		return refusal
	}
	return nil
}

// clientContext reads a Client-Context. Some clients put it in brackets.
func clientContext(text string) (map[string]json.RawMessage, bool) {
	if len(text) > maxClientContext {
		return nil, false
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(yaml.ReadJSON(raw).Faults) > 0 {
		return nil, false
	}
	var members map[string]json.RawMessage
	err = json.Unmarshal(raw, &members)
	return members, err == nil && members != nil
}

// mergeClientContext returns a Client-Context with the members of a callback's answer over it, or those alone if none
// was sent. An answer that can't be read changes nothing, and so does one that would make it too long.
func mergeClientContext(sent, answered string) string {
	from, ok := clientContext(answered)
	switch {
	case !ok:
		return sent
	case sent == "":
		return answered
	}
	to, ok := clientContext(sent)
	if !ok {
		return sent
	}
	maps.Copy(to, from)
	raw, err := json.Marshal(to)
	if merged := base64.StdEncoding.EncodeToString(raw); err == nil && len(merged) <= maxClientContext {
		return merged
	}
	return sent
}
