package expression

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Value evaluates an expression to a value of JSON, whose numbers are json.Number; times are texts. It also returns the
// cost, in CEL's units. The error's text does not quote the values.
func (p *Program) Value(values Values) (value any, cost uint64, err error) {
	result, details, err := p.program.Eval(values)
	if details != nil && details.ActualCost() != nil {
		cost = *details.ActualCost()
	}
	if err != nil {
		return nil, cost, errors.New(p.problem(err))
	}
	value, err = valueOfJSON(result)
	return value, cost, err
}

var errNoJSON = errors.New("its value is none of JSON")

func valueOfJSON(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.String:
		return string(v), nil
	case types.Int:
		return json.Number(strconv.FormatInt(int64(v), 10)), nil
	case types.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10)), nil
	case types.Double:
		return numberOfJSON(float64(v))
	case wideNumber:
		if v.rat.IsInt() {
			return json.Number(v.rat.Num().String()), nil
		}
	case types.Timestamp:
		return v.Time.UTC().Format(time.RFC3339Nano), nil
	case traits.Mapper:
		return objectOfJSON(v)
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			item, err := valueOfJSON(it.Next())
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, nil
	}
	return nil, errNoJSON
}

func numberOfJSON(f float64) (any, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, errNoJSON
	case f == math.Trunc(f) && math.Abs(f) <= maxExact:
		return json.Number(strconv.FormatFloat(f, 'f', -1, 64)), nil
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
}

func objectOfJSON(m traits.Mapper) (any, error) {
	object := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, errNoJSON
		}
		member, err := valueOfJSON(m.Get(key))
		if err != nil {
			return nil, err
		}
		object[string(name)] = member
	}
	return object, nil
}
