package wire

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/event"
)

// rewritten decodes data and encodes it again, without the names that are reserved.
func rewritten(t interface{ Fatal(...any) }, data []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var decoded map[string]any
	if err := d.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	for _, name := range reservedFields {
		delete(decoded, name)
	}
	again, err := encode(decoded)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestCanonicalDataIsUnchangedByDecodingAndEncoding(t *testing.T) {
	for data, want := range map[string]bool{
		`{}`: true,
		`{"a":1e3,"b":[-0,1.50,true,null,"x <&> é"],"c":{"d":{},"e":[]}}`: true,
		`{"a":{"id":1,"title":2}}`: true,
		`{"b":1,"a":2}`:            false,
		`{"a":1,"a":2}`:            false,
		`{"a":{"d":1,"c":2}}`:      false,
		`{"a":[{"d":1,"c":2}]}`:    false,
		`{"id":1}`:                 false,
		`{"a":"\u003c"}`:           false,
		"{\"a\":\"\u2028\"}":       false,
		"{\"a\":\"\u2029\"}":       false,
		"{\"\u2028\":1}":           false,
		"{\"a\":\"\xff\"}":         false,
		`{ "a":1}`:                 false,
		`{"a" :1}`:                 false,
		`{"a": 1}`:                 false,
		`{"a":1 }`:                 false,
		`{"a":1, "b":2}`:           false,
		`{"a":1 ,"b":2}`:           false,
		`{"a":"x" }`:               false,
		`{"a":[] }`:                false,
		`{"a":{} }`:                false,
		`{"a":[1, 2]}`:             false,
		`{"a":[1 ]}`:               false,
		`{"a":[ ]}`:                false,
		`{"a":{ }}`:                false,
		`{} `:                      false,
		"{\"a\":1,\n\"b\":2}":      false,
	} {
		if got := canonical([]byte(data)); got != want || got && string(rewritten(t, []byte(data))) != data {
			t.Errorf("%q: %v, want %v", data, got, want)
		}
	}
	for _, data := range []string{``, `null`, `[]`, `1`, `{"a":1`, `{"a":1}}`, `{"a":tru}`} {
		if canonical([]byte(data)) {
			t.Errorf("%q is canonical, but not an object", data)
		}
	}
}

// A claim's JSON is the same, whether its data was canonical or not.
func TestAClaimIsTheSameHoweverItsDataIsStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data, err := json.Marshal(anyObject(3).Draw(t, "data"))
		if rapid.Bool().Draw(t, "unescaped") {
			data, err = encode(json.RawMessage(data))
		}
		if rapid.IntRange(0, 3).Draw(t, "spaced") == 0 {
			var spaced bytes.Buffer
			err = json.Indent(&spaced, data, "", " ")
			data = spaced.Bytes()
		}
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(0, 0)
		claim, err := NewClaim(&event.Case{Data: data}, at)
		if err != nil {
			t.Fatal(err)
		}
		bare, _ := NewClaim(&event.Case{Data: []byte(`{}`)}, at)
		want, _ := encode(bare.Kept)
		if again := rewritten(t, data); len(again) > 2 {
			want = append(append(want[:len(want)-1], ','), again[1:]...)
		}
		if got, err := encode(claim); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s, %v\nwant %s", got, err, want)
		}
	})
}

// anyObject draws objects of some depth, whose names collide and are sometimes reserved.
func anyObject(depth int) *rapid.Generator[map[string]any] {
	names := rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "id", "title", "é", "<", "\u2028", `"`}), rapid.String())
	return rapid.MapOfN(names, anyValue(depth), 0, 5)
}

func anyValue(depth int) *rapid.Generator[any] {
	leaves := rapid.OneOf(
		rapid.Int().AsAny(), rapid.Float64Range(-1e9, 1e30).AsAny(), rapid.Bool().AsAny(), rapid.String().AsAny(),
		rapid.SampledFrom([]any{nil, "", "<&>", "\u2028", "x\ty", json.Number("1.500")}),
	)
	if depth == 0 {
		return leaves
	}
	return rapid.OneOf(leaves, rapid.Deferred(func() *rapid.Generator[any] { return anyObject(depth - 1).AsAny() }),
		rapid.Deferred(func() *rapid.Generator[any] { return rapid.SliceOfN(anyValue(depth-1), 0, 3).AsAny() }))
}

func BenchmarkClaim(b *testing.B) {
	c := &event.Case{Data: []byte(`{"claimant":{"first_name":"Ada","last_name":"Meier","role":"driver"},` +
		`"estimated_claim_cost":64000,"policy_no":"P-4711","z":[1,2,3]}`)}
	b.ReportAllocs()
	for b.Loop() {
		claim, err := NewClaim(c, time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := encode(claimBody{Claim: claim}); err != nil {
			b.Fatal(err)
		}
	}
}
