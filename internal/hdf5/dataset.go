package hdf5

import "fmt"

// layout tells where a dataset's values are.
type layout struct {
	class   uint64
	compact []byte
	address uint64
	size    uint64
	chunk   []int // extents, the size of an element last
}

// The classes of layout.
const (
	compactLayout    = 0
	contiguousLayout = 1
	chunkedLayout    = 2
)

// dataset reads a dataset and its values.
func (r *reader) dataset(messages []message) (*Dataset, error) {
	var found [5]*message
	for i, kind := range []int{dataspaceMessage, datatypeMessage, layoutMessage, filterMessage, externalMessage} {
		var err error
		if found[i], err = find(messages, kind); err != nil {
			return nil, err
		}
	}
	if found[4] != nil {
		return nil, fmt.Errorf("has its values in another file, which is not read")
	}
	if found[0] == nil || found[1] == nil {
		return nil, fmt.Errorf("has no shape or no type")
	}
	d := &Dataset{}
	n, err := d.shape(found[0].body, r.lengths)
	if err != nil {
		return nil, err
	}
	t, err := newDatatype(found[1].body)
	if err != nil {
		return nil, err
	}
	d.Class, d.Bytes, d.Signed = t.class, t.size, t.signed
	l, err := r.layout(found[2].body)
	if err != nil {
		return nil, err
	}
	if n > MaxBytes/uint64(t.size) { // so that no product overflows
		return nil, fmt.Errorf("has %d values; at most %d are read", n, MaxBytes/t.size)
	}
	var raw []byte
	if l.class == chunkedLayout {
		raw, err = r.chunked(d.Shape, n, t.size, l, found[3])
	} else {
		raw, err = r.plain(n*uint64(t.size), l)
	}
	if err != nil {
		return nil, err
	}
	return d, r.decode(d, t, raw, n)
}

// shape reads a dataspace message, and returns the number of values.
func (d *Dataset) shape(b block, lengths int) (n uint64, err error) {
	version, rank, flags := b.uint(1), b.uint(1), b.uint(1)
	switch version {
	case 1:
		b.take(5)
	case 2:
		if kind := b.uint(1); kind > 1 {
			return 0, fmt.Errorf("has no values")
		}
	default:
		return 0, fmt.Errorf("has a shape of version %d; 1 and 2 are read", version)
	}
	if rank > maxRank {
		return 0, fmt.Errorf("has %d dimensions; at most %d are read", rank, maxRank)
	}
	_ = flags // tells of the largest extents, which follow
	n = 1
	d.Shape = make([]int, rank)
	for i := range d.Shape {
		extent := b.uint(lengths)
		if extent == 0 || extent > MaxBytes || n > MaxBytes/extent {
			return 0, fmt.Errorf("has %d rows in dimension %d; there must be some, and at most %d values in all", extent, i+1, MaxBytes)
		}
		d.Shape[i] = int(extent)
		n *= extent
	}
	if b.short {
		return 0, fmt.Errorf("has a shape that ends early")
	}
	return n, nil
}

// layout reads a data layout message.
func (r *reader) layout(b block) (l layout, err error) {
	version := b.uint(1)
	l.class = b.uint(1)
	if version != 3 && !(version == 4 && l.class != chunkedLayout) {
		return l, fmt.Errorf("has a layout of version %d; 3 is read (in h5py without libver)", version)
	}
	switch l.class {
	case compactLayout:
		l.compact = b.take(int(b.uint(2)))
	case contiguousLayout:
		l.address, l.size = b.uint(r.offsets), b.uint(r.lengths)
	case chunkedLayout:
		rank := int(b.uint(1))
		l.address = b.uint(r.offsets)
		if rank < 2 || rank > maxRank+1 {
			return l, fmt.Errorf("has chunks of %d dimensions; 1 to %d are read", rank-1, maxRank)
		}
		for range rank {
			l.chunk = append(l.chunk, int(b.uint(4)))
		}
	default:
		return l, fmt.Errorf("has values in a way that is not read (layout class %d)", l.class)
	}
	if b.short {
		return l, fmt.Errorf("has a layout that ends early")
	}
	return l, nil
}

// plain reads values that stand in one place.
func (r *reader) plain(bytes uint64, l layout) ([]byte, error) {
	if l.class == compactLayout {
		if uint64(len(l.compact)) < bytes {
			return nil, fmt.Errorf("has %d bytes of values; its shape and type need %d", len(l.compact), bytes)
		}
		return l.compact[:bytes], nil
	}
	if l.size < bytes {
		return nil, fmt.Errorf("has %d bytes of values; its shape and type need %d", l.size, bytes)
	}
	return r.data(l.address, bytes, "values")
}

// decode makes values of bytes.
func (r *reader) decode(d *Dataset, t datatype, raw []byte, n uint64) error {
	if t.class == String {
		d.Bytes = 0
		if err := r.claim(n * 16); err != nil {
			return err
		}
		d.Text = make([]string, n)
		for i := range d.Text {
			var err error
			if d.Text[i], err = r.text(t, raw[i*t.size:(i+1)*t.size]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := r.claim(n * 8); err != nil {
		return err
	}
	d.Bits = make([]uint64, n)
	for i := range d.Bits {
		d.Bits[i] = t.bits(raw[i*t.size:])
	}
	return nil
}
