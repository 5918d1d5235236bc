package onchip_test

import (
	"testing"

	"github.com/accelsim-dev/accelsim/onchip"
)

// byCase keeps capital letters in buffer 0 and the others in buffer 1.
func byCase(key string) int {
	if key < "a" {
		return 0
	}
	return 1
}

// TestBufferOfAKindIsFullAlone: room in another buffer is no room for a tensor.
func TestBufferOfAKindIsFullAlone(t *testing.T) {
	m := onchip.NewMemory(byCase, 10, 100)
	if err := m.Hold("W", 8); err != nil {
		t.Fatal(err)
	}
	if err := m.Hold("U", 3); err == nil || err.Error() != "U needs 3 words on chip; 2 of 10 are free" {
		t.Error(err)
	}
	if err := m.Hold("s", 100); err != nil {
		t.Error(err)
	}
	if m.Capacity() != 110 || m.Occupied() != 108 || m.Peak() != 108 || m.Buffers()[0].Peak() != 8 {
		t.Errorf("%d of %d, at most %d", m.Occupied(), m.Capacity(), m.Peak())
	}
	if !m.Has("W") || m.Has("w") || !m.Any(func(key string) bool { return key == "s" }) {
		t.Error("what is held is wrong")
	}
}

// TestPeakIsOfOneMoment: buffers that are full one after the other were never
// full together.
func TestPeakIsOfOneMoment(t *testing.T) {
	m := onchip.NewMemory(byCase, 10, 10)
	for _, key := range []string{"W", "w"} {
		if err := m.Hold(key, 10); err != nil {
			t.Fatal(err)
		}
		m.Release(func(string) bool { return false })
	}
	if m.Peak() != 10 || m.Occupied() != 0 {
		t.Errorf("at most %d words at once, want 10", m.Peak())
	}
}

func TestReplaceStaysInTheBuffer(t *testing.T) {
	m := onchip.NewMemory(byCase, 10, 10)
	if err := m.Hold("U1", 5); err != nil {
		t.Fatal(err)
	}
	if err := m.Replace("U1", "u2", 5); err == nil || err.Error() != "u2 belongs in another buffer than U1 and cannot take its place" {
		t.Error(err)
	}
	if err := m.Replace("U1", "U2", 5); err != nil || !m.Has("U2") {
		t.Error(err)
	}
}

func TestEachBufferCountsItsAccesses(t *testing.T) {
	m := onchip.NewMemory(byCase, 10, 10)
	m.Buffers()[0].Access(1, 2)
	m.Buffers()[1].Access(10, 20)
	if reads, writes := m.Accesses(); reads != 11 || writes != 22 {
		t.Errorf("%d reads, %d writes", reads, writes)
	}
}
