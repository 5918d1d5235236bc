package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/units"
)

// Decode fills the struct that into points to with the document's values. A
// field's tag yaml:"name" is its key; yaml:"name,unlisted" is one that is read
// but not offered where a key is unknown. Fields are text (string kinds), numbers
// (float64), structs, pointers to those, and *[Node], which takes any value. What
// is absent or null leaves its field alone.
func (d *Document) Decode(into any) error { return d.DecodeNode(d.Root, "", into) }

// DecodeNode does so with the value of a key of the document.
func (d *Document) DecodeNode(n *Node, key string, into any) error {
	return d.mapping(n, key, reflect.ValueOf(into).Elem())
}

var nodeType = reflect.TypeFor[*Node]()

func (d *Document) mapping(n *Node, section string, to reflect.Value) error {
	if n.Kind != Mapping {
		return d.At(n.Line, section, "is of type %s; write a mapping", n.typeName())
	}
	for _, p := range n.Pairs {
		key := join(section, p.Name)
		field, ok := fieldOf(to, p.Name)
		if !ok {
			return d.At(p.Line, key, "%s", NotAKey(p.Name, names(to.Type())))
		}
		if p.Value.Kind == Null {
			continue
		}
		if err := d.value(p.Value, key, field); err != nil {
			return err
		}
	}
	return nil
}

func (d *Document) value(n *Node, key string, to reflect.Value) error {
	switch {
	case to.Type() == nodeType:
		to.Set(reflect.ValueOf(n))
		return nil
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return d.value(n, key, to.Elem())
	case to.Kind() == reflect.Struct:
		return d.mapping(n, key, to)
	case to.Kind() == reflect.String:
		if n.Kind != Scalar {
			return d.At(n.Line, key, "is not text")
		}
		to.SetString(n.Text)
		return nil
	}
	v, err := units.ParseNumber(n.Text)
	if n.Kind != Scalar || err != nil {
		return d.At(n.Line, key, "is not a number")
	}
	to.SetFloat(v)
	return nil
}

// fieldOf returns the field of a struct whose key that is.
func fieldOf(s reflect.Value, name string) (reflect.Value, bool) {
	for i := range s.NumField() {
		if key, _, _ := strings.Cut(s.Type().Field(i).Tag.Get("yaml"), ","); key == name && key != "" {
			return s.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// names lists the keys of a struct.
func names(s reflect.Type) (list []string) {
	for i := range s.NumField() {
		key, option, _ := strings.Cut(s.Field(i).Tag.Get("yaml"), ",")
		if key != "" && option != "unlisted" {
			list = append(list, key)
		}
	}
	return list
}

// NotAKey says so of a name, which key may have been meant, and which there are.
func NotAKey(name string, accepted []string) string {
	return fmt.Sprintf("is not a key%s; there are %s", spelling.Suggest(name, accepted), strings.Join(accepted, ", "))
}

// typeName says what a value is, in YAML's words.
func (n *Node) typeName() string {
	switch n.Kind {
	case Mapping:
		return "mapping"
	case Sequence:
		return "sequence"
	case Null:
		return "null"
	}
	switch {
	case n.Quoted:
	case isInteger(n.Text):
		return "integer"
	case isNumber(n.Text):
		return "float"
	case slices.Contains([]string{"true", "True", "TRUE", "false", "False", "FALSE"}, n.Text):
		return "bool"
	}
	return "string"
}

func isNumber(text string) bool {
	_, err := units.ParseNumber(text)
	return err == nil
}

func isInteger(text string) bool {
	_, err := units.ParseInteger(text)
	return err == nil || errors.Is(err, strconv.ErrRange)
}
