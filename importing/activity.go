package importing

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
)

// Measured is the activity counted from recorded spikes, exactly.
type Measured struct {
	Input       *Ratio  // nil if x was not recorded
	Layers      []Ratio // a^1..a^N, after addition and pooling
	Classifiers []Ratio // by block, from sc1..; nil: none recorded
}

// Ratio is a count of non-zero values among all.
type Ratio struct{ NonZero, Total int64 }

// decimals is how many an activity file can hold.
const decimals = 18

// decimal prints the ratio, rounded half to even where it has no end.
func (r Ratio) decimal() string {
	v := big.NewRat(r.NonZero, r.Total)
	if n, exact := v.FloatPrec(); exact && n <= decimals {
		return v.FloatString(n)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil)
	scaled := v.Mul(v, new(big.Rat).SetInt(scale))
	whole, err := units.RoundHalfEven(scaled)
	if err != nil { // not for ratios up to 1
		return "1"
	}
	digits := fmt.Sprintf("%0*d", decimals+1, whole)
	return digits[:1] + "." + digits[1:]
}

var tensorName = regexp.MustCompile(`^(?:x|s([1-9][0-9]*)|sc([1-9][0-9]*))$`)

// Activity counts the densities of recorded spikes. The set holds, by name:
//
//	s1..sN  what layer l passes on, after residual addition and pooling,
//	        [T,B,C,H,W], [T,B,C*H*W], or without T or B: all are counted
//	x       the input, the same way (optional)
//	sc1..   what block b's classifier reads (optional: the block's last layer
//	        passes that on)
//
// of the network w: each must have a whole number of maps of its layer's shape.
// A value that is not 0 is a spike, whatever its type; values must be finite and
// not negative. Nothing is kept of them but their count.
func Activity(set tensors.Arrays, w *network.Workload) (*Measured, error) {
	net := w.Net
	for _, name := range set.Names() {
		m := tensorName.FindStringSubmatch(name)
		if m == nil {
			return nil, fmt.Errorf("%s is no spike tensor; expected s1..s%d, and optionally x and sc1 onwards", name, net.N())
		}
		if l, err := strconv.Atoi(m[1]); m[1] != "" && (err != nil || l > net.N()) {
			return nil, fmt.Errorf("%s: there are layers 1 to %d before the classifier", name, net.N())
		}
		if b, err := strconv.Atoi(m[2]); m[2] != "" && (err != nil || b > net.N()) {
			return nil, fmt.Errorf("%s: there are at most %d local blocks", name, net.N())
		}
	}
	there := func(name string) bool { return slices.Contains(set.Names(), name) }
	measured := &Measured{}
	if there("x") {
		r, err := count(set, "x", &net.Input)
		if err != nil {
			return nil, err
		}
		measured.Input = &r
	}
	for l := 1; l <= net.N(); l++ {
		name, shape := fmt.Sprintf("s%d", l), net.OutputOf(l)
		if !there(name) {
			return nil, fmt.Errorf("%s is missing; expected what layer %d passes on, after addition and pooling: %s", name, l, expected(shape))
		}
		r, err := count(set, name, &shape)
		if err != nil {
			return nil, err
		}
		measured.Layers = append(measured.Layers, r)
	}
	for b := 1; there(fmt.Sprintf("sc%d", b)); b++ {
		r, err := count(set, fmt.Sprintf("sc%d", b), nil)
		if err != nil {
			return nil, err
		}
		measured.Classifiers = append(measured.Classifiers, r)
	}
	missing := len(measured.Classifiers) + 1
	for b := missing + 1; b <= net.N(); b++ {
		if there(fmt.Sprintf("sc%d", b)) {
			return nil, fmt.Errorf("sc%d is there but not sc%d; record what every block's classifier reads, or none", b, missing)
		}
	}
	return measured, nil
}

func expected(s network.Shape) string {
	if s.Positions() == 1 {
		return fmt.Sprintf("[T,B,%d]", s.Channels)
	}
	return fmt.Sprintf("[T,B,%d,%d,%d]", s.Channels, s.Height, s.Width)
}

// count holds a tensor to a layer's shape, if it has one, and counts it.
func count(set tensors.Arrays, name string, s *network.Shape) (Ratio, error) {
	h, err := set.Header(name)
	if err != nil {
		return Ratio{}, err
	}
	r := Ratio{Total: int64(h.Len())}
	switch {
	case s != nil && !fits(h.Shape, *s):
		return r, fmt.Errorf("%s has shape %s; expected %s", name, tensors.ShapeString(h.Shape), expected(*s))
	case r.Total == 0:
		return r, fmt.Errorf("%s has no values, shape %s; a density needs some", name, tensors.ShapeString(h.Shape))
	}
	err = set.Each(name, func(_ int, v tensors.Value) error {
		f := v.Float()
		if !(f >= 0 && f <= math.MaxFloat64) {
			return fmt.Errorf("is %v; spikes are finite and not negative (0, 1, or small whole numbers after additions)", v)
		}
		if f != 0 {
			r.NonZero++
		}
		return nil
	})
	return r, err
}

// fits tells whether the last axes are the map's, flattened or not, with at
// most two (T and B) before them.
func fits(shape []int, s network.Shape) bool {
	tails := [][]int{{s.Channels, s.Height, s.Width}, {s.Size()}}
	for _, tail := range tails {
		lead := len(shape) - len(tail)
		if lead < 0 || lead > 2 {
			continue
		}
		same := true
		for i, extent := range tail {
			same = same && shape[lead+i] == extent
		}
		if same {
			return true
		}
	}
	return false
}

// YAML returns an activity file as `--activity` reads it. Each density has its
// counts beside it.
func (m *Measured) YAML(source string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Densities of the spikes in %s: non-zero values over all values, exact or to %d decimals\n", input.Printable(source), decimals)
	if m.Input != nil {
		fmt.Fprintf(&b, "input: %s # %d of %d\n", m.Input.decimal(), m.Input.NonZero, m.Input.Total)
	}
	for _, list := range []struct {
		key string
		of  []Ratio
	}{{"layers", m.Layers}, {"classifiers", m.Classifiers}} {
		if len(list.of) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s:\n", list.key)
		for _, r := range list.of {
			fmt.Fprintf(&b, "  - %s # %d of %d\n", r.decimal(), r.NonZero, r.Total)
		}
	}
	return b.Bytes()
}
