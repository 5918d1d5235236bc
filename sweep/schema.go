package sweep

import (
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/config"
)

// Schema returns the schema of grids.
func Schema() *config.Schema {
	s := axes()
	s.Properties = append(s.Properties, config.Property{Name: keyPoints, Schema: &config.Schema{Type: "array", Items: axes()}})
	return s
}

// axes is a mapping of axes to values, which are read as they are written.
func axes() *config.Schema {
	one := config.Text().Or(config.AnyNumber())
	one.Either = append(one.Either, config.Flag())
	values := one.Or(config.List(one))
	s := config.Object()
	for _, name := range Axes {
		s.Properties = append(s.Properties, config.Property{Name: name, Schema: values})
	}
	set := &config.Schema{Type: "object", Description: "keys of the hardware file, with dots or in sections"}
	for _, name := range hardware.Keys() {
		set.Properties = append(set.Properties, config.Property{Name: name, Schema: values})
	}
	s.Properties = append(s.Properties, config.Property{Name: keySet, Schema: set})
	return s
}
