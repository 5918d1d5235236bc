package hdl

import (
	"errors"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
)

// A wrong RTL is caught: each mutation changes one thing in one file, and a
// testbench says where the words differ.
func TestMutationsOfTheRTLAreCaught(t *testing.T) {
	need(t, string(Icarus))
	d := datapath(t, small, "q4.12", 4)
	all := Units(d, 500, 3)
	w := workload(t, small)
	b, err := fixed.NewBlock(w, 4, formats(t, "q4.12"))
	if err != nil {
		t.Fatal(err)
	}
	block := NewBlockTest(w, b, pe.Array{Rows: 2, Columns: 3, Lanes: 4, Pipeline: 4}, 2, 5)
	files := append(append(embedded("rtl"), embedded("tb")...), append(testUnits(d, all), block.files()...)...)

	for _, m := range []struct {
		name, file, from, to string
		module               string // the testbench that must fail
		unit                 string // what it must name
	}{
		{"ties round up", "accelsim_round.v", "(|rest[SHIFT-1:0] | extended[SHIFT])", "1'b1", "accelsim_tb_units", "error"},
		{"fires above the threshold only", "accelsim_lif.v", "u3 >= u_th", "u3 > u_th", "accelsim_tb_units", "lif"},
		{"sums keep their last term only", "accelsim_accumulator.v", "first1 ? {SW{1'b0}} : sum", "{SW{1'b0}}", "accelsim_tb_units", "accumulator"},
		{"products keep their last term only", "accelsim_mac.v", "first1 ? {BW{1'b0}} : sum", "{BW{1'b0}}", "accelsim_tb_units", "mac"},
		{"hard reset", "accelsim_lif.v", "fired ? theta_wide", "fired ? leaked_wide", "accelsim_tb_units", "lif"},
		{"window closed on both sides", "accelsim_surrogate.v", "distance < half &&", "distance <= half &&", "accelsim_tb_units", "surrogate"},
		{"temporal error added", "accelsim_error.v", "spatial_wide - (", "spatial_wide + (", "accelsim_tb_units", "error"},
		{"gate ignored", "accelsim_accumulator.v", "spike ? weight : {WW{1'b0}}", "weight", "accelsim_tb_units", "accumulator"},
		{"gradient wraps", "accelsim_gradient.v", "dw <= rounded", "dw <= total[GW-1:0]", "accelsim_tb_units", "gradient"},
		{"transposed weights", "accelsim_block.v", "weight_base[above] + m_d;", "weight_base[layer] + m_d;", "accelsim_tb_block", "block"},
		{"one clock more a kernel", "accelsim_block.v", "waited == LAST_WAIT", "waited == LAST_WAIT + ONE", "accelsim_tb_block", "block"},
	} {
		t.Run(m.name, func(t *testing.T) {
			mutant, applied := append([]file(nil), files...), 0
			for i, f := range mutant {
				if f.name == "rtl/"+m.file {
					mutant[i].text = strings.Replace(f.text, m.from, m.to, 1)
					applied += int(truth(mutant[i].text != f.text))
				}
			}
			if applied != 1 {
				t.Fatalf("%s does not contain %q", m.file, m.from)
			}
			dir := t.TempDir()
			if err := write(dir, mutant); err != nil {
				t.Fatal(err)
			}
			_, err := Icarus.Simulate(limited(t), dir, m.module)
			var mismatch *Mismatch
			if !errors.As(err, &mismatch) {
				t.Fatalf("not caught: %v", err)
			}
			if !strings.Contains(mismatch.Output, "MISMATCH "+m.unit+":") {
				t.Errorf("%s is not named in\n%s", m.unit, mismatch.Output)
			}
			t.Log(err)
		})
	}
}
