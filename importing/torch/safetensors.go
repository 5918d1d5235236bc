package torch

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nlpodyssey/safetensors"
)

// safeTypes are the types of safetensors that have a name here.
var safeTypes = map[safetensors.DType]Type{
	safetensors.F32: Float32, safetensors.F64: Float64, safetensors.F16: Float16, safetensors.BF16: BFloat16,
	safetensors.I64: Int64, safetensors.U64: Int64, safetensors.I32: Int32, safetensors.U32: Int32,
	safetensors.I16: Int16, safetensors.U16: Int16, safetensors.I8: Int8, safetensors.U8: Int8, safetensors.BOOL: Int8,
}

// readSafe reads a safetensors file. It has no order of its own: tensors come by name,
// numbers in it as numbers.
func readSafe(from io.ReaderAt, size int64) ([]Tensor, error) {
	all := make([]byte, size)
	if _, err := from.ReadAt(all, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if header := little(all, 8); header > maxPickle {
		return nil, fmt.Errorf("has a header of %d bytes; at most %d are read", header, maxPickle)
	}
	file, err := safetensors.Deserialize(all)
	if err != nil {
		return nil, fmt.Errorf("is no safetensors file: %w", err)
	}
	if file.Len() > maxTensors {
		return nil, fmt.Errorf("has %d tensors; at most %d are read", file.Len(), maxTensors)
	}
	var list []Tensor
	for _, v := range file.Tensors() {
		t, known := safeTypes[v.TensorView.DType()]
		if !known {
			return nil, fmt.Errorf("%s is of the type %v, which is not read", v.Name, v.TensorView.DType())
		}
		shape := make([]int64, len(v.TensorView.Shape()))
		for i, extent := range v.TensorView.Shape() {
			shape[i] = int64(min(extent, 1<<62))
		}
		if _, err := count(shape, size); err != nil {
			return nil, fmt.Errorf("%s: %w", v.Name, err)
		}
		list = append(list, Tensor{Name: v.Name, Shape: ints(shape), Type: t, values: v.TensorView.Data()})
	}
	slices.SortFunc(list, func(a, b Tensor) int { return natural(a.Name, b.Name) })
	return list, nil
}

// natural compares names, numbers in them as numbers: layer 2 comes before layer 10.
func natural(a, b string) int {
	for a != "" && b != "" {
		i, j := digits(a), digits(b)
		if i > 0 && j > 0 {
			x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
			a, b = a[i:], b[j:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

// digits returns how many digits a name begins with.
func digits(s string) (n int) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
