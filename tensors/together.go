package tensors

import (
	"fmt"
	"maps"
	"slices"
)

// together are arrays of several files, by name.
type together map[string]Arrays

// add adds those of one. No name may be there twice.
func (t together) add(from Arrays) error {
	for _, name := range from.Names() {
		if t[name] != nil {
			return fmt.Errorf("%s is in another of the files, too", name)
		}
		t[name] = from
	}
	return nil
}

// Names implements [Arrays].
func (t together) Names() []string { return slices.Sorted(maps.Keys(t)) }

// Header implements [Arrays].
func (t together) Header(name string) (Header, error) { return t[name].Header(name) }

// Each implements [Arrays].
func (t together) Each(name string, do func(i int, v Value) error) error {
	return t[name].Each(name, do)
}
