package yaml

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Decoder decodes itself from a node. If it can't, it returns why, in a message that follows the name of the node.
type Decoder interface {
	DecodeYAML(n Node) (message string)
}

// Decode fills the value that into points to: structs by their fields' yaml tags, embedded ones as if
// their fields were here, and values made of texts, numbers, booleans, durations, lists, maps and nodes. A
// text may be written as a number. A null leaves the value unchanged. Unknown keys and values of other
// kinds are faults.
func (n Node) Decode(into any) []Fault {
	d := decodeState{}
	d.value(n, reflect.ValueOf(into).Elem())
	return d.faults
}

type decodeState struct{ faults []Fault }

func (d *decodeState) fault(n Node, format string, args ...any) {
	d.faults = append(d.faults, Fault{Position: n.Position(), Path: n.Path, Message: fmt.Sprintf(format, args...)})
}

func (d *decodeState) value(n Node, to reflect.Value) {
	if to.Type() == reflect.TypeFor[Node]() {
		to.Set(reflect.ValueOf(n))
		return
	}
	if n.Value == nil {
		return
	}
	if own, ok := to.Addr().Interface().(Decoder); ok {
		if message := own.DecodeYAML(n); message != "" {
			d.fault(n, "%s", message)
		}
		return
	}
	if to.Type() == reflect.TypeFor[time.Duration]() {
		d.duration(n, to)
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		d.value(n, to.Elem())
	case reflect.Struct:
		d.object(n, to)
	case reflect.Map:
		d.members(n, to)
	case reflect.Slice:
		d.list(n, to)
	case reflect.String:
		text, ok := n.Text()
		if !ok {
			d.fault(n, "is %s, not text", n.Kind())
		}
		to.SetString(text)
	default:
		d.number(n, to)
	}
}

// number decodes numbers and booleans.
func (d *decodeState) number(n Node, to reflect.Value) {
	number, _ := n.Value.(json.Number)
	switch to.Kind() {
	case reflect.Bool:
		value, ok := n.Value.(bool)
		if !ok {
			d.fault(n, "is %s, not true or false", n.Kind())
		}
		to.SetBool(value)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(number.String(), 10, to.Type().Bits())
		if err != nil {
			d.fault(n, "is not a whole number within the possible range")
		}
		to.SetInt(i)
	case reflect.Float64:
		f, err := number.Float64()
		if err != nil {
			d.fault(n, "is %s, not a number within the possible range", n.Kind())
		}
		to.SetFloat(f)
	default:
		panic("yaml: can't decode a " + to.Type().String())
	}
}

func (d *decodeState) duration(n Node, to reflect.Value) {
	text, _ := n.Value.(string)
	duration, err := time.ParseDuration(text)
	switch number, isNumber := n.Value.(json.Number); {
	case isNumber:
		d.fault(n, "is a number without a unit: write %ss", number)
	case err != nil:
		d.fault(n, "is not a duration such as 250ms, 5s or 1m30s")
	}
	to.SetInt(int64(duration))
}

func (d *decodeState) object(n Node, to reflect.Value) {
	if _, ok := n.Value.(map[string]any); !ok {
		d.fault(n, "is %s, not an object", n.Kind())
		return
	}
	fields := fieldsOf(to)
	for key, member := range n.Members() {
		if field, known := fields[key]; known {
			d.value(member, field)
		} else {
			d.unknown(member, keysOf(to.Type()))
		}
	}
}

// unknown adds a fault for an unknown key.
func (d *decodeState) unknown(n Node, keys []string) {
	listed := keys
	if len(listed) > maxKeys {
		listed = append(slices.Clone(keys[:maxKeys]), "...")
	}
	d.fault(n, "is not a known key; there are %s", strings.Join(listed, ", "))
	d.faults[len(d.faults)-1].Known = keys
}

// maxKeys bounds how many known keys a message lists.
const maxKeys = 30

// keysOf lists the keys of a struct's fields.
func keysOf(of reflect.Type) (keys []string) {
	for _, f := range reflect.VisibleFields(of) {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// fieldsOf returns a struct's fields by their keys.
func fieldsOf(to reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for _, f := range reflect.VisibleFields(to.Type()) {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" {
			fields[key] = to.FieldByIndex(f.Index)
		}
	}
	return fields
}

func (d *decodeState) members(n Node, to reflect.Value) {
	if _, ok := n.Value.(map[string]any); !ok {
		d.fault(n, "is %s, not an object", n.Kind())
		return
	}
	to.Set(reflect.MakeMap(to.Type()))
	for key, member := range n.Members() {
		value := reflect.New(to.Type().Elem()).Elem()
		d.value(member, value)
		to.SetMapIndex(reflect.ValueOf(key), value)
	}
}

func (d *decodeState) list(n Node, to reflect.Value) {
	if _, ok := n.Value.([]any); !ok {
		d.fault(n, "is %s, not a list", n.Kind())
		return
	}
	items := n.Items()
	to.Set(reflect.MakeSlice(to.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(item, to.Index(i))
	}
}
