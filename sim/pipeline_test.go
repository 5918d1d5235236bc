package sim_test

import (
	"testing"

	"accelsim/network"
	"accelsim/schedule"
	"accelsim/sim"
)

func TestTry(t *testing.T) {
	for _, c := range []struct {
		net   string
		k, n  int
		batch int
	}{{"lenet1", 10, 1, 128}, {"alexnet", 10, 1, 128}, {"alexnet", 1, 1, 128}, {"resnet18", 2, 1, 128}} {
		w, err := network.Open(c.net)
		if err != nil {
			t.Fatal(err)
		}
		w.Batch = c.batch
		hw := paper(t)
		hw.Groups = 0
		a := simulate(t, w, c.k, c.n, schedule.All, hw, sim.Options{})
		b := simulate(t, w, c.k, c.n, schedule.All, hw, sim.Options{Order: schedule.Pipelined})
		t.Logf("%s: %d %d, %.2f, equal %v %v %v", c.net, a.Timing.Cycles.Total, b.Timing.Cycles.Total, float64(a.Timing.Cycles.Total)/float64(b.Timing.Cycles.Total),
			a.Counts == b.Counts, a.Beyond == b.Beyond, a.Words == b.Words)
		t.Logf("%+v util %v", b.Timing.Cycles, b.Timing.Utilisation)
		for _, g := range b.Groups {
			t.Logf("%+v", g)
		}
	}
}
