package role

import "fmt"

// Region is a box of a tensor's values: in a map [sample][row][column][channel],
// in weights [kernel row][kernel column][input channel][output channel]. The
// zero Region is all of the tensor.
//
// A tensor may be looked at in another shape with as many values: a fully
// connected layer that is cut in depth has weights [1][1][input][output] and
// reads [sample][1][1][input].
type Region struct {
	Of       [4]int32 // the whole
	From, To [4]int32
}

// Whole returns all of a tensor of the given shape.
func Whole(a, b, c, d int) Region {
	of := [4]int32{int32(a), int32(b), int32(c), int32(d)}
	return Region{Of: of, To: of}
}

// Slice returns r with one dimension cut to from..to.
func (r Region) Slice(dimension int, from, to int64) Region {
	r.From[dimension], r.To[dimension] = int32(from), int32(to)
	return r
}

// All tells whether r is the whole tensor.
func (r Region) All() bool { return r.From == [4]int32{} && r.To == r.Of }

// Extent returns the size of one dimension.
func (r Region) Extent(dimension int) int { return int(r.To[dimension] - r.From[dimension]) }

// Size returns the number of values.
func (r Region) Size() int {
	return r.Extent(0) * r.Extent(1) * r.Extent(2) * r.Extent(3)
}

// Total returns the number of values of the whole.
func (r Region) Total() int {
	return int(r.Of[0]) * int(r.Of[1]) * int(r.Of[2]) * int(r.Of[3])
}

// Starts tells whether r has the first sample, row and column: of its channels
// nothing comes before.
func (r Region) Starts() bool { return r.From[0] == 0 && r.From[1] == 0 && r.From[2] == 0 }

// Ends tells whether r has the last sample, row and column.
func (r Region) Ends() bool {
	return r.To[0] == r.Of[0] && r.To[1] == r.Of[1] && r.To[2] == r.Of[2]
}

// Within returns the place of r in a part of the same tensor. It is false if the
// part does not have all of r, or is another view.
func (r Region) Within(part Region) (Region, bool) {
	if r.Size() == 0 {
		return Region{}, true
	}
	if r.Of != part.Of {
		if !part.All() || r.Total() != part.Total() {
			return Region{}, false
		}
		return r, true // the same values in the same order
	}
	for d := range r.Of {
		if r.From[d] < part.From[d] || r.To[d] > part.To[d] {
			return Region{}, false
		}
		r.Of[d] = part.To[d] - part.From[d]
		r.From[d] -= part.From[d]
		r.To[d] -= part.From[d]
	}
	return r, true
}

// Runs calls yield for the values of r that follow each other in the whole, in
// ascending order: with the place of the first and their number.
func (r Region) Runs(yield func(at, n int)) {
	if r.Size() == 0 {
		return
	}
	// Dimensions that are whole make the runs of the one before longer.
	inner := 3
	n := r.Extent(3)
	for inner > 0 && r.From[inner] == 0 && r.To[inner] == r.Of[inner] {
		inner--
		n *= r.Extent(inner)
	}
	last := func(d int) int32 { // the dimensions of a run take one turn
		if d >= inner {
			return r.From[d] + 1
		}
		return r.To[d]
	}
	for a := r.From[0]; a < last(0); a++ {
		for b := r.From[1]; b < last(1); b++ {
			for c := r.From[2]; c < last(2); c++ {
				at := ((int(a)*int(r.Of[1])+int(b))*int(r.Of[2])+int(c))*int(r.Of[3]) + int(r.From[3])
				yield(at, n)
			}
		}
	}
}

// String prints the box and the whole, such as 0:2x0:4x0:4x8:16 of 2x4x4x16.
func (r Region) String() string {
	return fmt.Sprintf("%d:%dx%d:%dx%d:%dx%d:%d of %dx%dx%dx%d",
		r.From[0], r.To[0], r.From[1], r.To[1], r.From[2], r.To[2], r.From[3], r.To[3], r.Of[0], r.Of[1], r.Of[2], r.Of[3])
}
