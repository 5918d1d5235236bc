package sweep

import (
	"strings"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/units"
)

// aliases are short names of columns, for conditions and orders.
var aliases = map[string]string{
	"cycles":    "cycles.total",
	"time":      "seconds",
	"energy":    "energy_pj.total",
	"footprint": "dram.footprint_bytes",
	"memory":    "analytic.memory_words",
}

// Parts of columns' names.
const (
	baselinePrefix  = "baseline."
	reductionAlias  = "reduction."
	reductionColumn = "baseline.reduction_percent."
)

// candidates lists the columns that a name may mean, the likeliest first.
func candidates(name string) []string {
	list := []string{name, aliases[name], name + ".total"}
	if rest, ok := strings.CutPrefix(name, reductionAlias); ok {
		list = append(list, reductionColumn+rest)
	}
	if rest, ok := strings.CutPrefix(name, baselinePrefix); ok && aliases[rest] != "" {
		list = append(list, baselinePrefix+aliases[rest])
	}
	return list
}

// footprints are bytes that no name says.
const footprints = "dram.footprint."

// dimensionOf returns what a column measures: its values are in bytes, seconds or
// picojoules, or written with a unit.
func dimensionOf(column string) units.Dimension {
	if strings.HasPrefix(column, footprints) {
		return units.Memory.Dimension
	}
	for name := range strings.SplitSeq(column, ".") {
		switch {
		case name == "seconds":
			return units.Duration.Dimension
		case strings.HasSuffix(name, "_pj"):
			return units.Energy.Dimension
		case strings.HasSuffix(name, "_bytes"):
			return units.Memory.Dimension
		}
	}
	return hardware.DimensionOf(column)
}
