package nir

import (
	"fmt"
	"math"

	"github.com/accelsim-dev/accelsim/internal/hdf5"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

// numbers returns a parameter's values, nil if it is not there.
func (n *Node) numbers(name string) ([]float64, error) {
	d := n.values[name]
	if d == nil {
		return nil, nil
	}
	if d.Class == hdf5.String {
		return nil, fmt.Errorf("%v: %s is a string; numbers are wanted", n, name)
	}
	values := make([]float64, d.Len())
	for i := range values {
		v, exact := d.Float64(i)
		if !exact || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v: %s has the value %v; finite numbers are wanted", n, name, v)
		}
		values[i] = v
	}
	return values, nil
}

// needed returns a parameter's values, and refuses a node without.
func (n *Node) needed(name string) ([]float64, error) {
	values, err := n.numbers(name)
	if err == nil && values == nil {
		err = fmt.Errorf("%v has no %s", n, name)
	}
	return values, err
}

// whole returns a whole number, or the one for each axis that a parameter has.
func (n *Node) whole(name string, least int, axes int) ([]int, error) {
	values, err := n.needed(name)
	if err != nil {
		return nil, err
	}
	if len(values) != 1 && len(values) != axes {
		return nil, fmt.Errorf("%v: %s has %d values; 1 or %d are wanted", n, name, len(values), axes)
	}
	list := make([]int, axes)
	for i := range list {
		v := values[min(i, len(values)-1)]
		if v != math.Trunc(v) || v < float64(least) || v > math.MaxInt32 {
			return nil, fmt.Errorf("%v: %s is %v; a whole number of at least %d is wanted", n, name, v, least)
		}
		list[i] = int(v)
	}
	return list, nil
}

// pair is a size along height and width. What has one axis lies in a row.
func (n *Node) pair(name string, least, axes, height int) (network.Pair, error) {
	list, err := n.whole(name, least, axes)
	if err != nil {
		return network.Pair{}, err
	}
	if axes == 1 {
		return network.Pair{Height: height, Width: list[0]}, nil
	}
	return network.Pair{Height: list[0], Width: list[1]}, nil
}

// tensor returns a parameter as float32, of any of the given shapes, which hold the
// same values. It tells whether values were rounded.
func (n *Node) tensor(name string, shape []int) (t tensors.Tensor, rounded bool, err error) {
	d := n.values[name]
	if d == nil {
		return t, false, fmt.Errorf("%v has no %s", n, name)
	}
	if d.Class == hdf5.String {
		return t, false, fmt.Errorf("%v: %s is a string; numbers are wanted", n, name)
	}
	size := 1
	for _, extent := range shape {
		size *= extent
	}
	if d.Len() != size || !sameShape(d.Shape, shape) {
		return t, false, fmt.Errorf("%v: %s has shape %s; what it reads and feeds asks for %s",
			n, name, tensors.ShapeString(d.Shape), tensors.ShapeString(shape))
	}
	values := make([]float32, size)
	for i := range values {
		v, exact := d.Float32(i)
		if v-v != 0 {
			return t, false, fmt.Errorf("%v: %s has the value %v; finite numbers are wanted", n, name, v)
		}
		values[i], rounded = v, rounded || !exact
	}
	return tensors.Floats(values, shape...), rounded, nil
}

// sameShape tells whether shapes are the same but for extents of 1.
func sameShape(a, b []int) bool {
	strip := func(s []int) (kept []int) {
		for _, extent := range s {
			if extent != 1 {
				kept = append(kept, extent)
			}
		}
		return kept
	}
	return fmt.Sprint(strip(a)) == fmt.Sprint(strip(b))
}
