package onchip_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/onchip"
	"github.com/accelsim-dev/accelsim/units"
)

func TestBufferHoldsNoMoreThanFits(t *testing.T) {
	b := onchip.New[string](100)
	if err := b.Hold("W", 60); err != nil {
		t.Fatal(err)
	}
	if err := b.Hold("U", 41); err == nil || err.Error() != "U needs 41 words on chip; 40 of 100 are free" {
		t.Error(err)
	}
	if err := b.Hold("U", 40); err != nil {
		t.Errorf("the last word: %v", err)
	}
	if b.Free() != 0 || b.Occupied() != 100 || b.Peak() != 100 || b.Capacity() != 100 {
		t.Errorf("%d free, %d occupied, %d peak", b.Free(), b.Occupied(), b.Peak())
	}
}

func TestTensorIsHeldOnce(t *testing.T) {
	b := onchip.New[string](100)
	if err := b.Hold("W", 10); err != nil {
		t.Fatal(err)
	}
	if err := b.Hold("W", 10); err == nil || err.Error() != "W is on chip already" {
		t.Error(err)
	}
}

func TestReplaceKeepsTheRoom(t *testing.T) {
	b := onchip.New[string](100)
	if err := b.Hold("U1", 100); err != nil {
		t.Fatal(err)
	}
	if err := b.Replace("U1", "U2", 99); err == nil || err.Error() != "U2 has 99 words and cannot take the place of U1 with 100" {
		t.Error(err)
	}
	if err := b.Replace("U0", "U2", 100); err == nil || err.Error() != "U0 is not on chip, so U2 cannot take its place" {
		t.Error(err)
	}
	if err := b.Replace("U1", "U2", 100); err != nil {
		t.Error(err)
	}
	if b.Has("U1") || !b.Has("U2") || b.Occupied() != 100 || b.Peak() != 100 {
		t.Errorf("U1 %v, U2 %v, %d occupied, %d peak", b.Has("U1"), b.Has("U2"), b.Occupied(), b.Peak())
	}
}

func TestPeakStaysWhenTensorsGo(t *testing.T) {
	b := onchip.New[string](100)
	for _, key := range []string{"a", "b", "c"} {
		if err := b.Hold(key, 20); err != nil {
			t.Fatal(err)
		}
	}
	b.Release(func(key string) bool { return key == "b" })
	if b.Has("a") || !b.Has("b") || b.Has("c") || b.Occupied() != 20 || b.Peak() != 60 {
		t.Errorf("%d occupied, %d peak", b.Occupied(), b.Peak())
	}
	if b.Any(func(key string) bool { return key == "a" }) || !b.Any(func(key string) bool { return key == "b" }) {
		t.Error("Any is wrong")
	}
}

func TestZeroBufferHasNoRoom(t *testing.T) {
	var b onchip.Buffer[int]
	if err := b.Hold(1, 1); err == nil {
		t.Error("holds a word")
	}
}

func TestAccessesAreCounted(t *testing.T) {
	b := onchip.New[int](1)
	b.Access(3, 4)
	b.Access(30, 40)
	if reads, writes := b.Accesses(); reads != 33 || writes != 44 {
		t.Errorf("%d reads, %d writes", reads, writes)
	}
}

// TestBufferEqualsAMap holds the buffer to an obvious one.
func TestBufferEqualsAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const capacity = 20
		b, held := onchip.New[int](capacity), map[int]units.Words{}
		occupied := func() (sum units.Words) {
			for _, w := range held {
				sum += w
			}
			return sum
		}
		var peak units.Words
		key := rapid.IntRange(0, 5)
		for range rapid.IntRange(1, 40).Draw(r, "actions") {
			k, other, words := key.Draw(r, "key"), key.Draw(r, "other"), units.Words(rapid.IntRange(0, 12).Draw(r, "words"))
			switch rapid.IntRange(0, 2).Draw(r, "action") {
			case 0:
				_, there := held[k]
				fits := !there && occupied()+words <= capacity
				if err := b.Hold(k, words); (err == nil) != fits {
					r.Fatalf("Hold(%d, %d): %v with %v", k, words, err, held)
				}
				if fits {
					held[k] = words
				}
			case 1:
				if _, clash := held[other]; clash && other != k {
					continue // keys are the caller's business
				}
				size, there := held[k]
				fits := there && size == words
				if err := b.Replace(k, other, words); (err == nil) != fits {
					r.Fatalf("Replace(%d, %d, %d): %v with %v", k, other, words, err, held)
				}
				if fits {
					delete(held, k)
					held[other] = words
				}
			case 2:
				b.Release(func(x int) bool { return x >= k })
				for x := range held {
					if x < k {
						delete(held, x)
					}
				}
			}
			peak = max(peak, occupied())
			if b.Occupied() != occupied() || b.Free() != capacity-occupied() || b.Peak() != peak {
				r.Fatalf("%d occupied, %d free, %d peak, with %v", b.Occupied(), b.Free(), b.Peak(), held)
			}
			for x := range 6 {
				if _, there := held[x]; b.Has(x) != there {
					r.Fatalf("Has(%d) is %v with %v", x, b.Has(x), held)
				}
			}
		}
	})
}
