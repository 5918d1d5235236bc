package report

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
)

// DescribeRun returns the schema of what `run --format json` prints.
func DescribeRun() *config.Schema { return schemaOf(reflect.TypeFor[Run]()) }

// schemaOf describes a type as encoding/json writes it.
func schemaOf(t reflect.Type) *config.Schema {
	if t.Kind() == reflect.Pointer {
		return schemaOf(t.Elem())
	}
	if t.Implements(reflect.TypeFor[json.Marshaler]()) { // a number of more than 64 bits
		return &config.Schema{Type: "integer"}
	}
	switch t.Kind() {
	case reflect.Struct:
		s := config.Object()
		addFields(s, t)
		return s
	case reflect.Map:
		return &config.Schema{Type: "object", Others: &config.OtherValues{Schema: schemaOf(t.Elem())}}
	case reflect.Slice, reflect.Array:
		return &config.Schema{Type: "array", Items: schemaOf(t.Elem())}
	case reflect.String:
		return &config.Schema{Type: "string"}
	case reflect.Bool:
		return config.Flag()
	case reflect.Float64:
		return config.AnyNumber()
	}
	return &config.Schema{Type: "integer"}
}

// addFields adds a struct's fields, and those of structs that it embeds.
func addFields(s *config.Schema, t reflect.Type) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
			continue
		case name == "" && f.Anonymous && f.Type.Kind() == reflect.Pointer: // all of it or nothing
			s.Properties = append(s.Properties, schemaOf(f.Type).Properties...)
			continue
		case name == "" && f.Anonymous:
			addFields(s, f.Type)
			continue
		case name == "":
			name = f.Name
		}
		s.Properties = append(s.Properties, config.Property{Name: name, Schema: schemaOf(f.Type)})
		if !strings.Contains(options, "omit") && f.Type.Kind() != reflect.Slice && f.Type.Kind() != reflect.Map {
			s.Required = append(s.Required, name)
		}
	}
}
