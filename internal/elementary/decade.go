package elementary

import (
	"strconv"
	"strings"
)

// Decade returns the exponent of the greatest power of ten that is at most x, a
// finite number above zero. It is exact, where the floor of a decimal
// logarithm may miss a power of ten by one.
func Decade(x float64) int {
	_, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		return 0 // no finite number above zero
	}
	return e
}
