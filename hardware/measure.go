package hardware

import (
	"fmt"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
)

// measure is a kind of quantity that is written as a number with a unit.
type measure struct {
	units       []unit // largest first
	least, most float64
	accepted    string // the same in its units
	example     string
}

type unit struct {
	name  string
	scale float64
}

// What hardware files measure. The bounds are far beyond what is built, and keep
// sums far from overflow.
var (
	clocks     = measure{[]unit{{"GHz", 1e9}, {"MHz", 1e6}, {"kHz", 1e3}, {"Hz", 1}}, 1, 10e9, "1Hz to 10GHz", "200MHz"}
	rates      = measure{[]unit{{"GT/s", 1e9}, {"MT/s", 1e6}}, 1e6, 1e15, "1MT/s to 1000000GT/s", "2400MT/s"}
	capacities = measure{byteUnits, 1 << 10, 1 << 49, "1KiB to 524288GiB", "2MiB"}
	bankSizes  = measure{byteUnits, 1, 1 << 49, "1B to 524288GiB", "32KiB"}

	byteUnits = []unit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
)

// or adds a word to the examples that may be written instead.
func (m measure) or(word string) measure {
	m.example += " or " + word
	return m
}

// parse reads a number with one of the units.
func (m measure) parse(text string) (int64, error) {
	number, name := cutUnit(text)
	v, err := config.ParseNumber(number)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a number with a unit; write for example %s", text, m.example)
	case name == "":
		return 0, fmt.Errorf("%q has no unit; write for example %s", text, m.example)
	}
	var names []string
	for _, u := range m.units {
		if u.name == name {
			if scaled := v * u.scale; scaled >= m.least && scaled <= m.most {
				return int64(scaled), nil
			}
			return 0, fmt.Errorf("%q is out of range; write %s, for example %s", text, m.accepted, m.example)
		}
		names = append(names, u.name)
	}
	slices.Reverse(names)
	return 0, fmt.Errorf("%q is in %s; write it in %s, for example %s", text, name, strings.Join(names, ", "), m.example)
}

// cutUnit splits the letters off a number's end.
func cutUnit(text string) (number, unit string) {
	number = strings.TrimRightFunc(text, func(c rune) bool {
		return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '/'
	})
	return strings.TrimSpace(number), text[len(number):]
}
