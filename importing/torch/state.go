package torch

import (
	"archive/zip"
	"fmt"
	"io"
	"path"
)

// storages are the classes of PyTorch's storages by the type of their values.
var storages = map[string]Type{
	"FloatStorage": Float32, "DoubleStorage": Float64, "HalfStorage": Float16, "BFloat16Storage": BFloat16,
	"LongStorage": Int64, "IntStorage": Int32, "ShortStorage": Int16, "CharStorage": Int8, "ByteStorage": Int8, "BoolStorage": Int8,
}

// readState reads a state dict: a ZIP archive of a pickle and of storages.
func readState(from io.ReaderAt, size int64) ([]Tensor, error) {
	z, err := zip.NewReader(from, size)
	if err != nil {
		return nil, fmt.Errorf("is no readable archive: %w", err)
	}
	if len(z.File) > maxTensors {
		return nil, fmt.Errorf("has %d parts; at most %d are read", len(z.File), maxTensors)
	}
	s := &state{size: size, stored: size, left: size, parts: map[string]*zip.File{}, read: map[string][]byte{}}
	for _, f := range z.File {
		switch folder, name := path.Split(f.Name); {
		case name == "constants.pkl":
			return nil, fmt.Errorf("is TorchScript, a program; save the state dict: torch.save(model.state_dict(), FILE)")
		case name == "data.pkl":
			s.pickle = f
		case path.Base(folder) == "data":
			s.parts[name] = f
		case name == "byteorder":
			if order, err := whole(f, 16); err == nil && string(order) != "little" {
				return nil, fmt.Errorf("has %s-endian values; little-endian ones are read", order)
			}
		}
	}
	if s.pickle == nil {
		return nil, fmt.Errorf("is an archive without data.pkl: no state dict")
	}
	program, err := whole(s.pickle, maxPickle)
	if err != nil {
		return nil, err
	}
	root, err := unpickle(program)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	return s.tensors(root)
}

// whole reads a part of the archive up to a bound.
func whole(f *zip.File, most int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(most) {
		return nil, fmt.Errorf("%s has %d bytes; at most %d are read", f.Name, f.UncompressedSize64, most)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("has more than %d bytes", most)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return b, nil
}

// state makes tensors of what a pickle describes.
type state struct {
	size int64 // of the file
	// Bytes of storages that may yet be read, and of values that may yet be made of
	// them: no more than the file has, as PyTorch does not compress.
	stored, left int64
	dicts        int // that were gone through
	pickle       *zip.File
	parts        map[string]*zip.File
	read         map[string][]byte
}

// weightDicts are what checkpoints call the dict of their weights.
var weightDicts = []string{"state_dict", "model_state_dict", "model", "net"}

// tensors lists those of a dict. Of a checkpoint, which has dicts within, it takes the
// one of weights; other dicts are flattened to names with dots.
func (s *state) tensors(root any) ([]Tensor, error) {
	d, ok := root.(*dict)
	if !ok {
		return nil, fmt.Errorf("is no state dict but %s; save torch.save(model.state_dict(), FILE)", kindOf(root))
	}
	for _, name := range weightDicts {
		if inner, ok := d.get(name).(*dict); ok {
			d = inner
			break
		}
	}
	var list []Tensor
	err := s.flatten(d, "", 0, &list)
	return list, err
}

func (s *state) flatten(d *dict, prefix string, depth int, list *[]Tensor) error {
	const most = 16
	if s.dicts++; s.dicts > maxTensors { // one may be within itself
		return fmt.Errorf("has more than %d dicts", maxTensors)
	}
	if depth > most {
		return fmt.Errorf("has dicts more than %d deep", most)
	}
	for _, item := range d.items {
		name, ok := item.key.(string)
		if !ok {
			continue
		}
		switch v := item.value.(type) {
		case *dict:
			if err := s.flatten(v, prefix+name+".", depth+1, list); err != nil {
				return err
			}
		case *rebuilt:
			t, err := s.tensor(v)
			if err != nil {
				return fmt.Errorf("%s%s: %w", prefix, name, err)
			}
			t.Name = prefix + name
			*list = append(*list, t)
			if len(*list) > maxTensors {
				return fmt.Errorf("has more than %d tensors", maxTensors)
			}
		}
	}
	return nil
}

// tensor takes a tensor's values out of its storage, by its strides.
func (s *state) tensor(r *rebuilt) (t Tensor, err error) {
	storage, err := s.storage(r.key)
	if err != nil {
		return t, err
	}
	width := int64(r.kind.bytes())
	n, err := count(r.shape, s.size/width)
	if err != nil {
		return t, err
	}
	if len(r.strides) != len(r.shape) {
		return t, fmt.Errorf("has %d strides for %d dimensions", len(r.strides), len(r.shape))
	}
	if s.left -= n * width; s.left < 0 {
		return t, fmt.Errorf("its values and those before are more than the file has")
	}
	last := r.offset
	for i, extent := range r.shape {
		stride := r.strides[i]
		if stride < 0 || stride > s.size {
			return t, fmt.Errorf("has a stride of %d", stride)
		}
		last += max(extent-1, 0) * stride
	}
	if r.offset < 0 || n > 0 && (last < 0 || last >= int64(len(storage))/width) {
		return t, fmt.Errorf("reaches beyond the %d values of its storage", int64(len(storage))/width)
	}
	t = Tensor{Shape: ints(r.shape), Type: r.kind, values: make([]byte, 0, n*width)}
	index := make([]int64, len(r.shape))
	at := r.offset
	for range n {
		t.values = append(t.values, storage[at*width:(at+1)*width]...)
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			at += r.strides[d]
			if index[d] < r.shape[d] {
				break
			}
			at -= index[d] * r.strides[d]
			index[d] = 0
		}
	}
	return t, nil
}

// storage returns the bytes of a storage.
func (s *state) storage(key string) ([]byte, error) {
	if b, ok := s.read[key]; ok {
		return b, nil
	}
	f := s.parts[key]
	if f == nil {
		return nil, fmt.Errorf("its storage data/%s is not in the archive", key)
	}
	b, err := whole(f, s.stored)
	if err != nil {
		return nil, err
	}
	s.stored -= int64(len(b))
	s.read[key] = b
	return b, nil
}

// kindOf says what a value is.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case *rebuilt:
		return "a tensor"
	case string:
		return "a string"
	case []any:
		return "a list"
	case int64, float64, bool:
		return "a number"
	}
	return "another object"
}
