package energy

import (
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
)

// Schema returns the schema of energy tables.
func Schema() *config.Schema {
	s := config.Object(config.Property{Name: technologyKey, Schema: config.Text("45 nm")})
	for _, name := range sections {
		s.Properties = append(s.Properties, config.Property{Name: name, Schema: config.Object()})
	}
	var t Table
	for _, f := range t.fields() {
		add(s, f.key, value(f.unit))
	}
	// Capacities are keys.
	points := &config.Schema{Type: "object", Others: &config.OtherValues{Schema: value(Picojoule)}}
	add(s, readKey, points)
	add(s, writeKey, points)
	return s
}

// add puts a key into its section.
func add(s *config.Schema, key string, of *config.Schema) {
	section, name, _ := strings.Cut(key, ".")
	in := s.Properties.Get(section)
	in.Properties = append(in.Properties, config.Property{Name: name, Schema: of})
}

// value is a quantity, or one with its source.
func value(unit Unit) *config.Schema {
	form := forms[unit]
	amount := config.Quantity(form.Kind.Names(), form.Example)
	return amount.Or(config.Object(
		config.Property{Name: "value", Schema: amount}, config.Property{Name: "source", Schema: config.Text()},
	).Needs("value"))
}
