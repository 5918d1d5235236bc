package report_test

import (
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sim"
)

// evaluate runs a built-in network on the paper's machine as the run command
// does.
func evaluate(t *testing.T, net string, k, n, batch int, o sim.Options) (*design.Evaluation, *report.Run) {
	t.Helper()
	w, err := network.Open(net)
	if err != nil {
		t.Fatal(err)
	}
	w.Batch = batch
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	o.Energy = energy.Default()
	e, err := design.Evaluate(design.Point{Workload: w, Hardware: hw, K: k, N: n, Options: o, Help: true})
	if err != nil {
		t.Fatal(err)
	}
	r := report.NewRun(e)
	r.Attribute(e)
	return e, r
}
