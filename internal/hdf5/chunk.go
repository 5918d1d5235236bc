package hdf5

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
)

// The filters that are undone.
const (
	deflateFilter    = 1
	shuffleFilter    = 2
	fletcher32Filter = 3
)

// chunk is a stored part of a dataset.
type chunk struct {
	address, size uint64
	mask          uint64   // filters that were left out
	offset        []uint64 // of its first value, by dimension
}

// chunked reads values that are stored in chunks.
func (r *reader) chunked(shape []int, n uint64, size int, l layout, pipeline *message) ([]byte, error) {
	rank := len(shape)
	if len(l.chunk) != rank+1 || l.chunk[rank] != size {
		return nil, fmt.Errorf("has chunks that are not of its shape and type")
	}
	bytes, wanted := uint64(size), uint64(1)
	for i, extent := range l.chunk[:rank] {
		if extent == 0 || uint64(extent) > MaxBytes || bytes > MaxBytes/uint64(extent) {
			return nil, fmt.Errorf("has chunks of %v values; there must be some, and at most %d bytes", l.chunk[:rank], MaxBytes)
		}
		bytes *= uint64(extent)
		wanted *= (uint64(shape[i]) + uint64(extent) - 1) / uint64(extent)
	}
	filters, err := newFilters(pipeline)
	if err != nil {
		return nil, err
	}
	chunks, err := r.chunks(l.address, rank)
	if err != nil {
		return nil, err
	}
	if uint64(len(chunks)) != wanted {
		return nil, fmt.Errorf("has %d of its %d chunks", len(chunks), wanted)
	}
	stored := uint64(0)
	for _, c := range chunks {
		stored += min(c.size, r.size)
	}
	// No byte of a deflated stream gives more than 1,032 (RFC 1951: 258 bytes in 2 bits).
	const factor = 1032
	if wanted > MaxBytes/bytes || wanted*bytes > factor*stored {
		return nil, fmt.Errorf("has %d chunks of %d bytes, more than the %d bytes that are stored of them can be", wanted, bytes, stored)
	}
	if err := r.claim(n*uint64(size) + bytes); err != nil {
		return nil, err
	}
	all := make([]byte, n*uint64(size))
	placed := map[string]bool{}
	for _, c := range chunks {
		if at := fmt.Sprint(c.offset); placed[at] {
			return nil, fmt.Errorf("has a chunk twice")
		} else {
			placed[at] = true
		}
		raw, err := r.data(c.address, c.size, "a chunk")
		if err != nil {
			return nil, err
		}
		if raw, err = filters.undo(raw, c.mask, size, bytes); err != nil {
			return nil, err
		}
		if err := place(all, raw, shape, l.chunk[:rank], c.offset, size); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// chunks lists the stored chunks.
func (r *reader) chunks(address uint64, rank int) (list []chunk, err error) {
	err = r.tree(address, 1, 8+8*(rank+1), maxDepth, map[uint64]bool{}, func(key block, child uint64) error {
		c := chunk{address: child, size: key.uint(4), mask: key.uint(4)}
		for range rank {
			c.offset = append(c.offset, key.uint(8))
		}
		list = append(list, c)
		return nil
	})
	return list, err
}

// place copies a chunk to where it belongs; what reaches over the edge is dropped.
func place(all, raw []byte, shape, extents []int, offset []uint64, size int) error {
	rank := len(shape)
	for i := range rank {
		if offset[i] >= uint64(shape[i]) || offset[i]%uint64(extents[i]) != 0 {
			return fmt.Errorf("has a chunk outside its shape")
		}
	}
	row := min(extents[rank-1], shape[rank-1]-int(offset[rank-1])) * size
	index := make([]int, rank-1) // of a row within the chunk
	for from := 0; from < len(raw); from += extents[rank-1] * size {
		to, inside := 0, true
		for i := range rank {
			at := int(offset[i])
			if i < rank-1 {
				at += index[i]
			}
			inside = inside && at < shape[i]
			to = to*shape[i] + at
		}
		if inside {
			copy(all[to*size:to*size+row], raw[from:])
		}
		for i := rank - 2; i >= 0; i-- {
			if index[i]++; index[i] < extents[i] {
				break
			}
			index[i] = 0
		}
	}
	return nil
}

// filters are what was done to chunks, in that order.
type filters []uint64

// newFilters reads a filter pipeline message; there may be none.
func newFilters(m *message) (filters, error) {
	if m == nil {
		return nil, nil
	}
	b := m.body
	version, count := b.uint(1), b.uint(1)
	if version != 1 && version != 2 {
		return nil, fmt.Errorf("has filters of version %d; 1 and 2 are read", version)
	}
	if version == 1 {
		b.take(6)
	}
	var list filters
	for range count {
		id, name := b.uint(2), uint64(0)
		if version == 1 || id >= 256 {
			name = b.uint(2)
		}
		b.take(2)
		values := b.uint(2)
		if version == 1 {
			name = (name + 7) &^ 7
			values += values & 1
		}
		b.take(int(name + 4*values))
		if b.short {
			return nil, fmt.Errorf("has filters that end early")
		}
		if id != deflateFilter && id != shuffleFilter && id != fletcher32Filter {
			return nil, fmt.Errorf("was written through filter %d, which is not read; gzip, shuffle and fletcher32 are", id)
		}
		list = append(list, id)
	}
	return list, nil
}

// undo undoes them, from the last to the first.
func (f filters) undo(raw []byte, mask uint64, size int, want uint64) ([]byte, error) {
	for i := len(f) - 1; i >= 0; i-- {
		if i < 32 && mask>>i&1 != 0 {
			continue
		}
		var err error
		switch f[i] {
		case deflateFilter:
			raw, err = inflate(raw, want+4)
		case shuffleFilter:
			raw = unshuffle(raw, size)
		case fletcher32Filter:
			raw, err = checked(raw)
		}
		if err != nil {
			return nil, err
		}
	}
	if uint64(len(raw)) != want {
		return nil, fmt.Errorf("has a chunk of %d bytes; its shape and type need %d", len(raw), want)
	}
	return raw, nil
}

// inflate undoes deflate, up to a bound.
func inflate(raw []byte, most uint64) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("has a chunk that does not inflate: %w", err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(io.LimitReader(z, int64(most)+1)); err != nil {
		return nil, fmt.Errorf("has a chunk that does not inflate: %w", err)
	}
	return out.Bytes(), nil
}

// unshuffle puts the bytes of values together again: first come all first bytes, then
// all second ones. What does not fill a value stays at the end.
func unshuffle(raw []byte, size int) []byte {
	n := len(raw) / size
	out := append([]byte(nil), raw...)
	for i := range n {
		for j := range size {
			out[i*size+j] = raw[j*n+i]
		}
	}
	return out
}

// checked holds a chunk to the checksum behind it: Fletcher's, of big-endian words
// of 16 bits.
func checked(raw []byte) ([]byte, error) {
	if len(raw) < 4 {
		return nil, fmt.Errorf("has a chunk without its checksum")
	}
	data, end := raw[:len(raw)-4], block{bytes: raw[len(raw)-4:]}
	first, second := uint32(0), uint32(0)
	for i := 0; i < len(data); i += 2 {
		word := uint32(data[i]) << 8
		if i+1 < len(data) {
			word |= uint32(data[i+1])
		}
		first = (first + word) % 65535
		second = (second + first) % 65535
	}
	if want := uint32(end.uint(4)); want != second<<16|first {
		return nil, fmt.Errorf("has a chunk whose checksum is %08x; it is of %08x", second<<16|first, want)
	}
	return data, nil
}
