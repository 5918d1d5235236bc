package dram

import (
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// asked returns the requests of a pattern.
func asked(t *testing.T, d Device, p Pattern) []request {
	t.Helper()
	g, err := newGenerator(p, d)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]request, p.Requests)
	for n := 0; n < len(list); {
		took, err := g.fill(list[n:min(n+100, len(list))]) // not in whole chunks
		if err != nil || took == 0 {
			t.Fatal(n, took, err)
		}
		n += took
	}
	return list
}

// TestPatternsAskForWhatTheySay: address, in bursts, and direction of every request,
// 64 of each stream in turn.
func TestPatternsAskForWhatTheySay(t *testing.T) {
	d := device(t, "ddr4-2400")
	const mib = uint64(1<<20) / 64
	for kind, at := range map[string]func(i uint64) request{
		"seqread":  func(i uint64) request { return request{burst: i} },
		"seqwrite": func(i uint64) request { return request{burst: i, write: true} },
		"copy": func(i uint64) request {
			position, write := i/128*64+i%64, i/64%2 == 1
			if write {
				return request{burst: 512*mib + position, write: true}
			}
			return request{burst: position}
		},
		"layer": func(i uint64) request {
			position := i/192*64 + i%64
			switch i / 64 % 3 {
			case 1:
				return request{burst: 256*mib + position}
			case 2:
				return request{burst: 512*mib + position, write: true}
			}
			return request{burst: position}
		},
	} {
		for i, got := range asked(t, d, Pattern{Kind: kind, Requests: 1000}) {
			if want := at(uint64(i)); got != want {
				t.Fatalf("%s: request %d is %+v, want %+v", kind, i, got, want)
			}
		}
		// Two bursts a step, wrapped at the end.
		small := d.WithRanks(1)
		small.Rows = 2
		for i, got := range asked(t, small, Pattern{Kind: kind, Requests: 3000, Step: 2 * d.BurstBytes()}) {
			bursts := uint64(small.Capacity() / d.BurstBytes())
			want := at(uint64(i))
			base := want.burst / (256 * mib) * (256 * mib)
			want.burst = (base + 2*(want.burst-base)) % bursts
			if got != want {
				t.Fatalf("%s by two: request %d is %+v, want %+v", kind, i, got, want)
			}
		}
	}
}

// TestRandomPatternsAreUniform over 1 GiB, one third of randmix writes, and by seed.
func TestRandomPatternsAreUniform(t *testing.T) {
	d := device(t, "ddr4-2400")
	const requests = 60_000
	for kind, share := range map[string]float64{"random": 0, "randmix": 1. / 3} {
		list := asked(t, d, Pattern{Kind: kind, Requests: requests, Seed: 7})
		var writes int
		var sixteenth [16]int
		for _, q := range list {
			if q.burst >= uint64(units.GiB/d.BurstBytes()) {
				t.Fatalf("%s: burst %d is beyond 1 GiB", kind, q.burst)
			}
			sixteenth[q.burst*16/uint64(units.GiB/d.BurstBytes())]++
			if q.write {
				writes++
			}
		}
		if got := float64(writes) / requests; got < share-0.01 || got > share+0.01 {
			t.Errorf("%s: a share of %v are writes, want %v", kind, got, share)
		}
		for i, n := range sixteenth { // six deviations of sqrt(3750 * 15/16)
			if n < 3750-360 || n > 3750+360 {
				t.Errorf("%s: %d requests to sixteenth %d, want about 3750", kind, n, i)
			}
		}
		if !slices.Equal(list, asked(t, d, Pattern{Kind: kind, Requests: requests, Seed: 7})) || slices.Equal(list, asked(t, d, Pattern{Kind: kind, Requests: requests, Seed: 8})) {
			t.Errorf("%s is not the seed's", kind)
		}
	}
}
