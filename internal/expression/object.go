package expression

import (
	"maps"
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Type is the type of a value in an expression.
type Type = *cel.Type

// Types.
var (
	Text  = cel.StringType
	Int   = cel.IntType
	Bool  = cel.BoolType
	Time  = cel.TimestampType
	Texts = cel.ListType(cel.StringType)
	Map   = cel.MapType(cel.StringType, cel.DynType) // of anything, by name
)

// ListOf returns the type of lists.
func ListOf(t Type) Type { return cel.ListType(t) }

// Object is a type with known fields, so that an unknown name is refused when an expression is compiled.
type Object struct {
	Name   string
	Fields map[string]Field
}

// Field is a field of an object. Get reads it from the Go value that the expression is evaluated with; if ok is
// false the field is absent: has() is false, and using it is an error.
type Field struct {
	Type Type
	Get  func(object any) (value any, ok bool)
}

// Type returns the type of the object.
func (o *Object) Type() Type { return cel.ObjectType(o.Name) }

// Of makes a value of the type.
func (o *Object) Of(v any) ref.Val { return object{o, v} }

// Names lists the object's fields.
func (o *Object) Names() []string { return slices.Sorted(maps.Keys(o.Fields)) }

// absence is the reason why a field can't be used.
type absence string

func (a absence) Error() string { return "no such key: " + string(a) }

// provider resolves objects in addition to CEL's own types.
type provider struct {
	types.Provider
	objects map[string]*Object
}

func newProvider(own types.Provider, objects []*Object) provider {
	p := provider{own, map[string]*Object{}}
	for _, o := range objects {
		p.objects[o.Name] = o
	}
	return p
}

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if o := p.objects[name]; o != nil {
		return types.NewTypeTypeWithParam(o.Type()), true
	}
	return p.Provider.FindStructType(name)
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	o := p.objects[name]
	if o == nil {
		return p.Provider.FindStructFieldType(name, field)
	}
	f, ok := o.Fields[field]
	if !ok {
		return nil, false
	}
	return &types.FieldType{
		Type:  f.Type,
		IsSet: func(target any) bool { _, ok := f.Get(target); return ok },
		GetFrom: func(target any) (any, error) {
			if v, ok := f.Get(target); ok {
				return composed(v), nil
			}
			return nil, absence(field)
		},
	}, true
}

// NewValue fails: expressions only read objects.
func (p provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if p.objects[name] != nil {
		return types.NewErr("no such overload")
	}
	return p.Provider.NewValue(name, fields)
}

// object is a value of an object's type.
type object struct {
	of    *Object
	value any
}

func (o object) ConvertToNative(reflect.Type) (any, error) { return nil, absence(o.of.Name) }

func (o object) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.of.Type()
	}
	return types.NewErr("no such overload")
}

func (o object) Equal(other ref.Val) ref.Val {
	same, ok := other.(object)
	return types.Bool(ok && same.of == o.of && same.value == o.value)
}

func (o object) Type() ref.Type { return o.of.Type() }
func (o object) Value() any     { return o.value }
