package schema

import (
	"encoding/json"
	"hash/maphash"
	"slices"

	"golang.org/x/text/unicode/norm"
)

// Equal reports whether two JSON values are the same. Numbers are compared exactly, whatever their size
// and spelling: 10, 10.0 and 1e1 are the same. Texts are the same in their canonical composition, unlike in
// schemas. Its cost is linear in the size of the values.
func Equal(a, b any) bool {
	same, _ := comparison{composed: true}.equal(a, b) // without a budget it can't fail
	return same
}

// equal compares values as JSON Schema does: a text equals only the same code points.
func equal(budget *Budget, a, b any) (bool, error) { return comparison{budget: budget}.equal(a, b) }

type comparison struct {
	budget   *Budget
	composed bool // texts are compared in their canonical composition
}

func (c comparison) equal(a, b any) (bool, error) {
	if err := c.budget.Spend(1); err != nil {
		return false, err
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false, nil
		}
		for name, value := range a {
			other, there := b[name]
			if !there {
				return false, nil
			}
			if same, err := c.equal(value, other); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false, nil
		}
		for i := range a {
			if same, err := c.equal(a[i], b[i]); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case string:
		b, ok := b.(string)
		if !ok {
			return false, nil
		}
		same := a == b || c.composed && norm.NFC.String(a) == norm.NFC.String(b)
		return same, c.budget.Spend((len(a) + len(b)) / bytesPerStep)
	case json.Number:
		if b, ok := b.(json.Number); ok && a == b {
			return true, nil
		}
	}
	if kindOf(a) == number {
		return kindOf(b) == number && numberOf(a) == numberOf(b), c.budget.Spend(stepsOfNumber)
	}
	return a == b, nil
}

// The costs of the parts of values.
const (
	bytesPerStep  = 64 // of text that is copied, hashed or compared
	stepsOfNumber = 2
)

// seed makes hashes that no client can foresee.
var seed = maphash.MakeSeed()

// hash returns a number that is the same for equal values.
func hash(budget *Budget, value any) (uint64, error) {
	var h maphash.Hash
	h.SetSeed(seed)
	err := write(budget, &h, value)
	return h.Sum64(), err
}

func write(budget *Budget, h *maphash.Hash, value any) error {
	if err := budget.Spend(2); err != nil {
		return err
	}
	kind := kindOf(value)
	h.WriteByte(byte(kind))
	switch value := value.(type) {
	case string:
		h.WriteString(value)
		return budget.Spend(len(value) / bytesPerStep)
	case bool:
		if value {
			h.WriteByte(1)
		}
	case []any:
		for _, item := range value {
			if err := write(budget, h, item); err != nil {
				return err
			}
		}
		h.WriteByte(0)
	case map[string]any:
		return writeObject(budget, h, value)
	default:
		if kind == number {
			maphash.WriteComparable(h, numberOf(value))
		}
	}
	return nil
}

// writeObject adds an object whatever the order of its names.
func writeObject(budget *Budget, h *maphash.Hash, members map[string]any) error {
	var sum uint64
	for name, value := range members {
		if err := budget.Spend(2 + len(name)/bytesPerStep); err != nil {
			return err
		}
		one, err := hash(budget, value)
		if err != nil {
			return err
		}
		sum += maphash.Comparable(seed, namedHash{name, one})
	}
	maphash.WriteComparable(h, sum)
	return nil
}

type namedHash struct {
	name string
	hash uint64
}

// values is the set of an enum, or of the one value of a const.
type values struct {
	types   kinds
	byHash  map[uint64][]any
	message string
}

func newValues(all []any) *values {
	set := &values{byHash: make(map[uint64][]any, len(all)), message: describe(all)}
	for _, value := range all {
		set.types |= kindOf(value)
		h, _ := hash(nil, value)
		same := func(one any) bool { is, _ := equal(nil, one, value); return is }
		if !slices.ContainsFunc(set.byHash[h], same) {
			set.byHash[h] = append(set.byHash[h], value)
		}
	}
	return set
}

// has reports whether a value is one of the set.
func (s *values) has(budget *Budget, value any) (bool, error) {
	if kindOf(value)&s.types == 0 {
		return false, nil
	}
	h, err := hash(budget, value)
	if err != nil {
		return false, err
	}
	for _, one := range s.byHash[h] {
		if same, err := equal(budget, value, one); same || err != nil {
			return same, err
		}
	}
	return false, nil
}
