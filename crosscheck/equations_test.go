package crosscheck_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

func open(t *testing.T, net, dataset, classifier string) *network.Workload {
	t.Helper()
	w, err := network.Open(net)
	if err != nil {
		t.Fatal(err)
	}
	if dataset != "" {
		if err := w.SetDataset(dataset); err != nil {
			t.Fatal(err)
		}
	}
	if classifier != "" {
		w.Training.Classifier = classifier
	}
	return w
}

func paperHardware(t testing.TB) *hardware.Hardware {
	t.Helper()
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	return hw
}

// roomy is the paper's hardware with DRAM for any of its workloads.
func roomy(t testing.TB) *hardware.Hardware {
	hw := paperHardware(t)
	hw.DRAM = hw.DRAM.WithRanks(64)
	return hw
}

// run simulates one iteration.
func run(w *network.Workload, k, n int, traffic schedule.Traffic, hw *hardware.Hardware, o sim.Options) (*sim.Result, error) {
	p, err := schedule.New(w, k, n, traffic)
	if err != nil {
		return nil, err
	}
	o.Energy = energy.Default()
	return sim.Run(p, hw, o)
}

// differences lists the rows of the cross-check that are not equal.
func differences(r *sim.Result) ([]string, error) {
	check, _, err := crosscheck.Equations(r, false)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, row := range check.Rows {
		if row.Difference != 0 {
			list = append(list, fmt.Sprintf("%s: simulated %d, Eq. %s %d", row.Quantity, row.Simulated, row.Equation, row.Analytic))
		}
	}
	if check.Pass != (len(list) == 0) {
		return nil, fmt.Errorf("pass is %v with differences %v", check.Pass, list)
	}
	return list, nil
}

// TestSimulatorCountsPaperNumbers holds the machine to the words and operations
// that PAPER.md's last paragraph prints.
func TestSimulatorCountsPaperNumbers(t *testing.T) {
	for _, c := range []struct {
		net  string
		k, n int
		want sim.Counts
	}{
		{"alexnet", 10, 1, sim.Counts{
			Forward:  sim.Pass{Reads: 11451872000, Writes: 6469427200, Adds: 842623877120},
			Backward: sim.Pass{Reads: 16365098880, Writes: 11451872000, Adds: 75420262400, MACs: 30081024000},
		}},
		{"alexnet", 100, 8, sim.Counts{
			Forward:  sim.Pass{Reads: 11216992000, Writes: 6468531200, Adds: 839628881920},
			Backward: sim.Pass{Reads: 22321635648, Writes: 11216992000, Adds: 73587990016, MACs: 8373639577600},
		}},
		{"lenet1", 1, 2, sim.Counts{
			Forward:  sim.Pass{Reads: 18828280, Writes: 17013760, Adds: 114118656},
			Backward: sim.Pass{Reads: 13200960, Writes: 1814520, Adds: 23225856, MACs: 717250560},
		}},
		{"resnet18", 8, 20, sim.Counts{
			Forward:  sim.Pass{Reads: 1281225216, Writes: 1258496000, Adds: 56940403098},
			Backward: sim.Pass{Reads: 2400349120, Writes: 1281225216, Adds: 2493301965, MACs: 566988111872},
		}},
		{"resnet18", 1, 1, sim.Counts{
			Forward:  sim.Pass{Reads: 2252796416, Writes: 1260134400, Adds: 69355542938},
			Backward: sim.Pass{Reads: 1603633152, Writes: 992662016, Adds: 12706073805, MACs: 433441472512},
		}},
	} {
		for _, traffic := range []schedule.Traffic{schedule.All, schedule.Equations} {
			for _, untimed := range []bool{true, false} {
				r, err := run(open(t, c.net, "", ""), c.k, c.n, traffic, paperHardware(t), sim.Options{Untimed: untimed})
				if err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("%s (%d,%d), only equations %v, untimed %v", c.net, c.k, c.n, traffic, untimed)
				if diff := cmp.Diff(c.want, r.Counts); diff != "" {
					t.Errorf("%s: want -, got +:\n%s", what, diff)
				}
				if list, err := differences(r); err != nil || list != nil {
					t.Errorf("%s: %v, %v", what, list, err)
				}
				if nothing := r.Beyond == (sim.BeyondTotals{}); nothing != bool(traffic) {
					t.Errorf("%s: nothing beyond the equations: %v", what, nothing)
				}
			}
		}
	}
}

