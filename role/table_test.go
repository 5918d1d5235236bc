package role_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/role"
)

// TestTableIsAMap, round after round.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tensor := rapid.Custom(func(r *rapid.T) role.Tensor {
			return role.Tensor{
				Class: role.Role(rapid.IntRange(0, 3).Draw(r, "class")), Index: rapid.IntRange(0, 80).Draw(r, "index"),
				Step: rapid.IntRange(0, 3).Draw(r, "step"),
			}
		})
		var table role.Table[int]
		if table.Has(role.Tensor{}) {
			r.Fatal("a new table has a tensor")
		}
		for range rapid.IntRange(1, 4).Draw(r, "rounds") {
			want := map[role.Tensor]int{}
			for i, x := range rapid.SliceOfN(tensor, 0, 300).Draw(r, "put") {
				table.Put(x, i)
				want[x] = i
			}
			for _, x := range rapid.SliceOfN(tensor, 0, 300).Draw(r, "asked") {
				v, is := want[x]
				if at := table.At(x); (at != nil) != is || is && *at != v || table.Has(x) != is {
					r.Fatalf("%v is %v; a map has %d, %v", x, at, v, is)
				}
			}
			table.Clear()
			for x := range want {
				if table.Has(x) {
					r.Fatalf("%v is there in an empty table", x)
				}
			}
		}
	})
}

// TestTableDoesNotAllocate once it has grown, which changes nothing in it.
func TestTableDoesNotAllocate(t *testing.T) {
	var table role.Table[int64]
	fill := func() {
		table.Clear()
		for i := range 100 {
			table.Put(role.Tensor{Class: role.Potential, Index: i}, int64(i))
		}
	}
	fill()
	for i := range 100 {
		if at := table.At(role.Tensor{Class: role.Potential, Index: i}); at == nil || *at != int64(i) {
			t.Fatalf("%d is %v", i, at)
		}
	}
	if n := testing.AllocsPerRun(10, fill); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
