package dram

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/units"
)

// ini is a scanned file: values by section and key in lower case.
type ini struct {
	name     string
	values   map[string]iniValue // "section.key"
	sections map[string]int      // line of each section
	lines    int
	remarks  Remarks
	err      error // the first one
}

type iniValue struct {
	section, key string // as written
	text         string
	line         int
}

func scanINI(r io.Reader, name string) (*ini, error) {
	f := &ini{name: name, values: map[string]iniValue{}, sections: map[string]int{}}
	section := ""
	lines := input.NewLines(r, name)
	for lines.Scan() {
		f.lines = lines.Line()
		text := lines.Text()
		if cut := strings.IndexAny(text, ";#"); cut >= 0 {
			text = text[:cut]
		}
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if text[0] == '[' {
			if text[len(text)-1] != ']' {
				return nil, fmt.Errorf("%s:%d: section %q is not closed; write %s]", name, f.lines, text, text)
			}
			section = strings.ToLower(strings.TrimSpace(text[1 : len(text)-1]))
			if _, again := f.sections[section]; !again {
				f.sections[section] = f.lines
			}
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			key, value, ok = strings.Cut(text, ":")
		}
		if !ok {
			return nil, fmt.Errorf("%s:%d: %q is neither a [section] nor key = value", name, f.lines, text)
		}
		if value = strings.TrimSpace(value); value == "" {
			continue // as if absent
		}
		key = strings.TrimSpace(key)
		full := section + "." + strings.ToLower(key)
		if before, again := f.values[full]; again {
			return nil, fmt.Errorf("%s:%d: %s is already set on line %d; keep one", name, f.lines, strings.ToLower(key), before.line)
		}
		f.values[full] = iniValue{section, key, value, f.lines}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *ini) fail(line int, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%s:%d: %s", f.name, line, fmt.Sprintf(format, args...))
	}
}

// missing records that a required key is absent.
func (f *ini) missing(section, key string) {
	line, ok := f.sections[section]
	if !ok {
		f.fail(max(1, f.lines), "section [%s] is missing; it must give %s", section, key)
		return
	}
	f.fail(line, "[%s] must give %s", section, key)
}

// value finds a key.
func (f *ini) value(section, key string) (iniValue, bool) {
	v, ok := f.values[section+"."+strings.ToLower(key)]
	return v, ok
}

// absent records that a key's default holds.
func (f *ini) absent(key string, value any) {
	f.remarks.Defaults = append(f.remarks.Defaults, fmt.Sprintf("%s = %v", key, value))
}

// note records what the file asks for on a line and does not get.
func (f *ini) note(line int, format string, args ...any) {
	f.remarks.Notes = append(f.remarks.Notes, fmt.Sprintf("%s:%d: %s", f.name, line, fmt.Sprintf(format, args...)))
}

func (f *ini) text(section, key, absent string) string {
	if v, ok := f.value(section, key); ok {
		return v.text
	}
	f.absent(key, absent)
	return absent
}

// number reads a decimal; NaN stands for an absent key.
func (f *ini) number(section, key string) (float64, int) {
	v, ok := f.value(section, key)
	if !ok {
		return math.NaN(), 0
	}
	// A remark may follow the number: tCK = 0.666 (1/1.5)
	x, err := strconv.ParseFloat(strings.Fields(v.text)[0], 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		f.fail(v.line, "%s = %q is not a number", key, v.text)
		return 0, v.line
	}
	if x < 0 {
		f.fail(v.line, "%s = %s must not be negative", key, v.text)
	}
	return x, v.line
}

// required stands for the default of a key that has none.
const required = -1

// integer reads a whole number, or takes the default.
func (f *ini) integer(section, key string, absent int) int {
	x, line := f.number(section, key)
	switch {
	case line == 0 && absent == required:
		f.missing(section, key)
		return 0
	case line == 0:
		f.absent(key, absent)
		return absent
	case x != math.Trunc(x) || x > math.MaxInt32:
		f.fail(line, "%s = %v must be a whole number below 2^31", key, x)
		return 0
	}
	return int(x)
}

// count reads a whole number that must be a power of two.
func (f *ini) count(section, key string, absent int) int {
	n := f.integer(section, key, absent)
	if v, ok := f.value(section, key); ok && !powerOfTwo(n) {
		f.fail(v.line, "%s = %s must be a power of two", key, v.text)
	}
	return n
}

// product multiplies counts. One beyond 31 bits is no power of two any more, so
// that it is refused like any that is too large.
func product(a, b int) int { return int(min(int64(a)*int64(b), math.MaxInt32)) }

// clocks reads a timing.
func (f *ini) clocks(key string, absent int) units.Cycles {
	return units.Cycles(f.integer("timing", key, absent))
}

// maxPower is far above any current in mA, voltage in V or energy in pJ a bit, and
// keeps what is multiplied with it finite.
const maxPower = 1e6

// powerOf reads a current, a voltage or the energy of a bit; NaN stands for an absent key.
func (f *ini) powerOf(key string) float64 {
	x, line := f.number("power", key)
	if x > maxPower {
		f.fail(line, "%s = %g must be in 0..%g", key, x, float64(maxPower))
	}
	return x
}

// current reads one of [power]'s keys that has a default.
func (f *ini) current(key string, absent float64) float64 {
	x := f.powerOf(key)
	if math.IsNaN(x) {
		f.absent(key, absent)
		return absent
	}
	return x
}

// optional reads one of [power]'s keys that costs nothing when absent.
func (f *ini) optional(key string) float64 {
	if x := f.powerOf(key); !math.IsNaN(x) {
		return x
	}
	return 0
}

func (f *ini) flag(section, key string, absent bool) bool {
	v, ok := f.value(section, key)
	if !ok {
		return absent
	}
	switch strings.ToLower(v.text) {
	case "true", "yes", "on", "1":
		return true
	case "false", "no", "off", "0":
		return false
	}
	f.fail(v.line, "%s = %q is neither true nor false", key, v.text)
	return absent
}

// choice reads one of several words and returns its index; absent, the first.
func (f *ini) choice(section, key string, words ...string) int {
	v, ok := f.value(section, key)
	if !ok {
		f.absent(key, words[0])
		return 0
	}
	for i, w := range words {
		if v.text == w {
			return i
		}
	}
	f.fail(v.line, "%s = %q is not supported; have %s", key, v.text, strings.Join(words, ", "))
	return 0
}
