// Package onchip is the accelerator's layer buffer: it knows what it holds, how
// full it is, how full it ever was, and how often it was accessed.
//
// A buffer holds whole tensors under keys of the caller's choice; it never
// holds more than its capacity. What is not there cannot be used: a schedule
// that forgets a transfer, or drops a tensor too early, is caught here.
package onchip

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/units"
)

// Buffer is a layer buffer, the memory on chip. The zero Buffer has no room.
type Buffer[K comparable] struct {
	capacity, occupied, peak units.Words
	entries                  []entry[K] // few: those of a step or two
	reads, writes            units.Words
}

type entry[K comparable] struct {
	key   K
	words units.Words
}

// New returns an empty buffer.
func New[K comparable](capacity units.Words) *Buffer[K] {
	return &Buffer[K]{capacity: capacity}
}

// Capacity returns the words that fit.
func (b *Buffer[K]) Capacity() units.Words { return b.capacity }

// Occupied returns the words that are held now.
func (b *Buffer[K]) Occupied() units.Words { return b.occupied }

// Peak returns the most words ever held at once.
func (b *Buffer[K]) Peak() units.Words { return b.peak }

// Free returns the words that can still be held.
func (b *Buffer[K]) Free() units.Words { return b.capacity - b.occupied }

// Has tells whether the tensor is held.
func (b *Buffer[K]) Has(key K) bool { return b.find(key) >= 0 }

// Any tells whether a tensor is held whose key matches.
func (b *Buffer[K]) Any(match func(K) bool) bool {
	for i := range b.entries {
		if match(b.entries[i].key) {
			return true
		}
	}
	return false
}

// Hold makes room for a tensor. It fails when there is none, or when the
// tensor is held already.
func (b *Buffer[K]) Hold(key K, words units.Words) error {
	if b.Has(key) {
		return fmt.Errorf("%v is on chip already", key)
	}
	if words > b.Free() {
		return fmt.Errorf("%v needs %d words on chip; %d of %d are free", key, words, b.Free(), b.capacity)
	}
	b.entries = append(b.entries, entry[K]{key, words})
	b.occupied += words
	b.peak = max(b.peak, b.occupied)
	return nil
}

// Replace puts a tensor in the place of one that is held, of the same size.
func (b *Buffer[K]) Replace(old, key K, words units.Words) error {
	i := b.find(old)
	switch {
	case i < 0:
		return fmt.Errorf("%v is not on chip, so %v cannot take its place", old, key)
	case b.entries[i].words != words:
		return fmt.Errorf("%v has %d words and cannot take the place of %v with %d", key, words, old, b.entries[i].words)
	}
	b.entries[i].key = key
	return nil
}

// Release drops every tensor for which keep is false.
func (b *Buffer[K]) Release(keep func(K) bool) {
	held := 0
	for i := range b.entries {
		if !keep(b.entries[i].key) {
			b.occupied -= b.entries[i].words
			continue
		}
		if held != i {
			b.entries[held] = b.entries[i]
		}
		held++
	}
	b.entries = b.entries[:held]
}

// Access counts words that the PEs or the DMA read from and wrote to the
// buffer.
func (b *Buffer[K]) Access(reads, writes units.Words) {
	b.reads += reads
	b.writes += writes
}

// Accesses returns the words read and written so far.
func (b *Buffer[K]) Accesses() (reads, writes units.Words) { return b.reads, b.writes }

func (b *Buffer[K]) find(key K) int {
	for i := range b.entries {
		if b.entries[i].key == key {
			return i
		}
	}
	return -1
}
