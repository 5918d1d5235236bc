package units

import (
	"errors"
	"math"
	"regexp"
	"strconv"
)

// Numbers of YAML 1.2's core schema (section 10.3.2 of its specification).
var (
	integerForm    = regexp.MustCompile(`^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	floatForm      = regexp.MustCompile(`^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$`)
	specialNumbers = map[string]float64{
		".inf": math.Inf(1), ".Inf": math.Inf(1), ".INF": math.Inf(1),
		"+.inf": math.Inf(1), "+.Inf": math.Inf(1), "+.INF": math.Inf(1),
		"-.inf": math.Inf(-1), "-.Inf": math.Inf(-1), "-.INF": math.Inf(-1),
		".nan": math.NaN(), ".NaN": math.NaN(), ".NAN": math.NaN(),
	}
)

// ParseInteger reads a whole number: decimal, 0o octal or 0x hexadecimal. Its
// errors are those of [strconv.ParseInt].
func ParseInteger(text string) (int64, error) {
	if !integerForm.MatchString(text) {
		return 0, strconv.ErrSyntax
	}
	digits, base := text, 10
	if len(text) > 2 && text[0] == '0' {
		switch text[1] {
		case 'o':
			digits, base = text[2:], 8
		case 'x':
			digits, base = text[2:], 16
		}
	}
	return strconv.ParseInt(digits, base, 64)
}

// ParseNumber reads a number. One beyond the range of float64 is infinite.
func ParseNumber(text string) (float64, error) {
	if v, ok := specialNumbers[text]; ok {
		return v, nil
	}
	if v, err := ParseInteger(text); err == nil {
		return float64(v), nil
	}
	if !floatForm.MatchString(text) {
		if integerForm.MatchString(text) { // hexadecimal beyond 64 bits
			return math.Inf(1), nil
		}
		return 0, strconv.ErrSyntax
	}
	v, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return v, err
}
