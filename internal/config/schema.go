package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
)

// Schema is a JSON Schema (draft 2020-12) of a value in a file, for editors that
// complete and check what is typed. It is stricter than the reader in one way: the
// reader takes a number in quotes, and nothing for a key that need not be there.
type Schema struct {
	Title       string       `json:"title,omitempty"`
	Description string       `json:"description,omitempty"`
	Type        string       `json:"type,omitempty"`
	Enum        []string     `json:"enum,omitempty"`
	Pattern     string       `json:"pattern,omitempty"`
	Least       *float64     `json:"minimum,omitempty"`
	Most        *float64     `json:"maximum,omitempty"`
	Examples    []string     `json:"examples,omitempty"`
	Items       *Schema      `json:"items,omitempty"`
	Fewest      int          `json:"minItems,omitempty"`
	Longest     int          `json:"maxItems,omitempty"`
	Either      []*Schema    `json:"anyOf,omitempty"`
	Properties  Properties   `json:"properties,omitempty"`
	Patterns    Properties   `json:"patternProperties,omitempty"`
	Required    []string     `json:"required,omitempty"`
	Others      *OtherValues `json:"additionalProperties,omitempty"`
	Ref         string       `json:"$ref,omitempty"`
	Definitions Properties   `json:"$defs,omitempty"`
}

// OtherValues says what keys may have that are not listed: nothing, if Schema is nil.
type OtherValues struct{ *Schema }

// MarshalJSON writes false or the schema.
func (o *OtherValues) MarshalJSON() ([]byte, error) {
	if o.Schema == nil {
		return []byte("false"), nil
	}
	return json.Marshal(o.Schema)
}

// None is for mappings whose keys are all listed.
var None = &OtherValues{}

// Property is a key and what it may have.
type Property struct {
	Name string
	*Schema
}

// Properties are the keys of a mapping, in the order in which a file has them.
type Properties []Property

// Get returns what a key may have, or nil.
func (p Properties) Get(name string) *Schema {
	for _, x := range p {
		if x.Name == name {
			return x.Schema
		}
	}
	return nil
}

// Names lists the keys.
func (p Properties) Names() (list []string) {
	for _, x := range p {
		list = append(list, x.Name)
	}
	return list
}

// MarshalJSON writes one object.
func (p Properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, x := range p {
		b.WriteString(string("{,"[min(i, 1)]))
		name, err := json.Marshal(x.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(x.Schema)
		if err != nil {
			return nil, err
		}
		b.Write(append(append(name, ':'), value...))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Text is any scalar that is read as it is written.
func Text(examples ...string) *Schema { return &Schema{Type: "string", Examples: examples} }

// Word is one of some names.
func Word(names ...string) *Schema { return &Schema{Enum: names} }

// Flag is true or false.
func Flag() *Schema { return &Schema{Type: "boolean"} }

// Number is a number within bounds.
func Number(least, most float64) *Schema { return &Schema{Type: "number", Least: &least, Most: &most} }

// AnyNumber is a number.
func AnyNumber() *Schema { return &Schema{Type: "number"} }

// Whole is a whole number within bounds.
func Whole(least, most float64) *Schema { return &Schema{Type: "integer", Least: &least, Most: &most} }

// Either is a value that may have several forms.
func Either(forms ...*Schema) *Schema { return &Schema{Either: forms} }

// List is a list of such values.
func List(of *Schema) *Schema { return &Schema{Type: "array", Items: of, Fewest: 1} }

// Reference is what a definition of the schema says.
func Reference(name string) *Schema { return &Schema{Ref: "#/$defs/" + name} }

// Object is a mapping with these keys and no other.
func Object(keys ...Property) *Schema { return &Schema{Type: "object", Properties: keys, Others: None} }

// Quantity is a number with one of some units.
func Quantity(units []string, example string) *Schema {
	quoted := make([]string, len(units))
	for i, u := range units {
		quoted[i] = regexp.QuoteMeta(u)
	}
	return &Schema{Type: "string", Pattern: `^\s*[-+]?[0-9.][0-9.eExX+-]*\s*(` + strings.Join(quoted, "|") + `)\s*$`, Examples: []string{example}}
}

// Or adds a form to a value.
func (s *Schema) Or(form *Schema) *Schema { return Either(s, form) }

// Needs names the keys that a mapping must have.
func (s *Schema) Needs(names ...string) *Schema {
	s.Required = append(s.Required, names...)
	return s
}

// Describe returns the schema of what [Document.Decode] reads into a struct. A field
// of type *[Node] says in its tag `is` which of the forms its value has; unlisted
// fields are left out.
func Describe[T any](forms map[string]*Schema) *Schema {
	return describe(reflect.TypeFor[T](), forms)
}

func describe(t reflect.Type, forms map[string]*Schema) *Schema {
	s := Object()
	for f := range t.Fields() {
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" || option == "unlisted" {
			continue
		}
		s.Properties = append(s.Properties, Property{name, describeField(f, forms)})
	}
	return s
}

// describeField returns the schema of one value.
func describeField(f reflect.StructField, forms map[string]*Schema) *Schema {
	if form := f.Tag.Get("is"); form != "" || f.Type == nodeType {
		s := forms[form]
		if s == nil {
			panic(f.Name + " is of the form " + form + ", which nothing defines") // a test sees it
		}
		return s
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		return describe(t, forms)
	case reflect.String:
		return Text()
	}
	return AnyNumber()
}

// WriteSchema returns a whole schema as JSON, with its version.
func WriteSchema(s *Schema, name, title string) ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(struct {
		Schema string `json:"$schema"`
		ID     string `json:"$id"`
		Title  string `json:"title"`
	}{"https://json-schema.org/draft/2020-12/schema", "urn:accelsim:" + name, title})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	joined := append(append(head[:len(head)-1], ','), text[1:]...)
	err = json.Indent(&out, joined, "", "  ")
	out.WriteByte('\n')
	return out.Bytes(), err
}
