package sim

import (
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/units"
)

// TestEventsHappenInOrder: by time, and events of one time in the order in
// which they were scheduled.
func TestEventsHappenInOrder(t *testing.T) {
	type happening struct {
		At  units.Time
		Seq uint64
	}
	rapid.Check(t, func(r *rapid.T) {
		var k kernel
		var want, got []happening
		take := func() {
			sort.Slice(want, func(i, j int) bool {
				return want[i].At.Less(want[j].At) || (want[i].At == want[j].At && want[i].Seq < want[j].Seq)
			})
			e := k.next()
			got = append(got, happening{e.at, e.seq})
			if got[len(got)-1] != want[0] {
				r.Fatalf("%+v happens, %+v is due", got[len(got)-1], want[0])
			}
			if k.now != e.at {
				r.Fatalf("the time is %d after an event at %d", k.now, e.at)
			}
			want = want[1:]
		}
		for seq := range uint64(rapid.IntRange(1, 60).Draw(r, "events")) {
			at := units.TotalOf(units.Picoseconds(rapid.IntRange(0, 9).Draw(r, "at"))).Times(1 << 62)
			k.schedule(at, loadDone, 0, 0)
			want = append(want, happening{at.Max(k.now), seq}) // never in the past
			if rapid.Bool().Draw(r, "take") {
				take()
			}
		}
		for !k.idle() {
			take()
		}
		if len(want) > 0 {
			r.Errorf("%d events never happen", len(want))
		}
	})
}

func TestEventsCarryTheirKind(t *testing.T) {
	var k kernel
	k.schedule(units.TotalOf[units.Picoseconds](3), storeDone, 0, 0)
	k.schedule(units.TotalOf[units.Picoseconds](1), executeDone, 0, 0)
	k.schedule(units.TotalOf[units.Picoseconds](2), loadDone, 0, 0)
	var got []eventKind
	for !k.idle() {
		got = append(got, k.next().kind)
	}
	if diff := cmp.Diff([]eventKind{executeDone, loadDone, storeDone}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEventsDoNotAllocate(t *testing.T) {
	var k kernel
	for range 64 {
		k.schedule(k.now.Plus(5), loadDone, 0, 0)
	}
	if n := testing.AllocsPerRun(1000, func() {
		k.next()
		k.schedule(k.now.Plus(units.Picoseconds(k.seq%7)), executeDone, 0, 0)
	}); n != 0 {
		t.Errorf("an event allocates %v times", n)
	}
}

func BenchmarkEvent(b *testing.B) {
	var k kernel
	for range 4 {
		k.schedule(k.now.Plus(5), loadDone, 0, 0)
	}
	b.ReportAllocs()
	for b.Loop() {
		k.next()
		k.schedule(k.now.Plus(units.Picoseconds(k.seq%7)), executeDone, 0, 0)
	}
}