// TestEveryNetworkAtEveryInterval is the grid of design points of the paper's
// networks.
func TestEveryNetworkAtEveryInterval(t *testing.T) {
	hw, points := roomy(t), 0
	for _, c := range []struct{ net, dataset string }{
		{"lenet1", ""}, {"lenet2", ""}, {"alexnet", ""}, {"alexnet", "cifar10"}, {"vgg11", ""}, {"resnet18", ""},
	} {
		for _, classifier := range []string{network.Trainable, network.Random} {
			w := open(t, c.net, c.dataset, classifier)
			for _, k := range network.Divisors(w.Timesteps) {
				for _, n := range []int{1, 2, 4, w.Net.N()} {
					for _, traffic := range []schedule.Traffic{schedule.All, schedule.Equations} {
						if traffic == schedule.Equations && n > 1 && n < w.Net.N() {
							continue
						}
						r, err := run(w, k, n, traffic, hw, sim.Options{Untimed: true})
						if err != nil {
							t.Fatalf("%s %s (%d,%d) %s: %v", c.net, c.dataset, k, n, classifier, err)
						}
						if list, err := differences(r); err != nil || list != nil {
							t.Errorf("%s %s (%d,%d) %s, only equations %v: %v, %v", c.net, c.dataset, k, n, classifier, traffic, list, err)
						}
						points++
					}
				}
			}
		}
	}
	t.Logf("%d design points", points)
}

// TestPublishedNumbers recomputes the column "here" of PAPER.md's table, to the
// digits printed there, from what the machine moved and executed.
func TestPublishedNumbers(t *testing.T) {
	const T, N = -1, -1 // the workload's own
	type task struct{ net, dataset, classifier, density string }
	type point struct{ k, n int }
	cache := map[string]sim.Counts{}
	counts := func(c task, p point) sim.Counts {
		key := fmt.Sprint(c, p)
		if got, ok := cache[key]; ok {
			return got
		}
		w := open(t, c.net, c.dataset, c.classifier)
		if c.density != "" {
			d, err := units.ParseDensity(c.density)
			if err != nil {
				t.Fatal(err)
			}
			w.Activity = network.Uniform(d, w.Net.N())
		}
		k, n := p.k, p.n
		if k == T {
			k = w.Timesteps
		}
		if n == N {
			n = w.Net.N()
		}
		r, err := run(w, k, n, schedule.All, roomy(t), sim.Options{Untimed: true})
		if err != nil {
			t.Fatal(err)
		}
		cache[key] = r.Counts
		return r.Counts
	}
	memory := func(c sim.Counts) int64 { return int64(c.MemoryAccess()) }
	adds, macs := sim.Counts.Adds, sim.Counts.MACs

	dvs, cifar := task{net: "alexnet"}, task{net: "alexnet", dataset: "cifar10"}
	emnist, gesture := task{net: "lenet1"}, task{net: "lenet2"}
	random := func(c task) task { c.classifier = network.Random; return c }
	at := func(c task, a string) task { c.density = a; return c }
	for _, c := range []struct {
		what      string
		task      task
		of        func(sim.Counts) int64
		run, base point
		want      string // percent less; negative where the run has more
	}{
		{"(10,1) vs BPTT, memory access", dvs, memory, point{10, 1}, point{T, N}, "10.71"},
		{"(10,1) vs BPTT, MACs", dvs, macs, point{10, 1}, point{T, N}, "99.64"},
		{"LBP1 k=10 -> 1, memory access", cifar, memory, point{1, 1}, point{10, 1}, "49.41"},
		{"LBP1 vs BP at k=1, memory access", cifar, memory, point{1, 1}, point{1, N}, "31.21"},
		{"LBP1 vs BP at k=1, memory access", random(cifar), memory, point{1, 1}, point{1, N}, "33.30"},
		{"LBP1 k=20 -> 1, memory access", emnist, memory, point{1, 1}, point{20, 1}, "55.79"},
		{"LBP1 k=20 -> 1, memory access", random(emnist), memory, point{1, 1}, point{20, 1}, "58.21"},
		{"LBP1 vs BP at k=1, memory access", emnist, memory, point{1, 1}, point{1, N}, "22.47"},
		{"LBP1 vs BP at k=1, memory access", random(emnist), memory, point{1, 1}, point{1, N}, "31.45"},
		{"(1,2) vs BPTT, memory access", emnist, memory, point{1, 2}, point{T, N}, "43.11"},
		{"(1,1) vs BPTT, memory access", cifar, memory, point{1, 1}, point{T, N}, "53.92"},
		{"LBP1 vs BP, MACs", emnist, macs, point{1, 1}, point{T, N}, "72.29"},
		{"LBP1 vs BP, MACs", gesture, macs, point{1, 1}, point{T, N}, "99.23"},
		{"LBP1 vs BP, MACs", cifar, macs, point{1, 1}, point{T, N}, "99.64"},
		{"LBP1 over BP at k=1, additions", emnist, adds, point{1, 1}, point{1, N}, "-31.95"},
		{"LBP1 over BP at k=1, additions", random(emnist), adds, point{1, 1}, point{1, N}, "-16.17"},
		{"LBP1 over BP at k=1, additions", gesture, adds, point{1, 1}, point{1, N}, "-1.34"},
		{"LBP1 over BP at k=1, additions", cifar, adds, point{1, 1}, point{1, N}, "-0.66"},
		{"BP k=T -> 1, additions", at(emnist, "0.5"), adds, point{1, N}, point{T, N}, "4.8"},
		{"BP k=T -> 1, additions", at(gesture, "0.5"), adds, point{1, N}, point{T, N}, "0.94"},
		{"BP k=T -> 1, additions", at(cifar, "0.5"), adds, point{1, N}, point{T, N}, "0.26"},
		{"BP k=T -> 1, additions", at(emnist, "0.1"), adds, point{1, N}, point{T, N}, "20.1"},
		{"BP k=T -> 1, additions", at(gesture, "0.1"), adds, point{1, N}, point{T, N}, "4.5"},
		{"BP k=T -> 1, additions", at(cifar, "0.1"), adds, point{1, N}, point{T, N}, "1.3"},
		// "31.95 % for any a".
		{"LBP1 over BP at k=1, additions", at(emnist, "0.37"), adds, point{1, 1}, point{1, N}, "-31.95"},
	} {
		less := analytic.Reduction(c.of(counts(c.task, c.run)), c.of(counts(c.task, c.base)))
		_, decimals, _ := strings.Cut(c.want, ".")
		if got := strconv.FormatFloat(less, 'f', len(decimals), 64); got != c.want {
			t.Errorf("%s, %+v: %s %%, PAPER.md has %s", c.what, c.task, got, c.want)
		}
	}
}

