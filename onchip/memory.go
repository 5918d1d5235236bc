package onchip

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/units"
)

// Memory is all that is on chip: one buffer, or several, of which each holds
// tensors of its kind.
type Memory[K comparable] struct {
	buffers []*Buffer[K]
	of      func(K) int // which buffer a tensor belongs in
	peak    units.Words
}

// NewMemory returns empty buffers of the given capacities.
func NewMemory[K comparable](of func(K) int, capacities ...units.Words) *Memory[K] {
	m := &Memory[K]{of: of}
	for _, c := range capacities {
		m.buffers = append(m.buffers, New[K](c))
	}
	return m
}

// Buffers returns the buffers.
func (m *Memory[K]) Buffers() []*Buffer[K] { return m.buffers }

// Capacity returns the words that fit, in all buffers together.
func (m *Memory[K]) Capacity() (sum units.Words) {
	for _, b := range m.buffers {
		sum += b.capacity
	}
	return sum
}

// Occupied returns the words that are held now.
func (m *Memory[K]) Occupied() (sum units.Words) {
	for _, b := range m.buffers {
		sum += b.occupied
	}
	return sum
}

// Peak returns the most words ever held at once.
func (m *Memory[K]) Peak() units.Words { return m.peak }

// Has tells whether the tensor is held.
func (m *Memory[K]) Has(key K) bool { return m.buffers[m.of(key)].Has(key) }

// Any tells whether a tensor is held whose key matches.
func (m *Memory[K]) Any(match func(K) bool) bool {
	for _, b := range m.buffers {
		if b.Any(match) {
			return true
		}
	}
	return false
}

// Hold makes room for a tensor in its buffer. It fails when there is none, or
// when the tensor is held already.
func (m *Memory[K]) Hold(key K, words units.Words) error {
	if err := m.buffers[m.of(key)].Hold(key, words); err != nil {
		return err
	}
	m.peak = max(m.peak, m.Occupied())
	return nil
}

// Replace puts a tensor in the place of one that is held, of the same size and
// kind.
func (m *Memory[K]) Replace(old, key K, words units.Words) error {
	if m.of(old) != m.of(key) {
		return fmt.Errorf("%v belongs in another buffer than %v and cannot take its place", key, old)
	}
	return m.buffers[m.of(key)].Replace(old, key, words)
}

// Release drops every tensor for which keep is false.
func (m *Memory[K]) Release(keep func(K) bool) {
	for _, b := range m.buffers {
		b.Release(keep)
	}
}

// Accesses returns the words read and written so far, of all buffers.
func (m *Memory[K]) Accesses() (reads, writes units.Words) {
	for _, b := range m.buffers {
		reads, writes = reads+b.reads, writes+b.writes
	}
	return reads, writes
}
