package units

import (
	"fmt"
	"math"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/spelling"
)

// Dimension is what a quantity is a product of, as exponents. The zero
// Dimension is a plain number's.
type Dimension struct{ Bytes, Seconds, Joules, Transfers int8 }

// Times returns the dimension of a product.
func (d Dimension) Times(e Dimension) Dimension {
	return Dimension{d.Bytes + e.Bytes, d.Seconds + e.Seconds, d.Joules + e.Joules, d.Transfers + e.Transfers}
}

// Over returns the dimension of a quotient.
func (d Dimension) Over(e Dimension) Dimension {
	return Dimension{d.Bytes - e.Bytes, d.Seconds - e.Seconds, d.Joules - e.Joules, d.Transfers - e.Transfers}
}

// String names the dimension of a kind, with an article.
func (d Dimension) String() string {
	for _, k := range Kinds {
		if k.Dimension == d {
			return k.name
		}
	}
	if d == (Dimension{}) {
		return "a plain number"
	}
	return "of no kind that has a unit"
}

// Kind is a kind of quantity: everything that is measured in the same units.
type Kind struct {
	Dimension
	name  string
	units []unit // smallest first
}

// unit is a unit and how many it is of bytes, seconds, picojoules, transfers and
// what follows of these. Quotients of two scales are exact or rounded once.
type unit struct {
	name  string
	scale float64
}

// The kinds of quantities that files, flags and questions have. Sizes of memories
// are powers of two, what flows through a port in a second is counted in powers of ten.
var (
	Memory    = &Kind{Dimension{Bytes: 1}, "an amount of memory", []unit{{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}}
	Duration  = &Kind{Dimension{Seconds: 1}, "a time", []unit{{"ps", 1e-12}, {"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}}}
	Frequency = &Kind{Dimension{Seconds: -1}, "a frequency", []unit{{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}}}
	Rate      = &Kind{Dimension{Transfers: 1, Seconds: -1}, "a rate of transfers", []unit{{"MT/s", 1e6}, {"GT/s", 1e9}}}
	Bandwidth = &Kind{Dimension{Bytes: 1, Seconds: -1}, "a bandwidth", []unit{{"B/s", 1}, {"kB/s", 1e3}, {"MB/s", 1e6}, {"GB/s", 1e9}, {"TB/s", 1e12}}}
	Energy    = &Kind{Dimension{Joules: 1}, "an energy", []unit{{"fJ", 1e-3}, {"pJ", 1}, {"nJ", 1e3}, {"uJ", 1e6}, {"µJ", 1e6}, {"mJ", 1e9}, {"J", 1e12}, {"kJ", 1e15}}}
	Power     = &Kind{Dimension{Joules: 1, Seconds: -1}, "a power", []unit{{"uW", 1e6}, {"µW", 1e6}, {"mW", 1e9}, {"W", 1e12}}}

	Kinds = []*Kind{Memory, Duration, Frequency, Rate, Bandwidth, Energy, Power}
)

// find returns the unit of that name.
func (k *Kind) find(name string) (unit, bool) {
	for _, u := range k.units {
		if u.name == name {
			return u, true
		}
	}
	return unit{}, false
}

// kindOf returns the kind that has a unit of that name, or nil.
func kindOf(name string) *Kind {
	for _, k := range Kinds {
		if _, ok := k.find(name); ok {
			return k
		}
	}
	return nil
}

// Names lists the units that can be typed on any keyboard, smallest first.
func (k *Kind) Names() (list []string) {
	for _, u := range k.units {
		if !strings.HasPrefix(u.name, "µ") {
			list = append(list, u.name)
		}
	}
	return list
}

// UnitNames lists the names of all units.
func UnitNames() (list []string) {
	for _, k := range Kinds {
		list = append(list, k.Names()...)
	}
	return list
}

// Form is how a file or a flag writes a quantity: a number, and one of the kind's
// units. The example is in errors.
type Form struct {
	Kind        *Kind
	In          string  // the unit of what is read, and of the bounds
	Least, Most float64 // what is accepted
	Bounds      string  // the same in units that suit
	Whole       bool    // it is a whole number of that unit
	Example     string
}

// Or adds a word to the examples that may be written instead.
func (f Form) Or(word string) Form {
	f.Example += " or " + word
	return f
}

// Parse reads a number with a unit. Errors say what would be accepted.
func (f Form) Parse(text string) (float64, error) {
	number, name := CutUnit(text)
	v, err := ParseNumber(number)
	switch {
	case err != nil || math.IsNaN(v):
		return 0, fmt.Errorf("%q is not a number with a unit; write for example %s", text, f.Example)
	case name == "":
		return 0, fmt.Errorf("%q has no unit; write for example %s", text, f.Example)
	}
	u, ok := f.Kind.find(name)
	if !ok {
		names, meant := f.Kind.Names(), ""
		if kindOf(name) == nil {
			meant = spelling.Suggest(name, names)
		}
		return 0, fmt.Errorf("%q is in %s%s; write it in %s, for example %s", text, name, meant, strings.Join(names, ", "), f.Example)
	}
	base, _ := f.Kind.find(f.In)
	v = float64(v * (u.scale / base.scale)) // rounded before anything is subtracted from it
	if v < f.Least || v > f.Most {
		return 0, fmt.Errorf("%q is out of range; write %s, for example %s", text, f.Bounds, f.Example)
	}
	if f.Whole {
		whole := math.Round(v)
		if math.Abs(v-whole) > float64(whole*rounding) {
			return 0, fmt.Errorf("%q is not a whole number of %s; write for example %s", text, f.In, f.Example)
		}
		v = whole
	}
	return v, nil
}

// rounding is how far a decimal times a scale may be from the whole number that
// it stands for.
const rounding = 1e-15

// ParseQuantity reads a number, or a number with a unit of any kind, and returns
// it in the kind's base: bytes, seconds, picojoules, transfers.
func ParseQuantity(text string) (v float64, of Dimension, ok bool) {
	number, name := CutUnit(text)
	scale := 1.0
	if name != "" {
		k := kindOf(name)
		if k == nil {
			return 0, of, false
		}
		u, _ := k.find(name)
		scale, of = u.scale, k.Dimension
	}
	v, err := ParseNumber(number)
	if v *= scale; err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, Dimension{}, false
	}
	return v, of, true
}

// CutUnit splits the unit off a number's end: "1e3", "MiB" of "1e3 MiB". The
// digits of a hexadecimal number are none.
func CutUnit(text string) (number, unit string) {
	text = strings.TrimSpace(text)
	if _, err := ParseNumber(text); err == nil {
		return text, ""
	}
	number = strings.TrimRightFunc(text, func(c rune) bool {
		return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '/' || c == 'µ'
	})
	return strings.TrimSpace(number), text[len(number):]
}

// Text prints a size in the largest unit that keeps it whole: "32 KiB".
func (b Bytes) Text() string {
	at := len(Memory.units) - 1
	for b%Bytes(Memory.units[at].scale) != 0 {
		at--
	}
	return fmt.Sprintf("%d %s", b/Bytes(Memory.units[at].scale), Memory.units[at].name)
}