func TestMemoryOfEquationsEightToTen(t *testing.T) {
	w := open(t, "alexnet", "", "")
	var got [2]units.Words
	for i, p := range [][2]int{{10, 1}, {100, 8}} {
		var err error
		if got[i], err = analytic.MemoryWords(w, p[0], p[1]); err != nil {
			t.Fatal(err)
		}
	}
	if want := [2]units.Words{4139129984, 42905769408}; got != want {
		t.Errorf("%v words, want %v", got, want)
	}
	if less := fmt.Sprintf("%.2f", analytic.Reduction(got[0], got[1])); less != "90.35" {
		t.Errorf("%s %% less, PAPER.md has 90.35", less)
	}
}

// TestEveryCounterDecides changes one counter of a good run at a time.
func TestEveryCounterDecides(t *testing.T) {
	good, err := run(open(t, "lenet1", "", ""), 4, 2, schedule.All, paperHardware(t), sim.Options{Untimed: true})
	if err != nil {
		t.Fatal(err)
	}
	if good.Counts.Forward.MACs != 0 {
		t.Errorf("%d MACs forward, where no equation has any", good.Counts.Forward.MACs)
	}
	for _, c := range []struct {
		row       string
		change    func(*sim.Counts, int64)
		additions bool
	}{
		{"forward reads", func(c *sim.Counts, by int64) { c.Forward.Reads += units.Words(by) }, false},
		{"forward writes", func(c *sim.Counts, by int64) { c.Forward.Writes += units.Words(by) }, false},
		{"forward additions", func(c *sim.Counts, by int64) { c.Forward.Adds += by }, true},
		{"backward reads", func(c *sim.Counts, by int64) { c.Backward.Reads += units.Words(by) }, false},
		{"backward writes", func(c *sim.Counts, by int64) { c.Backward.Writes += units.Words(by) }, false},
		{"backward additions", func(c *sim.Counts, by int64) { c.Backward.Adds += by }, true},
		{"backward MACs", func(c *sim.Counts, by int64) { c.Backward.MACs += by }, false},
	} {
		for _, by := range []int64{-1, 1} {
			for _, fromTensors := range []bool{false, true} {
				bad := *good
				c.change(&bad.Counts, by)
				check, _, err := crosscheck.Equations(&bad, fromTensors)
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range check.Rows {
					want := int64(0)
					if row.Quantity == c.row {
						want = by
					}
					if row.Difference != want {
						t.Errorf("%s changed by %d: the difference of %s is %d", c.row, by, row.Quantity, row.Difference)
					}
				}
				if want := fromTensors && c.additions; check.Pass != want {
					t.Errorf("%s changed by %d, from tensors %v: pass is %v", c.row, by, fromTensors, check.Pass)
				}
			}
		}
	}
}
