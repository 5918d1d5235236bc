package pe

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/units"
)

// Precision is the number format of the datapath: of values in DRAM and on
// chip, and of the arithmetic.
type Precision uint8

// The precisions.
const (
	FP32 Precision = iota // IEEE 754 binary32
	FP16                  // IEEE 754 binary16
	Fixed32
	Fixed16
	numPrecisions
)

// NumPrecisions is the number of precisions.
const NumPrecisions = int(numPrecisions)

var precisions = [numPrecisions]struct {
	name string
	word units.Bytes
}{FP32: {"fp32", 4}, FP16: {"fp16", 2}, Fixed32: {"fixed32", 4}, Fixed16: {"fixed16", 2}}

// String returns the name that hardware files use.
func (p Precision) String() string { return precisions[p].name }

// Word returns the size of a value.
func (p Precision) Word() units.Bytes { return precisions[p].word }

// Precisions returns the names that hardware files may use.
func Precisions() []string {
	var names []string
	for _, p := range precisions {
		names = append(names, p.name)
	}
	return names
}

// ParsePrecision returns the precision of that name.
func ParsePrecision(name string) (Precision, error) {
	for i, p := range precisions {
		if p.name == name {
			return Precision(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not a number format; write one of %s", name, strings.Join(Precisions(), ", "))
}
