package hardware

import (
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/units"
)

// Schema returns the schema of hardware files.
func Schema() *config.Schema {
	var f file
	f.listKeys()
	s := config.Object().Needs("onchip")
	for _, k := range f.keys {
		k.describe(s)
	}
	// As large as the workload asks is one shared buffer only.
	shared := s.Properties.Get("onchip").Properties.Get("capacity")
	*shared = *config.Either(quantitySchema(capacities), config.Word(workloadSized))
	return s
}

// describe adds a key, and the sections that it is in.
func (k *key) describe(s *config.Schema) {
	names := strings.Split(k.path, ".")
	for _, section := range names[:len(names)-1] {
		inner := s.Properties.Get(section)
		if inner == nil {
			inner = config.Object()
			s.Properties = append(s.Properties, config.Property{Name: section, Schema: inner})
			if k.needed {
				s.Required = append(s.Required, section)
			}
		}
		s = inner
	}
	name := names[len(names)-1]
	value := k.schema
	if value == nil {
		value = config.Text(k.example)
	}
	s.Properties = append(s.Properties, config.Property{Name: name, Schema: value})
	if k.needed {
		s.Required = append(s.Required, name)
	}
}

func quantitySchema(f units.Form) *config.Schema { return config.Quantity(f.Kind.Names(), f.Example) }

// Keys lists the keys of a hardware file, with dots.
func Keys() (list []string) {
	var f file
	f.listKeys()
	for _, k := range f.keys {
		list = append(list, k.path)
	}
	return list
}

// DimensionOf returns what a key of a hardware file measures.
func DimensionOf(path string) units.Dimension {
	var f file
	f.listKeys()
	for _, k := range f.keys {
		if k.path == path && k.kind != nil {
			return k.kind.Dimension
		}
	}
	return units.Dimension{}
}
