package role

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// drawRegion returns a random box, maybe an empty one.
func drawRegion(r *rand.Rand) Region {
	w := Whole(1+r.IntN(4), 1+r.IntN(4), 1+r.IntN(4), 1+r.IntN(4))
	for d := range w.Of {
		if r.IntN(2) == 0 {
			from := r.IntN(int(w.Of[d]) + 1)
			w = w.Slice(d, int64(from), int64(from+r.IntN(int(w.Of[d])-from+1)))
		}
	}
	return w
}

// places lists the values of a box one by one.
func places(w Region) (list []int) {
	for i := range w.Total() {
		at, inside := i, true
		for d := 3; d >= 0; d-- {
			v := int32(at % int(w.Of[d]))
			at /= int(w.Of[d])
			inside = inside && v >= w.From[d] && v < w.To[d]
		}
		if inside {
			list = append(list, i)
		}
	}
	return list
}

func TestRunsAreTheValuesOfTheBoxInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		w := drawRegion(r)
		var got []int
		w.Runs(func(at, n int) {
			for i := range n {
				got = append(got, at+i)
			}
		})
		if want := places(w); !slices.Equal(got, want) || len(got) != w.Size() {
			t.Fatalf("%v: %v, want %v", w, got, want)
		}
	}
}

func TestAPartOfAPartIsTheSameValues(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	found := 0
	for range 20000 {
		part := drawRegion(r)
		w := part
		for d := range w.Of {
			from := r.IntN(int(w.Of[d]) + 1)
			w = w.Slice(d, int64(from), int64(from+r.IntN(int(w.Of[d])-from+1)))
		}
		has := places(part)
		inside := true
		for _, p := range places(w) {
			inside = inside && slices.Contains(has, p)
		}
		relative, ok := w.Within(part)
		if ok && !inside {
			t.Fatalf("%v is said to be within %v", w, part)
		}
		if !ok && inside {
			t.Fatalf("%v is said not to be within %v", w, part)
		}
		if !ok {
			continue
		}
		found++
		var got []int
		for _, p := range places(relative) {
			got = append(got, has[p])
		}
		if want := places(w); !slices.Equal(got, want) {
			t.Fatalf("%v within %v: %v, want %v", w, part, got, want)
		}
	}
	if found == 0 {
		t.Error("no part of a part was drawn")
	}
}
